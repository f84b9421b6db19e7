"""Prometheus' HTTP API, as far as queries go: a question in, its answer as it stands in the JSON, or a SourceError.

https://prometheus.io/docs/prometheus/latest/querying/api/#expression-queries
"""

from collections.abc import Iterator, Mapping
from typing import Any

import httpx

from metrics.sources import fetch, jmespath_values
from metrics.sources.base import SourceError
from metrics.sources.http_config import HttpConfig

BODY_MOST_BYTES = 16 * 1024 * 1024
ERROR_CHARACTERS = 300
STRANGE = (LookupError, TypeError, ValueError, AttributeError, OverflowError)
"""Exceptions of reading an answer that has another form."""

Series = tuple[dict[str, str], Iterator[tuple[float, float]]]
"""Labels, the name among them, and times (Unix seconds) with values."""


async def ask(
    client: httpx.AsyncClient, config: HttpConfig, path: str, parameters: Mapping[str, str], what: str
) -> dict[str, Any]:
    """Return the answer of the server of `config` at `path`; `what` is asked, for sentences. Raises SourceError.

    With the parameter `query` it is a POST, because that may be longer than an address.
    """
    base = httpx.URL(config.url)
    url = base.copy_with(path=base.path.rstrip("/") + path)
    if "query" in parameters:
        answer = await fetch.fetch(client, config, BODY_MOST_BYTES, str(url), method="POST", data=parameters)
    else:
        answer = await fetch.fetch(client, config, BODY_MOST_BYTES, str(url.copy_merge_params(parameters)))
    try:
        result = jmespath_values.document(answer.body)
    except jmespath_values.NoValue as problem:
        fetch.good(answer, config)
        raise SourceError(f"{config.where} answered something that {problem}.") from None
    if not isinstance(result, dict) or result.get("status") not in ("success", "error"):
        fetch.good(answer, config)
        raise SourceError(f"{config.where} answered something that is not of Prometheus' API.")
    if result["status"] == "error":
        said = " ".join(str(result.get("error")).split())[:ERROR_CHARACTERS].rstrip(".")
        raise SourceError(f"{config.where} refuses {what}: {said}.")
    return result


def series(data: Mapping[str, Any]) -> Iterator[Series]:
    """Return the series in the `data` of an answer. Raises `STRANGE` if they have another form."""
    kind, result = data["resultType"], data["result"]
    if kind == "scalar":
        yield {}, iter([(float(result[0]), float(result[1]))])
        return
    if kind not in ("vector", "matrix"):
        raise ValueError(kind)
    for one in result:
        # A native histogram has no value, but stands under another name.
        points = [one["value"]] if "value" in one else one.get("values", [])
        labels = {name: str(value) for name, value in one["metric"].items()}
        yield labels, ((float(at), float(value)) for at, value in points)


def warnings(answer: Mapping[str, Any]) -> list[str]:
    """Return what the server says beside its answer, such as that a part of it is missing."""
    found = answer.get("warnings")
    partial = ["The answer is partial."] if answer.get("isPartial") is True else []  # as VictoriaMetrics says it
    return [str(one) for one in found] if isinstance(found, list) and found else partial
