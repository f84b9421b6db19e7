"""Output of a check, as the Monitoring Plugins write it: a text, and performance data behind a bar.

https://www.monitoring-plugins.org/doc/guidelines.html#AEN200; several lines as in
https://assets.nagios.com/downloads/nagioscore/docs/nagioscore/4/en/pluginapi.html
"""

import math
import re
from dataclasses import dataclass

from metrics.sample import UNIT_MOST

DATUM = re.compile(r"(?:'(?P<quoted>(?:[^']|'')+)'|(?P<plain>[^\s'=]+))=(?P<value>[^\s;]*)(?:;\S*)?(?=\s|$)")
NUMBER = re.compile(r"(?P<number>[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)(?P<uom>[^\d.,+-].*)?", re.DOTALL)
TIMES = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}
BYTES = re.compile(r"(?P<prefix>[kKMGTPE]?)i?B")
PREFIXES = " KMGTPE"
UNKNOWN = "U"


@dataclass(frozen=True, slots=True)
class Datum:
    """One value of performance data, in the base of its `unit`; `is_counter` if it only grows."""

    label: str
    value: float
    unit: str | None = None
    is_counter: bool = False


@dataclass(frozen=True, slots=True)
class Said:
    """Output of a check: its first line as `text`, its `data`, and the parts that are `unreadable`."""

    text: str
    data: tuple[Datum, ...]
    unreadable: tuple[str, ...]


def read(output: str) -> Said:
    """Return what a check said with `output`. Everything is accepted."""
    first, _, rest = output.strip("\n").partition("\n")
    text, _, data = first.partition("|")
    data += "\n" + rest.partition("|")[2]
    found, unreadable = dict[str, Datum](), []
    position = _skip(data, 0)
    while position < len(data):
        match = DATUM.match(data, position)
        end = match.end() if match else position + len(data[position:].split(maxsplit=1)[0])
        datum = _datum(match) if match else None
        if datum:
            found[datum.label] = datum
        elif match is None or match["value"] not in ("", UNKNOWN):  # that says there is no value
            unreadable.append(data[position:end])
        position = _skip(data, end)
    return Said(text.strip(), tuple(found.values()), tuple(unreadable))


def _skip(text: str, position: int) -> int:
    while position < len(text) and text[position].isspace():
        position += 1
    return position


def _datum(match: "re.Match[str]") -> Datum | None:
    label = match["plain"] or match["quoted"].replace("''", "'")
    parts = NUMBER.fullmatch(match["value"])
    if parts is None:
        return None
    value, uom = float(parts["number"]), parts["uom"] or ""
    if not math.isfinite(value):
        return None
    if uom == "c":
        return Datum(label, value, is_counter=True)
    if uom == "%":
        return Datum(label, value, "percent")
    if uom in TIMES:
        return Datum(label, value * TIMES[uom], "seconds")
    if size := BYTES.fullmatch(uom):
        return Datum(label, value * 1024 ** PREFIXES.index(size["prefix"].upper() or " "), "bytes")
    return Datum(label, value, uom[:UNIT_MOST] or None)
