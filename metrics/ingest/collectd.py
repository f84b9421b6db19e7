"""JSON of collectd's plugin write_http: value lists, with the names that its write_prometheus gives them.

https://www.collectd.org/documentation/manpages/collectd.conf.html#plugin-write_http
"""

from collections.abc import Iterator, Sequence

from msgspec import Struct, field
from msgspec.json import Decoder

from metrics.batch import Parsed
from metrics.ingest.json_entries import entries
from metrics.sample import Sample

COUNTERS = frozenset({"counter", "derive"})


class ValueList(Struct):
    """Values of one moment: `values[i]` is called `dsnames[i]`, and is None where collectd knows none.

    A notification has no values. `time` is Unix seconds, `interval` seconds.
    """

    values: Sequence[float | None] = ()
    dstypes: Sequence[str] = ()
    dsnames: Sequence[str] = ()
    time: float | None = None
    interval: float | None = None
    host: str = ""
    plugin: str = ""
    plugin_instance: str | None = None
    type: str = ""
    type_instance: str | None = None
    meta: object = field(default=None)


_value_lists = Decoder(ValueList)


def parse(body: bytes) -> Parsed:
    """Return the samples in `body`; the place of a sample is the number of its value list. Raises NotJson."""
    parsed = Parsed()
    for number, entry in entries(body, _value_lists):
        if isinstance(entry, str):
            parsed.refused.add(number, [("values", entry)])
        elif not len(entry.values) == len(entry.dsnames) == len(entry.dstypes):
            parsed.refused.add(number, [("values", "values, dsnames and dstypes are not equally many.")], entry.plugin)
        else:
            found = list(_samples(entry))
            parsed.samples += found
            parsed.places += [number] * len(found)
    return parsed


def _samples(entry: ValueList) -> Iterator[Sample]:
    labels = {"instance": entry.host}
    if entry.plugin_instance:
        labels[entry.plugin] = entry.plugin_instance
    if entry.type_instance:
        labels["type" if entry.plugin_instance else entry.plugin] = entry.type_instance
    kind = f"collectd_{entry.plugin}" + (f"_{entry.type}" if entry.type != entry.plugin else "")
    for name, dstype, value in zip(entry.dsnames, entry.dstypes, entry.values, strict=True):
        if value is None:
            continue
        is_counter = dstype in COUNTERS
        metric = kind + (f"_{name}" if name != "value" else "") + ("_total" if is_counter else "")
        every_s = entry.interval or None
        said = "counter" if is_counter else "gauge"
        yield Sample(metric, float(value), labels, entry.time, type=said, expected_every_s=every_s)
