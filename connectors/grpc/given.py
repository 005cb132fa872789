"""Plain data as the messages that are sent: what a manifest's ``input`` holds, with values in it.

Names that a type does not have are the manifest's fault (``config``), values that do not fit are their sender's (``Unfit``). Must not
know gRPC or relations.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any

from google.protobuf import json_format, message_factory  # type: ignore[import-untyped]

from connectors.calls import text_of
from connectors.grpc.values import WRAPPERS, is_map, single
from connectors.settings import nearest, refused

_P = "google.protobuf."
_SHANGHAI = timezone(timedelta(hours=8))  # what a time without an offset means


class Unfit(ValueError):
    """A value that its field cannot hold; the message says which field, and not the value."""


def check(kind: Any, given: Any, operation: str) -> None:
    """That a message of type ``kind`` has what a template names, and takes what stands in it without a name in braces.

    Raises SourceError (config).
    """
    if not isinstance(given, Mapping):
        raise refused(f"operation '{operation}': its input is an object of the fields of '{kind.name}'")
    for name, value in given.items():
        field = kind.fields_by_name.get(name)
        if field is None:
            raise refused(f"operation '{operation}': '{kind.name}' has no field '{name}'{nearest(name, kind.fields_by_name)}")
        for each in value if isinstance(value, list | tuple) else (value,):
            if isinstance(each, Mapping) and field.message_type is not None and not is_map(field) and not _is_free(field.message_type):
                check(field.message_type, each, operation)
            elif not _has_names(each):
                try:
                    _put(_new(kind), field, each)
                except Unfit as error:
                    raise refused(f"operation '{operation}': {error}") from None


def fill(message: Any, given: Mapping[str, Any]) -> Any:
    """``message`` with ``given`` in it. Raises Unfit."""
    fields = message.DESCRIPTOR.fields_by_name
    for name, value in given.items():
        if name not in fields:  # within a map: the rest ``check`` has seen
            raise Unfit(f"'{message.DESCRIPTOR.name}' has no field '{name}'{nearest(name, fields)}")
        if value is not None:
            _put(message, fields[name], value)
    return message


def unfit(field: Any, value: Any) -> str:
    """Why a field cannot hold one value, or nothing."""
    if type(value) is str and value.isascii() and field.type == field.TYPE_STRING:
        return ""  # as nearly all codes are
    try:
        _put(_new(field.containing_type), field, value)
    except Unfit as error:
        return str(error)
    return ""


def _new(kind: Any) -> Any:
    return message_factory.GetMessageClass(kind)()


def _has_names(value: Any) -> bool:
    if isinstance(value, Mapping):
        return any(map(_has_names, value.values()))
    return isinstance(value, str) and "{" in value


def _is_free(kind: Any) -> bool:
    return kind.full_name in (_P + "Struct", _P + "Value")


def _put(message: Any, field: Any, value: Any) -> None:
    try:
        if is_map(field):
            _put_map(getattr(message, field.name), field, value)
        elif not single(field):
            held = getattr(message, field.name)
            for each in value if isinstance(value, list | tuple) else (value,):
                if field.message_type is not None:
                    _put_message(held.add(), field, each)
                else:
                    held.append(_scalar(field, each))
        elif field.message_type is not None:
            inner = getattr(message, field.name)
            inner.SetInParent()
            _put_message(inner, field, value)
        else:
            setattr(message, field.name, _scalar(field, value))
    except (TypeError, ValueError, AttributeError, ArithmeticError, json_format.Error) as error:  # what protobuf says of ranges, too
        if isinstance(error, Unfit):
            raise
        raise Unfit(f"'{field.name}' cannot hold this value") from None


def _put_map(held: Any, field: Any, value: Any) -> None:
    key, inner = (field.message_type.fields_by_name[name] for name in ("key", "value"))
    for name, each in value.items():
        if inner.message_type is not None:
            _put_message(held[_scalar(key, name)], inner, each)
        else:
            held[_scalar(key, name)] = _scalar(inner, each)


def _put_message(message: Any, field: Any, value: Any) -> None:
    """A message from an object, or a well-known one from the value that it stands for."""
    kind = field.message_type
    if kind.full_name in WRAPPERS:
        message.value = _scalar(kind.fields_by_name["value"], value)
    elif kind.full_name == _P + "Timestamp":
        message.FromDatetime(_moment(value))
    elif kind.full_name == _P + "Duration":
        message.FromJsonString(value if isinstance(value, str) else f"{value}s")
    elif kind.full_name == _P + "FieldMask":
        message.paths.extend(part for part in text_of(value).split(",") if part)
    elif kind.full_name == "google.type.Date" and not isinstance(value, Mapping):
        day = date.fromisoformat(text_of(value)[:10])
        message.year, message.month, message.day = day.year, day.month, day.day
    elif kind.full_name in (_P + "Struct", _P + "Value", _P + "ListValue"):
        json_format.ParseDict(_plain(value), message)
    elif isinstance(value, Mapping):
        fill(message, value)
    else:
        raise Unfit(f"'{field.name}' takes an object")


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _plain(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return value if value is None or isinstance(value, str | bool | int | float) else text_of(value)


def _moment(value: Any) -> datetime:
    if isinstance(value, str):
        value = datetime.fromisoformat(value)
    elif isinstance(value, date) and not isinstance(value, datetime):
        value = datetime.combine(value, time())
    moment: datetime = value
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=_SHANGHAI)


def _scalar(field: Any, value: Any) -> Any:
    """A native value as the field's type has it."""
    if value is None or isinstance(value, Mapping | list | tuple):
        raise Unfit(f"'{field.name}' takes one value")
    if field.enum_type is not None:
        return _enumerated(field, value)
    match field.cpp_type:
        case field.CPPTYPE_STRING if field.type == field.TYPE_BYTES:
            return bytes(value) if isinstance(value, bytes | bytearray) else _bytes(field, value)
        case field.CPPTYPE_STRING:
            text = text_of(value)
            if any("\ud800" <= char <= "\udfff" for char in text):
                raise Unfit(f"'{field.name}' cannot hold half of a character pair")
            return text
        case field.CPPTYPE_BOOL:
            if text_of(value).lower() not in ("true", "false"):
                raise Unfit(f"'{field.name}' takes true or false")
            return text_of(value).lower() == "true"
        case field.CPPTYPE_DOUBLE | field.CPPTYPE_FLOAT if not isinstance(value, bool):
            return float(value)
    number = Decimal(text_of(value))
    if number != number.to_integral_value() or isinstance(value, bool):
        raise Unfit(f"'{field.name}' takes a whole number")
    return int(number)


def _enumerated(field: Any, value: Any) -> int:
    known = field.enum_type.values_by_name
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    text = text_of(value)
    if text in known:
        return int(known[text].number)
    raise Unfit(f"'{field.name}' is none of {', '.join(list(known)[:20])}")


def _bytes(field: Any, value: Any) -> bytes:
    try:
        return base64.b64decode(text_of(value), validate=True)
    except binascii.Error:
        raise Unfit(f"'{field.name}' takes bytes in base64") from None
