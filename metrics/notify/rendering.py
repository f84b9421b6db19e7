"""A message in words: as plain text, as HTML for mail, and as JSON for programs."""

import json
from datetime import UTC, datetime
from html import escape
from typing import Any
from zoneinfo import ZoneInfo

from metrics.notify.message import WORDS, Line, Message

SUBJECT_MOST = 150
COLOURS = {"firing": "#c62828", "escalated": "#c62828", "update": "#b26a00", "resolved": "#2e7d32"}
COLOURS |= {"digest": "#37618e", "test": "#37618e"}
PICTURE = "chart"
"""Content-ID of the picture in HTML."""


def subject(message: Message) -> str:
    """Return the line that is seen first: the state, how bad it is, and what it is about."""
    severity = message.severity if message.state in ("firing", "update", "escalated") else ""
    words = WORDS[message.state] + (f" ({severity})" if severity else "")
    line = " ".join(f"{words}: {message.subject}".split())
    return line if len(line) <= SUBJECT_MOST else f"{line[: SUBJECT_MOST - 1]}…"


def text(message: Message, zone: ZoneInfo) -> str:
    """Return the message as plain text, without its subject."""
    lines = [f"* {_line(one, zone)}{f' {one.url}' if one.url else ''}" for one in message.lines]
    if message.more:
        lines.append(f"… and {message.more} more")
    facts = [f"{name}: {value}" for name, value in _facts(message, zone)]
    return "\n\n".join(filter(None, ["\n".join(lines), "\n".join(facts)])) or subject(message)


def html(message: Message, zone: ZoneInfo) -> str:
    """Return the message as a document of HTML; its picture, if it has one, is the part `PICTURE` of the mail."""
    colour = COLOURS[message.state]
    rows = "".join(f'<li style="margin:4px 0">{_html_line(one, zone)}</li>' for one in message.lines)
    more = f'<li style="margin:4px 0">… and {message.more} more</li>' if message.more else ""
    shown = f"Chart of {message.subject}"
    picture = (
        f'<p><img src="cid:{PICTURE}" alt="{escape(shown)}" width="640" style="max-width:100%;height:auto"></p>'
        if message.picture
        else ""
    )
    facts = "".join(
        f'<tr><th align="left" style="padding:2px 12px 2px 0;font-weight:normal;opacity:.7">{escape(name)}</th>'
        f"<td>{_linked(value)}</td></tr>"
        for name, value in _facts(message, zone)
    )
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="color-scheme" content="light dark">'
        f"<title>{escape(subject(message))}</title></head>"
        '<body style="font-family:system-ui,sans-serif;font-size:15px;line-height:1.4;max-width:680px">'
        f'<h1 style="font-size:18px;border-left:6px solid {colour};padding-left:10px">{escape(subject(message))}</h1>'
        f'<ul style="padding-left:20px">{rows}{more}</ul>{picture}<table>{facts}</table></body></html>'
    )


def document(message: Message) -> dict[str, Any]:
    """Return the message as webhooks get it; times are those of RFC 3339, and null where there is none."""
    return {
        "version": 1,
        "key": message.key,
        "conversation": message.conversation,
        "state": message.state,
        "severity": message.severity,
        "subject": message.subject,
        "at": _rfc3339(message.at),
        "alerts": [
            {
                "text": one.text,
                "value": one.value,
                "since": None if one.since is None else _rfc3339(one.since),
                **({"url": one.url} if one.url else {}),
            }
            for one in message.lines
        ],
        "more": message.more,
        "who": message.who,
        "url": message.url,
        "runbook": message.runbook,
    }


def as_json(message: Message) -> bytes:
    """Return the document of the message, in UTF-8."""
    return json.dumps(document(message), ensure_ascii=False, separators=(",", ":")).encode()


def _facts(message: Message, zone: ZoneInfo) -> list[tuple[str, str]]:
    facts = [("Time", _time(message.at, zone)), ("On it", message.who), ("Runbook", message.runbook)]
    return [(name, value) for name, value in [*facts, ("Details", message.url)] if value]


def _line(line: Line, zone: ZoneInfo) -> str:
    since = "" if line.since is None else f", since {_time(line.since, zone)}"
    return " ".join(f"{line.text}{f': {line.value}' if line.value else ''}{since}".split())


def _html_line(line: Line, zone: ZoneInfo) -> str:
    said = escape(_line(line, zone))
    return f'<a href="{escape(line.url)}">{said}</a>' if line.url else said


def _linked(value: str) -> str:
    if value.startswith(("http://", "https://")):
        return f'<a href="{escape(value)}">{escape(value)}</a>'
    return escape(value)


def _time(at: float, zone: ZoneInfo) -> str:
    return f"{datetime.fromtimestamp(at, zone):%Y-%m-%d %H:%M:%S %Z}"


def _rfc3339(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
