"""Where agents of machines push: collectd, netdata, and whatever speaks to OpenTSDB."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest
from ninja import Router, Status

from metrics.api.body import Refused
from metrics.api.hints import with_hints
from metrics.api.push import REFUSALS, refuse, take_good
from metrics.api.tokens import push
from metrics.batch import Parsed
from metrics.ingest import collectd, opentsdb

router = Router(tags=["push"], auth=push)

ANSWERS: Any = {204: None, REFUSALS: Refused}


def described(what: str) -> dict[str, Any]:
    """Return what OpenAPI says of a body that is an array of `what`."""
    array = {"type": "array", "items": {"type": "object"}}
    return {"requestBody": {"description": what, "content": {"application/json": {"schema": array}}}}


@router.post("v1/collectd", response=ANSWERS, openapi_extra=described("The JSON that collectd's write_http sends."))
def push_collectd(request: HttpRequest) -> Status[None]:
    """Store what collectd sends. If some of it can't be, the rest is, and the answer is 400."""
    return _push(request, collectd.parse)


@router.post("put", response=ANSWERS, openapi_extra=described("Data points of OpenTSDB or netdata."))
def put(request: HttpRequest) -> Status[None]:
    """Store data points as OpenTSDB does, or those of netdata. If some can't be, the rest is, and the answer is 400."""
    return _push(request, opentsdb.parse)


def _push(request: HttpRequest, parse: Callable[[bytes], Parsed]) -> Status[None]:
    refuse(take_good(request, lambda body: with_hints(request, parse(body))))
    return Status(204, None)
