"""One gRPC service as its server describes it: its methods, the messages they take, what is read of those they bring.

Made from files that ``reflection`` brought; fetches nothing. Raises SourceError: ``config`` where a manifest names what is not there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message_factory  # type: ignore[import-untyped]
from google.protobuf.message import DecodeError, EncodeError  # type: ignore[import-untyped]

from connectors.answers import broken, rows_at
from connectors.calls import Place, Way
from connectors.grpc.given import Unfit, check, fill
from connectors.grpc.values import OPEN, Plain, Read, is_map, is_nothing, is_plain, lead, single, trees
from connectors.operations import Element, Operation
from connectors.paths import steps
from connectors.settings import nearest, refused
from connectors.spi import Field, SourceError

TYPES: Mapping[str, str] = {  # of ``Element`` -> of a column
    **dict.fromkeys(("int32", "int64", "uint32", "uint64", "sint32", "sint64", "fixed32", "fixed64", "sfixed32", "sfixed64"), "int"),
    **dict.fromkeys(("float", "double"), "float"),
    "bool": "bool",
    "date": "date",
    "timestamp": "datetime",
    "any": "json",
}
_SCALARS = {
    getattr(descriptor_pb2.FieldDescriptorProto, f"TYPE_{name.upper()}"): name
    for name in (*(name for name in TYPES if name not in ("date", "timestamp", "any")), "string", "bytes")
}
_NAMED = {
    "google.protobuf.Timestamp": "timestamp",
    "google.protobuf.Duration": "string",
    "google.protobuf.FieldMask": "string",
    "google.type.Date": "date",
}
_MOST = 1_000  # plans that are remembered


@dataclass(frozen=True, slots=True)
class Reading:
    """``rows`` of one answer: plain data of which columns are read by their paths. ``whole`` is all that an answer holds."""

    streams: bool
    rows: Read
    whole: Read


class Service:
    """``files`` are FileDescriptorProtos with all that they import."""

    def __init__(self, name: str, files: Sequence[bytes]) -> None:
        self.name = name
        self.files = tuple(files)
        self._pool: Any = descriptor_pool.DescriptorPool()
        self._plain = Plain()
        self._readings: dict[Any, Reading] = {}
        self._checked: dict[int, Place] = {}
        try:
            _add(self._pool, files)
            self._service = self._pool.FindServiceByName(name)
        except (TypeError, KeyError, DecodeError):
            raise broken("The source does not describe itself in a way that can be read.", name) from None

    def has(self, operation: str) -> bool:
        return operation.partition("/")[2] in self._service.methods_by_name

    def operations(self) -> tuple[Operation, ...]:
        """All methods that are sent one message."""
        found = []
        for one in self._service.methods:
            if not one.client_streaming:
                given, brought = (tuple(_elements(kind, ())) for kind in (one.input_type, one.output_type))
                found.append(Operation(f"{self.name}/{one.name}", given, brought, one.output_type.name, one.server_streaming))
        return tuple(found)

    def enums(self) -> dict[str, tuple[str, ...]]:
        """What each enum of the service's messages may be, by its name; a zero that says nothing is left out."""
        found = [one for file in self.files for one in _enums(descriptor_pb2.FileDescriptorProto.FromString(file))]
        return {one.name: tuple(value.name for value in one.value if not is_nothing(value.name, value.number)) for one in found}

    def holder(self, operation: str, way: Way) -> Any:
        """The field of the input at ``way``."""
        return lead(self._method(operation).input_type, way, f"operation '{operation}'")[1]

    def request(self, place: Place, given: Mapping[str, Any]) -> bytes:
        """The message that asks. Raises SourceError, ``invalid`` for a value that cannot be sent."""
        kind = self._method(place.operation).input_type
        if self._checked.get(id(place)) is not place:
            if len(self._checked) >= _MOST:
                self._checked.clear()
            check(kind, place.input or {}, place.operation)
            self._checked[id(place)] = place
        try:
            message = fill(message_factory.GetMessageClass(kind)(), place.values(given) or {})
            return bytes(message.SerializeToString())
        except Unfit as error:
            raise SourceError("invalid", "This value cannot be sent to the source.", detail=str(error)) from None
        except EncodeError:  # proto2: a required field
            raise SourceError("invalid", "Nothing is given for what the source requires.") from None

    def shown(self, operation: str, body: bytes) -> Any:
        """A request as plain data, what is not sent left out, for an author who looks on."""
        message = message_factory.GetMessageClass(self._method(operation).input_type).FromString(body)
        return json_format.MessageToDict(message, preserving_proto_field_name=True)

    def reading(self, place: Place, fields: tuple[Field, ...]) -> Reading:
        """How the answers of an operation are read; made once for a plan."""
        known = (place.operation, place.at, fields)
        if known not in self._readings:
            if len(self._readings) >= _MOST:
                self._readings.clear()
            self._readings[known] = self._made(place, fields)
        return self._readings[known]

    def _made(self, place: Place, fields: tuple[Field, ...]) -> Reading:
        method = self._method(place.operation)
        kind, what = method.output_type, f"operation '{place.operation}'"
        make = message_factory.GetMessageClass(kind)
        row, held = lead(kind, place.at, f"{what}, at")
        entries = held is not None and is_map(held)
        row = held.message_type if entries else row
        bare = any(one.path == "$" for one in fields)
        if row is None and held is not None and not bare:
            raise refused(f"{what}: what lies at 'at' are no objects; their values are at '$'")
        _there(row, fields, what)
        # Of a map all is read: its entries become rows, with a key and a value. So it is where nothing is asked for but the key.
        below = [place.at] if entries else [(*place.at, *way) for way in _ways(fields)] or [place.at]
        wanted, whole = (self._plain.reading(kind, tree) for tree in (trees(below), None))

        def rows(body: bytes) -> list[Any]:
            found = _at(place.at, wanted(_parsed(make, body)))
            if entries and isinstance(found, dict):
                found = [{"key": key, "value": value} for key, value in found.items()]
            return rows_at(found, bare)

        return Reading(method.server_streaming, rows, lambda body: whole(_parsed(make, body)))

    def _method(self, operation: str) -> Any:
        known = self._service.methods_by_name
        name = operation.partition("/")[2]
        if name not in known:
            raise refused(f"service '{self.name}' has no method '{name}'{nearest(name, known)}")
        if known[name].client_streaming:
            raise refused(f"operation '{operation}' takes a stream of messages, which the hub does not send")
        return known[name]


