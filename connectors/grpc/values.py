"""Messages as plain data, by what their type says. Whole numbers stay exact, bytes become base64, enums their names.

A part that was not sent is null where the type can tell (``optional``, a message, a member of ``oneof``), else its default. An enum's
zero that is called ``…_UNSPECIFIED`` is nothing said, so null. Well-known types become what they mean: Timestamp a time of RFC 3339,
Duration ``1.5s``, wrappers their value, Struct plain data, google.type.Date a date. Must not know gRPC.
"""

from __future__ import annotations

import base64
import struct
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from connectors.settings import nearest, refused

Tree = Mapping[str, Any] | None
"""What of a message is wanted: names, each with what is wanted within; None is all."""
Read = Callable[[Any], Any]

_P = "google.protobuf."
WRAPPERS = frozenset(f"{_P}{name}Value" for name in ("Double", "Float", "Int64", "UInt64", "Int32", "UInt32", "Bool", "String", "Bytes"))
OPEN = frozenset(_P + name for name in ("Struct", "Value", "ListValue", "Any"))
"""Messages that hold anything: a path may lead on into them."""


def trees(paths: Iterable[Sequence[str | int]]) -> Tree:
    """What of a message is wanted by ``paths`` into it."""
    found: dict[str, Any] = {}
    for path in paths:
        names = [step for step in path if isinstance(step, str)]
        if not names:
            return None
        inside = found
        for at, name in enumerate(names):
            if at + 1 == len(names):
                inside[name] = None
            elif (inner := inside.setdefault(name, {})) is None:
                break
            else:
                inside = inner
    return found


def single(field: Any) -> bool:
    return not field.is_repeated


def is_map(field: Any) -> bool:
    return bool(field.message_type is not None and field.message_type.GetOptions().map_entry)


def lead(kind: Any, way: Sequence[str | int], what: str) -> tuple[Any, Any]:
    """(message type, field) where ``way`` leads from a message of type ``kind``; a type where it ends at a message, the field it came by.

    Either is None where it does not apply; both where the way goes on into what holds anything. Raises SourceError (config), naming what
    the type does not have.
    """
    field: Any = None
    listed = False  # whether several lie here, of which one has to be chosen
    for step in way:
        if kind is not None and kind.full_name in OPEN:
            return None, None
        if isinstance(step, int):
            if not listed:
                raise refused(f"{what}: there is no list before [{step}]")
            listed = False
            continue
        if listed and is_map(field):
            kind, field, listed = (value := field.message_type.fields_by_name["value"]).message_type, value, False
            continue
        if listed:
            raise refused(f"{what}: '{field.name}' is a list; name one of it by [0], or end 'at' there")
        fields = kind.fields_by_name if kind is not None and not is_plain(kind) else {}
        if step not in fields:
            where = f"'{kind.name}'" if kind is not None else f"'{field.name}'"
            raise refused(f"{what}: {where} has no field '{step}'{nearest(step, fields)}")
        field = fields[step]
        kind, listed = field.message_type, not single(field)
    return kind, field


def is_plain(kind: Any) -> bool:
    """Whether a message is a single value here."""
    return kind.full_name in _SPECIAL or kind.full_name in WRAPPERS


def is_nothing(name: str, number: int) -> bool:
    """Whether a value of an enum says nothing: its zero, called so as the style guide of protobuf has it."""
    return number == 0 and name.endswith("_UNSPECIFIED")


