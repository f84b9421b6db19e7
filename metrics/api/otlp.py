"""OTLP/HTTP: where programs and collectors with OpenTelemetry send their metrics.

https://opentelemetry.io/docs/specs/otlp/#otlphttp
"""

import json

from django.http import HttpRequest, HttpResponse
from google.protobuf import json_format
from google.protobuf.message import Message
from ninja import Router
from ninja.errors import HttpError
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceResponse

from metrics.api.hints import with_hints
from metrics.api.push import take_good
from metrics.api.refusals import Refusal
from metrics.api.tokens import push
from metrics.batch import Parsed
from metrics.ingest.messages import FieldType, classes
from metrics.ingest.otlp import NotOtlp, parse

router = Router(auth=push)

JSON, PROTOBUF = "application/json", "application/x-protobuf"
Status = classes("google.rpc", {"Status": [("message", 2, FieldType.TYPE_STRING)]})["Status"]
"""https://github.com/googleapis/googleapis/blob/master/google/rpc/status.proto, of which OTLP uses no more."""


@router.post("v1/metrics")
def export_metrics(request: HttpRequest) -> HttpResponse:
    """Store what an ExportMetricsServiceRequest has, but data points that can't be stored, and say why."""
    if request.content_type not in (JSON, PROTOBUF):
        raise HttpError(415, f"Content-Type is neither {PROTOBUF} nor {JSON}.")

    def read(body: bytes) -> Parsed:
        try:
            return with_hints(request, parse(body, request.content_type == JSON))
        except NotOtlp as error:
            raise HttpError(400, str(error)) from None

    accepted = take_good(request, read)
    answer = ExportMetricsServiceResponse()
    if accepted.refused and not accepted.count:
        raise HttpError(400, f"Nothing was stored: {accepted.refused.reasons()}")
    if accepted.refused:
        answer.partial_success.rejected_data_points = len(accepted.refused)
        answer.partial_success.error_message = accepted.refused.reasons()
    return _in_kind(request, answer, 200)


def as_status(request: HttpRequest, refusal: Refusal) -> HttpResponse:
    """The form of OTLP: a google.rpc.Status, in the encoding of the request."""
    return _in_kind(request, Status(message=refusal.detail), refusal.status)


def _in_kind(request: HttpRequest, message: Message, status: int) -> HttpResponse:
    if request.content_type == JSON:
        text = json.dumps(json_format.MessageToDict(message))
        return HttpResponse(text, content_type=JSON, status=status)
    return HttpResponse(message.SerializeToString(), content_type=PROTOBUF, status=status)