def _at(way: Way, value: Any) -> Any:
    for step in way:
        if isinstance(step, int):
            value = value[step] if isinstance(value, list) and step < len(value) else None
        else:
            value = value.get(step) if isinstance(value, dict) else None
    return value


def _parsed(make: Any, body: bytes) -> Any:
    try:
        return make.FromString(body)
    except DecodeError:
        raise broken("The source's answer is no message of its type.", f"{len(body)} bytes") from None


def _there(row: Any, fields: Sequence[Field], what: str) -> None:
    """That rows of type ``row``, or anything where that is None, have what columns are read from. Raises SourceError (config)."""
    for one in fields if row is not None else ():
        inner, held = lead(row, steps(one.path), f"{what}, '{one.path}'")
        if one.items and held is not None and (single(held) or is_map(held)):
            raise refused(f"{what}, '{one.path}': there is no list")
        _there(inner, one.items, f"{what}, '{one.path}'")


def _ways(fields: Sequence[Field], before: Way = ()) -> Iterator[Way]:
    """Every way that leads to a value of a row, within the elements of lists too."""
    for one in fields:
        if one.items:
            yield from _ways(one.items, (*before, *steps(one.path)))
        elif one.path:
            yield (*before, *steps(one.path))


def _add(pool: Any, files: Sequence[bytes]) -> None:
    """Files in the order in which they import each other."""
    waiting = {made.name: made for made in (descriptor_pb2.FileDescriptorProto.FromString(one) for one in files)}
    entered: set[str] = set()

    def enter(name: str) -> None:
        if name in entered or name not in waiting:
            return
        entered.add(name)
        for needed in waiting[name].dependency:
            enter(needed)
        pool.Add(waiting[name])

    for name in sorted(waiting):
        enter(name)


def _enums(holder: Any) -> Iterator[Any]:
    yield from holder.enum_type
    for inner in holder.message_type if isinstance(holder, descriptor_pb2.FileDescriptorProto) else holder.nested_type:
        yield from _enums(inner)


def _elements(kind: Any, within: tuple[str, ...]) -> Iterator[Element]:
    """What a message holds; one that holds itself is not entered again."""
    for field in kind.fields:
        inner = field.message_type
        many = not single(field) and not is_map(field)
        nullable = bool(field.has_presence) or not single(field)
        most = 0 if many else 1
        if inner is None:
            name = "enum" if field.enum_type is not None else _SCALARS.get(field.type, "string")
            own = field.enum_type.name if field.enum_type is not None else ""
            yield Element(field.name, name, own, many, nullable, most=most)
        elif is_map(field) or inner.full_name in OPEN or inner.full_name in within:
            yield Element(field.name, "any", "", many, True, most=most)
        elif is_plain(inner):
            value = inner.fields_by_name.get("value")
            name = _NAMED.get(inner.full_name) or (_SCALARS.get(value.type, "string") if value is not None else "string")
            yield Element(field.name, name, "", many, True, most=most)
        else:
            inside = tuple(_elements(inner, (*within, inner.full_name)))
            yield Element(field.name, "" if inside else "any", inner.name, many, True, inside, most)
