"""Pushing samples."""

from typing import Any

from django.http import HttpRequest
from ninja import Router, Schema, Status

from metrics.api.push import take
from metrics.api.tokens import push
from metrics.ingest.json_samples import parse

router = Router(tags=["push"])


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
def push_samples(request: HttpRequest) -> Status[dict[str, int]]:
    """Store a batch of samples, all or none. Sending the same samples with the same times again changes nothing."""
    return Status(202, {"accepted": take(request, parse)})
