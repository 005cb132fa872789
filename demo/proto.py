"""A service of gRPC from the text of its ``.proto`` file: what it says of itself, its messages, a handler of its methods.

Reads the part of the language that is needed here, a declaration a line: messages, fields, ``oneof``, enums, services. Generates no code.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

import grpc  # type: ignore[import-untyped]
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory  # type: ignore[import-untyped]

_FIELD = re.compile(r"(?:(optional|repeated)\s+)?(?:map<\s*(\w+)\s*,\s*([\w.]+)\s*>|([\w.]+))\s+(\w+)\s*=\s*(\d+);")
_RPC = re.compile(r"rpc\s+(\w+)\s*\(([\w.]+)\)\s+returns\s+\((stream\s+)?([\w.]+)\);")
_VALUE = re.compile(r"(\w+)\s*=\s*(\d+);")
_OPENS = re.compile(r"(message|enum|service|oneof)\s+(\w+)\s*\{(\s*\})?")
_Field = descriptor_pb2.FieldDescriptorProto
_SCALARS = {name.removeprefix("TYPE_").lower(): number for name, number in _Field.Type.items()}


class Proto:
    """Raises ValueError for a line that it cannot read."""

    def __init__(self, text: str, name: str = "service.proto") -> None:
        self.file = _read(text, name)
        self.pool = descriptor_pool.DescriptorPool()
        for needed in self.file.dependency:
            module = import_module(needed.removesuffix(".proto").replace("/", ".") + "_pb2")
            self.pool.AddSerializedFile(module.DESCRIPTOR.serialized_pb)
        self.pool.Add(self.file)

    @property
    def services(self) -> tuple[str, ...]:
        """Their whole names."""
        return tuple(f"{self.file.package}.{one.name}" for one in self.file.service)

    def message(self, name: str) -> Any:
        """The class of a message."""
        return message_factory.GetMessageClass(self.pool.FindMessageTypeByName(f"{self.file.package}.{name}"))

    def handler(self, service: str, methods: Mapping[str, Callable[[Any, Any], Any]]) -> Any:
        """What a server is given: asynchronous functions of a request and its context by the name of their method."""
        found = self.pool.FindServiceByName(service)
        made = {}
        for name, function in methods.items():
            method = found.methods_by_name[name]
            make = grpc.unary_stream_rpc_method_handler if method.server_streaming else grpc.unary_unary_rpc_method_handler
            made[name] = make(
                function,
                request_deserializer=message_factory.GetMessageClass(method.input_type).FromString,
                response_serializer=lambda answer: answer if isinstance(answer, bytes) else answer.SerializeToString(),
            )
        return grpc.method_handlers_generic_handler(service, made)


def _read(text: str, name: str) -> Any:
    file = descriptor_pb2.FileDescriptorProto(name=name, syntax="proto3")
    around: list[Any] = []
    for line in (line.partition("//")[0].strip() for line in text.splitlines()):
        if not line or line.startswith("syntax"):
            continue
        if line.startswith("package"):
            file.package = line.split()[1].rstrip(";")
        elif line.startswith("import"):
            file.dependency.append(line.split('"')[1])
        elif line == "}":
            around.pop()
        elif opened := _OPENS.fullmatch(line):
            made = _opened(file, around, *opened.group(1, 2))
            if not opened[3]:
                around.append(made)
        elif not around or not _declared(around, line):
            raise ValueError(line)
    kinds = {one.name: _Field.TYPE_ENUM for one in file.enum_type}
    for message in file.message_type:
        for one in (*message.field, *(field for entry in message.nested_type for field in entry.field)):
            if one.type_name and not one.type:
                one.type = kinds.get(one.type_name, _Field.TYPE_MESSAGE)
                one.type_name = f".{one.type_name}" if one.type_name.startswith("google.") else f".{file.package}.{one.type_name}"
        _optional_last(message)
    for service in file.service:
        for method in service.method:
            method.input_type, method.output_type = (f".{file.package}.{kind}" for kind in (method.input_type, method.output_type))
    return file


def _opened(file: Any, around: list[Any], kind: str, name: str) -> Any:
    if kind == "oneof":
        around[-1].oneof_decl.add(name=name)
        return around[-1], len(around[-1].oneof_decl) - 1
    return {"message": file.message_type, "enum": file.enum_type, "service": file.service}[kind].add(name=name)


def _declared(around: list[Any], line: str) -> bool:
    holder, choice = around[-1] if isinstance(around[-1], tuple) else (around[-1], None)
    if found := _RPC.fullmatch(line):
        name, given, streams, brought = found.groups()
        holder.method.add(name=name, input_type=given, output_type=brought, server_streaming=bool(streams))
    elif isinstance(holder, descriptor_pb2.EnumDescriptorProto) and (found := _VALUE.fullmatch(line)):
        holder.value.add(name=found[1], number=int(found[2]))
    elif found := _FIELD.fullmatch(line):
        label, key, value, kind, name, number = found.groups()
        one = holder.field.add(name=name, number=int(number), label=_Field.LABEL_REPEATED if label == "repeated" or key else 1)
        if choice is not None:
            one.oneof_index = choice
        if key:
            entry = holder.nested_type.add(name=f"{name.title().replace('_', '')}Entry")
            entry.options.map_entry = True
            for number, (part, scalar) in enumerate((("key", key), ("value", value)), 1):
                _typed(entry.field.add(name=part, number=number, label=1), scalar)
            one.type_name = f"{holder.name}.{entry.name}"
        else:
            _typed(one, kind)
            one.proto3_optional = label == "optional"
    else:
        return False
    return True


def _typed(field: Any, kind: str) -> None:
    if kind in _SCALARS:
        field.type = _SCALARS[kind]
    else:
        field.type_name = kind


def _optional_last(message: Any) -> None:
    """Each optional field is the only member of a choice of its own, after those that are declared."""
    for one in message.field:
        if one.proto3_optional:
            one.oneof_index = len(message.oneof_decl)
            message.oneof_decl.add(name=f"_{one.name}")
