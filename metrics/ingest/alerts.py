"""Alerts that other programs evaluate and send: what every format of them becomes, and what is refused."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any

from metrics import names
from metrics.sample import UNSTORABLE, whole_number

ALERTNAME, SEVERITY = "alertname", "severity"
LABELS_MOST, NAME_MOST, VALUE_MOST = 100, 200, 1000
ANNOTATIONS_MOST, TEXT_MOST = 50, 4000
LINK_MOST = 4000
AGE_MOST_S = 400 * 86_400
AHEAD_MOST_S = 400 * 86_400
SEVERITIES = {
    "critical": "critical crit page pager error err fatal emergency emerg alert high major disaster urgent p1 p2 sev1",
    "warning": "warning warn medium moderate average minor p3 sev2 sev3",
    "info": "info information informational notice low none debug ok p4 p5 sev4 sev5",
}
"""Words that senders have for each severity."""
FNV_OFFSET, FNV_PRIME = 0xCBF2_9CE4_8422_2325, 0x100_0000_01B3
_SEVERITY_OF = {word: severity for severity, words in SEVERITIES.items() for word in words.split()}
_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(?:[.,]\d+)?(?:[Zz]|[+-]\d\d:?\d\d)", re.ASCII)


class BadAlert(ValueError):
    """An alert that can't be taken; the message says why, as Alertmanager does."""


class NotAlerts(ValueError):
    """A body that has no alerts in it; the message says why."""


@dataclass(frozen=True, slots=True)
class SentAlert:
    """One alert as it was sent: it is bad from `starts_at` until `ends_at` (Unix seconds), unless it is sent anew.

    `link` is the address of what was looked at.
    """

    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    starts_at: float
    ends_at: float
    link: str = ""
    value: float | None = None

    @property
    def name(self) -> str:
        """The name of its rule; Grafana's errors have it in another label."""
        name = self.labels.get(ALERTNAME, "")
        return self.labels.get("rulename", name) if name in ("DatasourceError", "DatasourceNoData") else name

    @property
    def severity(self) -> str:
        """How bad it is: info, warning or critical; empty for one that does not say it in a word that is known."""
        return _SEVERITY_OF.get(self.labels.get(SEVERITY, "").strip().lower(), "")


@dataclass(slots=True)
class Sent:
    """The alerts of a body, and what is `wrong` with each that can't be taken; `more` were not looked at."""

    alerts: list[SentAlert] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    more: int = 0

    def add(self, make: Any, *given: Any) -> None:
        """Add the alert that `make` returns, or why it can't."""
        try:
            self.alerts.append(make(*given))
        except BadAlert as problem:
            self.wrong.append(str(problem))


def document(body: bytes) -> Any:
    """Return the JSON in `body`; bytes that are no UTF-8 stand as U+FFFD, as in Go. Raises NotAlerts."""
    try:
        try:
            return json.loads(body, parse_int=whole_number)
        except UnicodeDecodeError:
            return json.loads(body.decode(errors="replace"), parse_int=whole_number)
    except RecursionError:
        raise NotAlerts("it is nested too deeply") from None
    except ValueError:
        raise NotAlerts(_where(body)) from None


def _where(body: bytes) -> str:
    text = body.decode(errors="replace").strip()
    if not text:
        return "unexpected end of JSON input"
    try:
        json.loads(text)
    except ValueError as problem:
        place = getattr(problem, "pos", 0)
        if place < len(text):
            return f"invalid character {text[place]!r} looking for beginning of value"
    return "unexpected end of JSON input"


def moment(text: str) -> float | None:
    """Return a time as RFC 3339 writes it in Unix seconds; None for Go's zero. Raises ValueError."""
    if not _TIME.fullmatch(text):
        raise ValueError(f"{text[:40]!r} is no time such as 2026-11-20T12:00:00Z")
    found = datetime.fromisoformat(text.upper().replace(",", "."))
    return None if found.year <= 1 else found.timestamp()


def lenient(pairs: Iterable[tuple[str, Any]]) -> dict[str, str]:
    """Return labels of names and values that may be anything: names are escaped, numbers are written as text.

    Labels that begin with two underscores are kept: `__alert_rule_uid__` keeps two alerts of Grafana apart.
    """
    return names.labels((names.label(str(name))[:NAME_MOST], _text(value)) for name, value in pairs)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else "" if value is None else json.dumps(value)


def made(
    labels: Mapping[str, str],
    annotations: Mapping[str, str],
    starts_at: float,
    ends_at: float,
    now: float,
    link: str = "",
    value: float | None = None,
) -> SentAlert:
    """Return an alert, whose labels may have any name in UTF-8. Raises BadAlert.

    Annotations that are too long are cut, as the alert is worth more than they.
    """
    if ends_at < starts_at:
        raise BadAlert("start time must be before end time")
    kept = {name: text for name, text in labels.items() if text}
    for name, text in kept.items():
        if not name or len(name) > NAME_MOST or UNSTORABLE.search(name):
            raise BadAlert(f"invalid label set: invalid name {json.dumps(name[:NAME_MOST], ensure_ascii=False)}")
        if len(text) > VALUE_MOST or UNSTORABLE.search(text):
            raise BadAlert(
                f'invalid label set: invalid value of "{name}": it has a NUL, or over {VALUE_MOST} characters'
            )
    if not kept:
        raise BadAlert("at least one label pair required")
    if len(kept) > LABELS_MOST:
        raise BadAlert(f"invalid label set: more than {LABELS_MOST} labels")
    return SentAlert(
        kept,
        dict(list(_storable(annotations))[:ANNOTATIONS_MOST]),
        min(max(starts_at, now - AGE_MOST_S), now),
        min(max(ends_at, now - AGE_MOST_S), now + AHEAD_MOST_S),
        "" if len(link) > LINK_MOST else UNSTORABLE.sub("", link),
        value,
    )


def _storable(annotations: Mapping[str, str]) -> Iterable[tuple[str, str]]:
    for name, text in annotations.items():
        if text:
            cut = text if len(text) <= TEXT_MOST else f"{text[: TEXT_MOST - 1]}…"
            yield UNSTORABLE.sub("�", name)[:NAME_MOST], UNSTORABLE.sub("�", cut)


def fingerprint(labels: Mapping[str, str]) -> str:
    """Return the hash by which Alertmanager calls the alert with these labels: FNV-1a of 64 bits, in hex."""
    return _fingerprint(tuple(sorted(labels.items())))


@lru_cache(maxsize=8192)
def _fingerprint(labels: tuple[tuple[str, str], ...]) -> str:
    found = FNV_OFFSET
    for name, value in labels:
        for byte in b"%s\xff%s\xff" % (name.encode(), value.encode()):
            found = (found ^ byte) * FNV_PRIME & 0xFFFF_FFFF_FFFF_FFFF
    return f"{found:016x}"
