"""Protocol buffer messages, made from a table instead of by a compiler."""

from collections.abc import Mapping, Sequence
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

FieldType = descriptor_pb2.FieldDescriptorProto
Table = Mapping[str, Sequence[tuple[str, int, int | str]]]
"""Of each message the name, number and type of its fields; one whose type is another message is repeated."""


def classes(package: str, messages: Table) -> dict[str, Any]:
    """Return the classes of `messages`, by name, in proto3."""
    file = descriptor_pb2.FileDescriptorProto(name=f"{package}.proto", package=package, syntax="proto3")
    for name, fields in messages.items():
        message = file.message_type.add(name=name)
        for field, number, kind in fields:
            added = message.field.add(name=field, number=number, label=FieldType.LABEL_OPTIONAL)
            if isinstance(kind, str):
                added.label, added.type = FieldType.LABEL_REPEATED, FieldType.TYPE_MESSAGE
                added.type_name = f".{package}.{kind}"
            else:
                added.type = kind  # type: ignore[assignment]
    pool = descriptor_pool.DescriptorPool()  # others in this process may know messages of the same names
    pool.Add(file)
    return {name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{package}.{name}")) for name in messages}
