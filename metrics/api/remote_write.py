"""Prometheus' remote write: where a Prometheus sends what it scrapes.

https://prometheus.io/docs/specs/prw/remote_write_spec/
"""

from typing import Any

from django.http import HttpRequest
from ninja import Router, Status
from ninja.errors import HttpError

from metrics.api.body import Refused
from metrics.api.hints import with_hints
from metrics.api.push import REFUSALS, refuse, take_good
from metrics.api.tokens import push
from metrics.batch import Parsed
from metrics.ingest.remote_write import NotWriteRequest, parse

router = Router(tags=["push"])

SNAPPY = "snappy"
CONTENT_TYPE = "application/x-protobuf"
PROTO = "prometheus.WriteRequest"
DESCRIBED: dict[str, Any] = {
    "requestBody": {
        "description": "A prometheus.WriteRequest of remote write 1.0, with Content-Encoding: snappy.",
        "content": {CONTENT_TYPE: {"schema": {"type": "string", "format": "binary"}}},
    }
}


@router.post("write", auth=push, response={204: None, REFUSALS: Refused}, openapi_extra=DESCRIBED)
def remote_write(request: HttpRequest) -> Status[None]:
    """Store what a Prometheus sends by remote write 1.0. If some of it can't be, the rest is, and the answer is 400."""
    _check_version(request)

    def read(body: bytes) -> Parsed:
        try:
            return with_hints(request, parse(body))
        except NotWriteRequest as error:
            raise HttpError(400, str(error)) from None

    refuse(take_good(request, read, encoding=SNAPPY))  # Prometheus logs the sentence, and goes on
    return Status(204, None)


def _check_version(request: HttpRequest) -> None:
    """Raise HttpError 415 for the messages of remote write 2.0: a Prometheus that may goes back to 1.0."""
    if request.content_params and request.content_params.get("proto", PROTO) != PROTO:
        raise HttpError(415, f"Only {PROTO} of remote write 1.0 is taken.")
