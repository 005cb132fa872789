"""The canonical scalars: what a caller may send for each, and how a refusal names what is wrong.

Inside the hub a scalar is its JSON text (``2022-03-31``, ``12.50``, an identifier in canonical form), so values need no
conversion on the way out. Python names with the names of the schema are NewTypes over str; ``SCALARS`` is Strawberry's map of
them. Must not know systems; native values are turned into these elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal as ExactDecimal
from functools import partial
from typing import Any, NewType

import strawberry
from graphql import GraphQLError, IntValueNode, StringValueNode, ValueNode
from strawberry.types.scalar import ScalarDefinition

from schema.identifiers import IDENTIFIERS, NAMES, BadIdentifier

USCC = NewType("USCC", str)
Division = NewType("Division", str)
ItemCode = NewType("ItemCode", str)
LicenceID = NewType("LicenceID", str)
ResidentID = NewType("ResidentID", str)
Date = NewType("Date", str)
DateTime = NewType("DateTime", str)
Decimal = NewType("Decimal", str)

BAD_IDENTIFIER = "BAD_IDENTIFIER"
RFC_3339 = "https://www.rfc-editor.org/rfc/rfc3339"
BEIJING = timezone(timedelta(hours=8))

_DECIMAL = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?", re.ASCII)
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_DATE_TIME = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt]([0-9]{2}:[0-9]{2}:[0-9]{2})(\.[0-9]{1,6})?[0-9]*([Zz]|[+-][0-9]{2}:[0-9]{2})", re.ASCII
)
_DECIMAL_DIGITS = 38  # what the widest common column type holds


def identifier_error(error: GraphQLError) -> GraphQLError | None:
    """The refusal of an identifier inside ``error``, or None.

    Validation hands the scalar's own error on; coercion of variables wraps it. The answer is the outermost error with the
    innermost's extensions (``code``, ``scalar``, ``position``, ``found``, ``expected``), its message kept whole.
    """
    inner: BaseException | None = error
    seen = 0
    while isinstance(inner, GraphQLError) and seen < 8:
        details = inner.extensions or {}
        if details.get("code") == BAD_IDENTIFIER:
            if inner is error or error.extensions == details:
                return error
            return GraphQLError(error.message, error.nodes, path=error.path, original_error=inner, extensions=dict(details))
        inner, seen = inner.original_error, seen + 1
    return None


def _refuse_identifier(bad: BadIdentifier, node: ValueNode | None) -> GraphQLError:
    details = {"code": BAD_IDENTIFIER, "scalar": bad.scalar, "position": bad.position, "found": bad.found, "expected": bad.expected}
    return GraphQLError(f"{bad.zh} {bad.en}", node, extensions=details)


def _refuse(zh: str, en: str, node: ValueNode | None = None) -> GraphQLError:
    return GraphQLError(f"{zh} {en}", node)


def _identifier(scalar: str, value: Any, node: ValueNode | None = None) -> str:
    if not isinstance(value, str):
        details = {"code": BAD_IDENTIFIER, "scalar": scalar, "position": 1, "found": "", "expected": "text in quotes"}
        raise GraphQLError(f"{NAMES[scalar]}应为带引号的文本。 {scalar}: expected text in quotes.", node, extensions=details)
    try:
        return IDENTIFIERS[scalar](value)
    except BadIdentifier as bad:
        raise _refuse_identifier(bad, node) from None


def _identifier_literal(scalar: str, node: ValueNode, _variables: Any = None) -> str:
    return _identifier(scalar, node.value if isinstance(node, StringValueNode) else None, node)


def parse_date(value: Any, node: ValueNode | None = None) -> str:
    """``2022-03-31`` → itself. Raises GraphQLError for anything that is no calendar date in that form."""
    if isinstance(value, str) and _DATE.fullmatch(value):
        try:
            date.fromisoformat(value)
        except ValueError:
            pass
        else:
            return value
    raise _refuse("日期应为“YYYY-MM-DD”形式的有效日期。", "Date: expected a calendar date as 'YYYY-MM-DD'.", node)


def parse_date_time(value: Any, node: ValueNode | None = None) -> str:
    """A time of RFC 3339 → the same instant at +08:00, the canonical offset. Raises GraphQLError."""
    match = _DATE_TIME.fullmatch(value) if isinstance(value, str) else None
    if match is not None:
        day, time, fraction, offset = match.groups()
        try:
            moment = datetime.fromisoformat(f"{day}T{time}{fraction or ''}{'+00:00' if offset in 'Zz' else offset}")
            return moment.astimezone(BEIJING).isoformat()
        except (ValueError, OverflowError):
            pass
    raise _refuse(
        "时间应为带时区的RFC 3339形式，如“2022-03-31T09:30:00+08:00”。",
        "DateTime: expected RFC 3339 with an offset, such as '2022-03-31T09:30:00+08:00'.",
        node,
    )


def parse_decimal(value: Any, node: ValueNode | None = None) -> str:
    """``"12.50"`` or ``12`` → exact decimal text, its scale kept. Raises GraphQLError.

    A JSON number with a fraction has already lost its exact value on the way, so it is refused; so are exponents.
    """
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value) if abs(value) < 10**_DECIMAL_DIGITS else ""
    if isinstance(value, str) and _DECIMAL.fullmatch(value) and len(value.lstrip("-").replace(".", "")) <= _DECIMAL_DIGITS:
        return "0" + value[2:] if value.startswith("-0") and not ExactDecimal(value) else value
    raise _refuse(
        f"小数应以文本给出，如“12.50”，至多{_DECIMAL_DIGITS}位。",
        f"Decimal: expected text such as '12.50', of at most {_DECIMAL_DIGITS} digits; numbers with a fraction are not exact.",
        node,
    )


def _text_literal(parse: Callable[[Any, ValueNode | None], str], node: ValueNode, _variables: Any = None) -> str:
    return parse(node.value if isinstance(node, StringValueNode) else None, node)


def _decimal_literal(node: ValueNode, _variables: Any = None) -> str:
    return parse_decimal(node.value if isinstance(node, StringValueNode | IntValueNode) else None, node)


def _show(value: Any) -> Any:
    """Values are canonical text already; Python's own are written the same way, for ordinary resolvers."""
    if isinstance(value, datetime):
        return (value if value.tzinfo else value.replace(tzinfo=BEIJING)).astimezone(BEIJING).isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, ExactDecimal):
        return format(value, "f")
    return value


