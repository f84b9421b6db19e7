"""Room for the frames of deep calls, so that they ask the system for no memory.

CPython keeps the frames of a thread in chunks of 16 kB. It takes one from the system when a call is the first that does
not fit, and gives it back when that call returns. A loop that calls across the end of a chunk does so with each call,
and where a page is drawn some loop always is there: fifty times a page. Newer releases of Python keep a chunk:
https://github.com/python/cpython/issues/142183.
"""

from collections.abc import Callable
from types import FunctionType
from typing import Any

from django.http import HttpRequest, HttpResponse

SLOTS = 70_000
"""References that one frame asks for, which makes its chunk 1 MiB; it touches none of them."""


def _call(function: Callable[..., Any], *given: Any, **named: Any) -> Any:
    return function(*given, **named)


with_room = FunctionType(_call.__code__.replace(co_stacksize=SLOTS), globals())
"""Call a function with what is given, where 460 kB are left for the frames of all that it calls."""


def answer_with_room(respond: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Have room for what answers a request."""

    def answer(request: HttpRequest) -> HttpResponse:
        response: HttpResponse = with_room(respond, request)
        return response

    return answer
