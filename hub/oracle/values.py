"""Native values to canonical JSON values and back, one value at a time.

Written from the meaning of the scalars alone and independently of ``hub.run``: the two are compared by the property tests. Knows
GraphQL types and ``connectors.spi.Field``, nothing of bindings or calls.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal, InvalidOperation
from math import isfinite
from typing import Any

from graphql import GraphQLEnumType, GraphQLOutputType, get_named_type, is_list_type, is_non_null_type

from connectors.paths import ABSENT
from connectors.spi import Field
from hub.errors import message

_BLANKS = " \t\n\r\v\f"
SHANGHAI = timezone(timedelta(hours=8))
_BOOLEANS = {"1": True, "0": False, "Y": True, "N": False, "是": True, "否": False, "true": True, "false": False}
_PATTERN = {"yyyy": "%Y", "MM": "%m", "dd": "%d", "HH": "%H", "mm": "%M", "ss": "%S", "SSS": "%f"}


class Fault(Exception):
    """A position that has no value, and why. graphql-core copies ``extensions`` to the error it puts at that position's path."""

    def __init__(self, code: str) -> None:
        super().__init__(message(code))
        self.code = code
        self.extensions = {"code": code}


def least(faults: Iterable[Fault]) -> Fault:
    """S10: of several faults the one whose code comes first."""
    return Fault(min(fault.code for fault in faults))


def read(value: Any, kind: GraphQLOutputType, column: Field) -> Any:
    """The canonical value of a leaf or a list of leaves; a bad element of a list is a ``Fault`` in its place. Raises Fault."""
    if is_non_null_type(kind):
        return read(value, kind.of_type, column)
    if value is None:
        return None
    if value is ABSENT:
        raise Fault("BAD_VALUE")
    if is_list_type(kind):
        inner = Field(column.name, column.path, column.type, values=column.values)
        return [_element(item, kind.of_type, inner) for item in elements(value, column)]
    named = get_named_type(kind)
    if isinstance(named, GraphQLEnumType):
        return _enum(value, named, column)
    return _scalar(value, named.name, column)


def elements(value: Any, column: Field) -> list[Any]:
    """The elements of a native list, in whichever form ``column`` holds it. Raises Fault when it is none."""
    value = parsed(value, column)
    if column.format == "csv" and isinstance(value, str):
        return [part.strip() for part in value.split(",") if part.strip()]
    if not isinstance(value, list | tuple):
        raise Fault("BAD_VALUE")
    return list(value)


def parsed(value: Any, column: Field) -> Any:
    """``value``, out of its JSON text if ``column`` says that it is one. Raises Fault."""
    if column.format != "json" or not isinstance(value, str):
        return value
    try:
        return json.loads(value, parse_constant=_no_constant)
    except ValueError:
        raise Fault("BAD_VALUE") from None


def _no_constant(name: str) -> None:
    """``NaN`` and ``Infinity`` are no JSON (RFC 8259, section 6), though Python's reader takes them."""
    raise ValueError(name)


def write(value: Any, kind: GraphQLOutputType, column: Field) -> Any:
    """The native form of a canonical key or argument: what ``read`` would read back as ``value``."""
    named = get_named_type(kind)
    if value is None:
        return None
    if isinstance(named, GraphQLEnumType):
        return next((native for native, name in column.values.items() if name == value), value)
    if named.name in ("Date", "DateTime") and column.format:
        moment = datetime.fromisoformat(value)
        if column.format.startswith("unix"):
            seconds = (moment if moment.tzinfo else moment.replace(tzinfo=SHANGHAI)).timestamp()
            return int(seconds * 1000) if column.format == "unix_ms" else int(seconds)
        moment = moment.astimezone(SHANGHAI) if moment.tzinfo else moment
        return moment.strftime(_strptime(column.format))
    try:
        return _WRITE.get(column.type, _same)(value)
    except (ValueError, TypeError, InvalidOperation):
        return value  # the source has no such key, and will say so


def _same(value: Any) -> Any:
    return value


def _element(value: Any, kind: GraphQLOutputType, column: Field) -> Any:
    try:
        return read(value, kind, column)
    except Fault as fault:
        return fault


def _enum(value: Any, kind: GraphQLEnumType, column: Field) -> str:
    name = column.values.get(str(value), str(value))
    if isinstance(value, bool) or name not in kind.values:
        raise Fault("BAD_VALUE")
    return str(name)


def _scalar(value: Any, name: str, column: Field) -> Any:
    try:
        return _READ.get(name, _string)(value, column)
    except (ValueError, TypeError, InvalidOperation, OverflowError):
        raise Fault("BAD_VALUE") from None


def _int(value: Any, column: Field) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal | str):
        raise ValueError
    if isinstance(value, str) and not re.fullmatch(r"[+-]?[0-9]+", value.strip(_BLANKS)):
        raise ValueError
    number = int(value)
    if (not isinstance(value, str) and number != value) or not -(2**31) <= number < 2**31:
        raise ValueError
    return number


def _float(value: Any, column: Field) -> float:
    if isinstance(value, bool) or not isfinite(number := float(_number(value))):
        raise ValueError
    return number


def _number(value: Any) -> Any:
    """A text as a number is written (S7): ASCII digits, a sign, a point, an exponent, blanks around; whatever else is none."""
    if isinstance(value, str) and not re.fullmatch(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?", value.strip(_BLANKS)):
        raise ValueError
    return value


def _string(value: Any, column: Field) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str | int | float | Decimal):
        raise ValueError
    return str(value)


def _id(value: Any, column: Field) -> str:
    if isinstance(value, bool | float):
        raise ValueError
    return _string(value, column)


def _boolean(value: Any, column: Field) -> bool:
    if isinstance(value, float | Mapping | list) or (str(value) not in _BOOLEANS and not isinstance(value, bool)):
        raise ValueError
    return value if isinstance(value, bool) else _BOOLEANS[str(value)]


def _decimal(value: Any, column: Field) -> str:
    number = Decimal(repr(value)) if isinstance(value, float) else Decimal(_number(value))
    if isinstance(value, bool) or not number.is_finite() or abs(number.adjusted()) >= 1000:
        raise ValueError
    return format(number, "f")


def _date(value: Any, column: Field) -> str:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value.isoformat()
    return _moment(value, column).astimezone(SHANGHAI).date().isoformat()


def _datetime(value: Any, column: Field) -> str:
    return _moment(value, column).isoformat()


def _moment(value: Any, column: Field) -> datetime:
    if isinstance(value, datetime):
        moment = value
    elif column.format in ("unix", "unix_ms"):
        if isinstance(value, bool):
            raise ValueError
        moment = datetime.fromtimestamp(float(value) / (1000 if column.format == "unix_ms" else 1), SHANGHAI)
    elif column.format:
        moment = datetime.strptime(str(value), _strptime(column.format))
    else:
        moment = datetime.fromisoformat(value)
    return moment if moment.tzinfo else moment.replace(tzinfo=SHANGHAI)


def _strptime(pattern: str) -> str:
    return re.sub("yyyy|SSS|MM|dd|HH|mm|ss", lambda match: _PATTERN[match[0]], pattern)


_READ = {
    "Int": _int,
    "Float": _float,
    "Boolean": _boolean,
    "ID": _id,
    "Decimal": _decimal,
    "Date": _date,
    "DateTime": _datetime,
}

_WRITE: dict[str, Callable[[Any], Any]] = {
    "int": lambda value: int(value) if re.fullmatch(r"-?[0-9]{1,1000}", value) else value,
    "float": float,
    "decimal": Decimal,
    "date": date.fromisoformat,
    "datetime": datetime.fromisoformat,
}