class Plain:
    """Reads messages of the types of one service."""

    def __init__(self) -> None:
        self._whole: dict[str, list[tuple[str, Read]]] = {}

    def reading(self, kind: Any, tree: Tree) -> Read:
        """A function from a message of type ``kind`` to plain data with what is wanted of it."""
        if kind.full_name in WRAPPERS:
            value = _scalar(kind.fields_by_name["value"])
            return lambda message: value(message.value)
        if (special := _SPECIAL.get(kind.full_name)) is not None:
            return special
        if tree is None:
            getters = self._whole.get(kind.full_name)
            if getters is None:
                getters = self._whole[kind.full_name] = []  # filled below: a type may hold itself
                getters += [(one.name, self._getter(one, None)) for one in kind.fields]
        else:
            getters = [(name, self._getter(kind.fields_by_name[name], inner)) for name, inner in tree.items()]
        return lambda message: {name: get(message) for name, get in getters}

    def _getter(self, field: Any, tree: Tree) -> Read:
        name = field.name
        if is_map(field):
            values = field.message_type.fields_by_name["value"]
            inner = None if tree is None or None in tree.values() else trees((step,) for each in tree.values() for step in each)
            one = self._one(values, inner)
            keyed = values.message_type is not None  # the values of such a map are reached by its keys alone
            key = _key

            def mapping(message: Any) -> Any:
                held = getattr(message, name)
                return {key(each): one(held[each]) for each in held} if keyed else {key(k): one(v) for k, v in held.items()}

            return mapping
        one = self._one(field, tree)
        if not single(field):
            return lambda message: [one(each) for each in getattr(message, name)]
        if field.has_presence:
            return lambda message: one(getattr(message, name)) if message.HasField(name) else None
        return lambda message: one(getattr(message, name))

    def _one(self, field: Any, tree: Tree) -> Read:
        return self.reading(field.message_type, tree) if field.message_type is not None else _scalar(field)


def _scalar(field: Any) -> Read:
    if field.enum_type is not None:
        names: dict[int, str | None] = {}
        for value in field.enum_type.values:
            names.setdefault(value.number, value.name)  # the first of several that mean the same
        if is_nothing(names.get(0) or "", 0):
            names[0] = None
        return lambda number: names.get(number, number)
    if field.type == field.TYPE_BYTES:
        return _text64
    return _short if field.type == field.TYPE_FLOAT else _same


def _same(value: Any) -> Any:
    return value


def _text64(value: bytes) -> str:
    return base64.b64encode(value).decode()


def _short(value: float) -> float:
    """A float of 32 bits as the shortest number that it stands for: 0.1, not 0.10000000149011612."""
    for digits in range(6, 9):
        shorter = float(f"{value:.{digits}g}")
        try:
            if struct.pack("f", shorter) == struct.pack("f", value):
                return shorter
        except OverflowError:
            break
    return value


def _key(value: Any) -> str:
    return ("true" if value else "false") if isinstance(value, bool) else str(value)


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _timestamp(message: Any) -> str:
    try:
        day = _EPOCH + timedelta(seconds=message.seconds)
    except OverflowError:
        return f"{message.seconds}s"  # no time that anything can read
    return day.strftime("%Y-%m-%dT%H:%M:%S").rjust(19, "0") + _fraction(message.nanos) + "Z"


def _duration(message: Any) -> str:
    sign = "-" if message.seconds < 0 or message.nanos < 0 else ""
    return f"{sign}{abs(message.seconds)}{_fraction(abs(message.nanos))}s"


def _fraction(nanos: int) -> str:
    return f".{nanos:09d}".rstrip("0") if nanos else ""


def _date(message: Any) -> str | None:
    """A day of the calendar; one without a year, month or day is none, and says so when it is read."""
    return f"{message.year:04d}-{message.month:02d}-{message.day:02d}" if message.year or message.month or message.day else None


def _value(message: Any) -> Any:
    kind = message.WhichOneof("kind")
    match kind:
        case "struct_value":
            return _struct(message.struct_value)
        case "list_value":
            return _list(message.list_value)
        case "number_value":
            number = message.number_value
            return int(number) if number.is_integer() and abs(number) < 2**53 else number
        case None | "null_value":
            return None
    return getattr(message, kind)


def _struct(message: Any) -> dict[str, Any]:
    return {name: _value(message.fields[name]) for name in message.fields}


def _list(message: Any) -> list[Any]:
    return [_value(each) for each in message.values]


def _mask(message: Any) -> str:
    return ",".join(message.paths)


def _any(message: Any) -> dict[str, Any]:
    """What it is, and its bytes: which types may come is not said anywhere."""
    return {"@type": message.type_url, "value": _text64(message.value)}


_SPECIAL: Mapping[str, Read] = {
    _P + "Timestamp": _timestamp,
    _P + "Duration": _duration,
    _P + "Struct": _struct,
    _P + "Value": _value,
    _P + "ListValue": _list,
    _P + "FieldMask": _mask,
    _P + "Any": _any,
    "google.type.Date": _date,
}
