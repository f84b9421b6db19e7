"""The messages of Prometheus' remote write 1.0, without the parts nobody here reads.

https://prometheus.io/docs/specs/prw/remote_write_spec/, and for metadata
https://github.com/prometheus/prometheus/blob/main/prompb/types.proto. Made here from a table instead of by a compiler.
"""

from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import Message

Type = descriptor_pb2.FieldDescriptorProto

PACKAGE = "prometheus"
MESSAGES: dict[str, list[tuple[str, int, Any]]] = {
    "WriteRequest": [("timeseries", 1, "TimeSeries"), ("metadata", 3, "MetricMetadata")],
    "TimeSeries": [("labels", 1, "Label"), ("samples", 2, "Sample")],
    "Label": [("name", 1, Type.TYPE_STRING), ("value", 2, Type.TYPE_STRING)],
    "Sample": [("value", 1, Type.TYPE_DOUBLE), ("timestamp", 2, Type.TYPE_INT64)],
    "MetricMetadata": [
        ("type", 1, Type.TYPE_INT32),
        ("metric_family_name", 2, Type.TYPE_STRING),
        ("unit", 5, Type.TYPE_STRING),
    ],
}
"""Name, number and type of each field; a field whose type is a message is repeated."""


def _classes() -> dict[str, type[Message]]:
    file = descriptor_pb2.FileDescriptorProto(name="remote_write.proto", package=PACKAGE, syntax="proto3")
    for name, fields in MESSAGES.items():
        message = file.message_type.add(name=name)
        for field, number, kind in fields:
            if isinstance(kind, str):
                message.field.add(
                    name=field,
                    number=number,
                    label=Type.LABEL_REPEATED,
                    type=Type.TYPE_MESSAGE,
                    type_name=f".{PACKAGE}.{kind}",
                )
            else:
                message.field.add(name=field, number=number, label=Type.LABEL_OPTIONAL, type=kind)
    pool = descriptor_pool.DescriptorPool()  # others in this process may know messages of the same names
    pool.Add(file)
    return {name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{PACKAGE}.{name}")) for name in MESSAGES}


WriteRequest: Any = _classes()["WriteRequest"]
