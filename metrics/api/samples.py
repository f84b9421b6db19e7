"""Pushing samples."""

from typing import Any

from django.http import HttpRequest
from ninja import Router, Schema, Status

from metrics.api.body import Refused
from metrics.api.push import IDEMPOTENCY_KEY, REFUSALS, take
from metrics.api.tokens import push
from metrics.ingest.json_samples import parse
from metrics.sample import LABEL_VALUE_MOST, METRIC_NAME_MOST, PERIOD_MOST_S, TYPES, UNIT_MOST, VALUE_MOST

router = Router(tags=["push"])


class Accepted(Schema):
    accepted: int


SHARED: dict[str, Any] = {
    "labels": {"type": ["object", "null"], "additionalProperties": {"type": "string", "maxLength": LABEL_VALUE_MOST}},
    "type": {"enum": [*sorted(TYPES), None]},
    "expected_every": {
        "type": ["number", "null"],
        "exclusiveMinimum": 0,
        "maximum": PERIOD_MOST_S,
        "description": "Seconds after which the next sample of the series should come.",
    },
    "expires_after": {
        "type": ["number", "null"],
        "exclusiveMinimum": 0,
        "maximum": PERIOD_MOST_S,
        "description": "Seconds after which the last value of the series no longer counts.",
    },
}
SAMPLE = {
    "type": "object",
    "required": ["metric", "value"],
    "additionalProperties": False,
    "properties": {
        "metric": {
            "type": "string",
            "minLength": 1,
            "maxLength": METRIC_NAME_MOST,
            "examples": ["orders_open"],
            "description": "Other characters than letters, digits, _ and : become _.",
        },
        "value": {"type": "number", "minimum": -VALUE_MOST, "maximum": VALUE_MOST, "examples": [42]},
        "at": {
            "anyOf": [{"type": "number", "minimum": 0}, {"type": "string", "format": "date-time"}, {"type": "null"}],
            "description": "When it was measured: Unix seconds, or ISO 8601 with a zone. Without it, now.",
        },
        "unit": {"type": ["string", "null"], "maxLength": UNIT_MOST},
        **SHARED,
    },
}
DESCRIBED: dict[str, Any] = {
    "parameters": [
        {
            "name": "Idempotency-Key",
            "in": "header",
            "schema": {"type": "string", "pattern": f"^{IDEMPOTENCY_KEY.pattern}$"},
            "description": "Of pushes with the same key and token within 24 hours only the first is stored.",
        }
    ],
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "required": ["samples"],
                    "additionalProperties": False,
                    "properties": {"samples": {"type": "array", "items": SAMPLE}, **SHARED},
                }
            }
        },
    },
}


@router.post("samples", auth=push, response={202: Accepted, REFUSALS: Refused}, openapi_extra=DESCRIBED)
def push_samples(request: HttpRequest) -> Status[dict[str, int]]:
    """Store a batch of samples, all or none. Sending the same samples with the same times again changes nothing."""
    return Status(202, {"accepted": take(request, parse).count})
