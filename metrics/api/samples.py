"""Pushing samples."""

import time
from typing import Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest
from ninja import Router, Schema
from ninja.errors import HttpError

from metrics.actions.samples import accept
from metrics.api.tokens import push, token_of
from metrics.ingest.json_samples import parse
from metrics.live import limits

router = Router(tags=["push"])


class TooFast(Exception):
    """A token that pushes more than it may; `wait_s` seconds from now it may again."""

    def __init__(self, wait_s: int) -> None:
        super().__init__(f"A token may push {settings.PUSH_SAMPLES_PER_MINUTE} samples a minute; wait {wait_s} s.")
        self.wait_s = wait_s


class Accepted(Schema):
    accepted: int


SAMPLE = {
    "type": "object",
    "required": ["metric", "value"],
    "additionalProperties": False,
    "properties": {
        "metric": {"type": "string", "example": "orders_open"},
        "value": {"type": "number", "example": 42},
        "labels": {"type": "object", "additionalProperties": {"type": "string"}},
        "at": {
            "anyOf": [{"type": "number"}, {"type": "string", "format": "date-time"}],
            "description": "When it was measured: Unix seconds, or ISO 8601 with a zone. Without it, now.",
        },
        "unit": {"type": "string", "maxLength": 20},
    },
}
BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "required": ["samples"],
                    "additionalProperties": False,
                    "properties": {"samples": {"type": "array", "items": SAMPLE}},
                }
            }
        },
    }
}


@router.post("samples", auth=push, response={202: Accepted}, openapi_extra=BODY)
def push_samples(request: HttpRequest) -> tuple[int, dict[str, int]]:
    """Store a batch of samples, all or none. Sending the same samples with the same times again changes nothing."""
    now, token = time.time(), token_of(request)
    samples = parse(_body(request))
    if wait_s := limits.spend(f"token:{token.pk}", max(1, len(samples)), settings.PUSH_SAMPLES_PER_MINUTE, now):
        raise TooFast(wait_s)
    return 202, {"accepted": accept(samples, token.source, now)}


def _body(request: HttpRequest) -> bytes:
    limit = settings.PUSH_BODY_LIMIT_BYTES
    if int(request.headers.get("Content-Length") or 0) <= limit:
        try:
            if len(request.body) <= limit:
                return request.body
        except RequestDataTooBig:
            pass
    raise HttpError(413, f"The body is larger than {limit} bytes; split the batch.")
