"""Requests to Prometheus' Pushgateway: a group in the path, an exposition in the body.

https://github.com/prometheus/pushgateway#api
"""

import base64
import json
from collections.abc import Iterator, Mapping

from msgspec import structs

from metrics import exposition, names
from metrics.batch import Parsed
from metrics.ingest import metric_families
from metrics.sample import BadSamples, Problem, Sample, tidy

BASE64 = "@base64"
OPENMETRICS = "application/openmetrics-text"
PROTOBUF = "application/vnd.google.protobuf"
DELIMITED = "encoding=delimited"


class BadGroup(Exception):
    """A path that names no group; the message is a sentence."""


class UnknownFormat(Exception):
    """A kind of body that is not read here; the message is a sentence."""


def group(path: str) -> dict[str, str]:
    """Return the labels of a group, from `job/<job>{/<label>/<value>}`. Raises BadGroup.

    A name that ends with @base64 has a value in URL-safe base64, padded or not.
    """
    parts = path.removesuffix("/").split("/")
    if len(parts) % 2:
        raise BadGroup("The path is not /metrics/job/JOB and then pairs of /LABEL/VALUE.")
    labels: dict[str, str] = {}
    for name, value in zip(parts[::2], parts[1::2], strict=True):
        label = names.label(name.removesuffix(BASE64))
        if not label or name.startswith("__"):
            raise BadGroup(f"{name!r} in the path is not the name of a label.")
        if label in labels:
            raise BadGroup(f"The label {label} is in the path twice.")
        labels[label] = _unpacked(label, value) if name.endswith(BASE64) else value
    if parts[0].removesuffix(BASE64) != "job" or not labels["job"]:
        raise BadGroup("The path does not begin with /metrics/job/JOB.")
    return labels


def _unpacked(label: str, value: str) -> str:
    bare = value.rstrip("=")
    try:
        return base64.b64decode(bare + "=" * (-len(bare) % 4), altchars=b"-_", validate=True).decode()
    except ValueError:  # of base64 as well as of UTF-8
        raise BadGroup(f"The value of {label}{BASE64} in the path is not base64 of a text.") from None


def group_key(labels: Mapping[str, str]) -> str:
    """Return what tells a group from all others. Unlike with series, an empty label is not the same as none."""
    return json.dumps(sorted(labels.items()), ensure_ascii=False)


def parse(body: bytes, content_type: str, labels: Mapping[str, str]) -> Parsed:
    """Return what `body` holds, with the group's `labels` in the place of those that it has of the same names.

    Raises UnknownFormat, exposition.BadExposition, or BadSamples for samples that have a time or are there twice.
    """
    kind, *parameters = [part.strip().lower() for part in content_type.split(";")]
    if kind != PROTOBUF:
        found = exposition.parse(body, openmetrics=kind == OPENMETRICS)
    elif DELIMITED in parameters:
        found = metric_families.parse(body)
    else:
        raise UnknownFormat("Of Prometheus' protobuf only encoding=delimited is read here.")
    samples = [
        tidy(structs.replace(one, labels={**names.labels(one.labels.items()), **labels})) for one in found.samples
    ]
    if problems := list(_problems(samples)):
        raise BadSamples(problems)
    return Parsed(samples, names=frozenset(map(names.metric, found.names)))


def _problems(samples: list[Sample]) -> Iterator[Problem]:
    seen = set()
    for index, sample in enumerate(samples):
        if sample.at is not None:
            yield Problem(index, "at", f"{sample.metric} has a time; what is pushed here counts from when it arrives.")
        series = (sample.metric, frozenset(sample.labels.items()))
        if series in seen:
            yield Problem(index, "metric", f"{sample.metric} is there twice with the same labels.")
        seen.add(series)