def _scalar(name: str, zh: str, en: str, parse: Any, parse_literal: Any, url: str | None = None) -> ScalarDefinition:
    return strawberry.scalar(
        name=name,
        description=f"{zh}\n{en}",
        specified_by_url=url,
        serialize=_show,
        parse_value=parse,
        parse_literal=parse_literal,
    )


def _identifier_scalar(name: str, zh: str, en: str) -> ScalarDefinition:
    return _scalar(name, zh, en, partial(_identifier, name), partial(_identifier_literal, name))


SCALARS: Mapping[object, ScalarDefinition] = {
    USCC: _identifier_scalar(
        "USCC", "统一社会信用代码，18位（GB 32100-2015）", "Unified social credit code, 18 characters (GB 32100-2015)"
    ),
    Division: _identifier_scalar(
        "Division",
        "行政区划代码，2、4、6、9或12位（GB/T 2260、GB/T 10114）",
        "Division code, 2, 4, 6, 9 or 12 digits (GB/T 2260, GB/T 10114)",
    ),
    ItemCode: _identifier_scalar(
        "ItemCode",
        "政务服务事项编码，12、31或33位（GB/T 39554.1-2020）",
        "Code of a government service item, 12, 31 or 33 characters (GB/T 39554.1-2020)",
    ),
    LicenceID: _identifier_scalar("LicenceID", "电子证照标识（GB/T 36904-2018）", "Identifier of an electronic licence (GB/T 36904-2018)"),
    ResidentID: _identifier_scalar(
        "ResidentID", "公民身份号码，18位（GB 11643-1999）", "Citizen identity number, 18 characters (GB 11643-1999)"
    ),
    Date: _scalar(
        "Date",
        "日期，形如“2022-03-31”",
        "Calendar date, such as '2022-03-31'",
        parse_date,
        partial(_text_literal, parse_date),
        RFC_3339,
    ),
    DateTime: _scalar(
        "DateTime",
        "时间，带时区，形如“2022-03-31T09:30:00+08:00”",
        "Time with its offset, such as '2022-03-31T09:30:00+08:00'",
        parse_date_time,
        partial(_text_literal, parse_date_time),
        RFC_3339,
    ),
    Decimal: _scalar(
        "Decimal",
        "精确小数，以文本表示，形如“12.50”",
        "Exact decimal number as text, such as '12.50'",
        parse_decimal,
        _decimal_literal,
    ),
}
