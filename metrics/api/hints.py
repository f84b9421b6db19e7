"""Hints of a request about all the series that it pushes, for formats that have no place for them."""

from dataclasses import replace

from django.http import HttpRequest
from msgspec import structs

from metrics.actions.errors import Invalid
from metrics.batch import Parsed
from metrics.sample import PERIOD_MOST_S

EXPECTED_EVERY, EXPIRES_AFTER = "expected_every", "expires_after"


def with_hints(request: HttpRequest, parsed: Parsed) -> Parsed:
    """Return `parsed`, with what the query or a header says: `?expires_after=3600` or `X-Expires-After: 3600`.

    The same goes for `expected_every`. Both are seconds. Raises Invalid for what is no number of seconds.
    """
    every_s, after_s = _seconds(request, EXPECTED_EVERY), _seconds(request, EXPIRES_AFTER)
    if every_s is None and after_s is None:
        return parsed
    samples = [structs.replace(one, expected_every_s=every_s, expires_after_s=after_s) for one in parsed.samples]
    return replace(parsed, samples=samples)


def _seconds(request: HttpRequest, name: str) -> float | None:
    text = request.GET.get(name) or request.headers.get(f"X-{name.replace('_', '-')}")
    if not text:
        return None
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds <= PERIOD_MOST_S:
        raise Invalid(name, f"{name} is not a number of seconds between 0 and {PERIOD_MOST_S}.")
    return seconds
