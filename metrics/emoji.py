"""Emoji: which text is a single one, by the sequences of Unicode Technical Standard 51."""

import re

MOST = 32
"""Characters of the longest that is taken; a flag of a region has 14, a family 7 or more."""

_BASE = (
    "[\u00a9\u00ae\u203c\u2049\u2122\u2139\u2190-\u21ff\u2300-\u23ff\u2460-\u24ff\u25a0-\u27bf\u2900-\u297f"
    "\u2b00-\u2bff\u3030\u303d\u3297\u3299\U0001f000-\U0001f1e5\U0001f200-\U0001f3fa\U0001f400-\U0001faff]"
)
_ELEMENT = f"{_BASE}(?:\ufe0f|[\U0001f3fb-\U0001f3ff])?[\U000e0020-\U000e007f]*"
_EMOJI = re.compile(
    f"[\U0001f1e6-\U0001f1ff]{{2}}|[0-9#*]\ufe0f?\u20e3|[\U0001f3fb-\U0001f3ff]|{_ELEMENT}(?:\u200d{_ELEMENT})*"
)


def is_emoji(text: str) -> bool:
    """Return whether `text` is one emoji, and nothing else."""
    return len(text) <= MOST and _EMOJI.fullmatch(text) is not None
