"""The description of all sockets, as AsyncAPI 3: https://www.asyncapi.com/docs/reference/specification/v3.0.0."""

from functools import cache
from pathlib import Path

from django.http import HttpRequest, HttpResponse

FILE = Path(__file__).with_suffix(".json")


def document(request: HttpRequest) -> HttpResponse:
    """The description, which anybody may read, as that of the API over HTTP."""
    return HttpResponse(_text(), content_type="application/json")


@cache
def _text() -> str:
    return FILE.read_text()
