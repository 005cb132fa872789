"""Random canonical leaf values, and the native ways in which systems write them."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

Truth = dict[str, Any]
LEAVES = ("Int", "Float", "String", "Boolean", "ID", "Decimal", "Date", "DateTime", "Colour")
VALUES: dict[str, tuple[Any, ...]] = {
    "Int": (0, 7, -3, 2_147_483_647),
    "Float": (0.5, 2.0, -1.25),
    "String": ("甲", "a b", "", "x"),
    "Boolean": (True, False),
    "ID": ("1", "k9"),
    "Decimal": ("12.50", "0", "-3"),
    "Date": ("2020-01-31", "1999-12-01"),
    "DateTime": ("2020-01-31T08:00:00+08:00", "2021-06-30T23:59:59+08:00"),
    "Colour": ("RED", "GREEN", "BLUE"),
}


def truth(rng: random.Random, leaf: str, written: str) -> Any:
    """A canonical value of the type ``written`` (``[Int!]``); null now and then, whatever the type says of it."""
    if rng.random() < 0.12:
        return None
    if written.startswith("["):
        inner = written.rstrip("!")[1:-1]
        return [None if rng.random() < 0.08 else truth(rng, leaf, inner) for _ in range(rng.randint(0, 3))]
    return rng.choice(VALUES[leaf])


@dataclass(frozen=True, slots=True)
class Form:
    """One native way to write a type: what the relation's field says of it, and the writing."""

    write: Callable[[Any], Any]
    kind: str = "text"
    format: str | None = None
    values: Mapping[str, str] = field(default_factory=dict)
    wrong: tuple[Any, ...] = ({"?": 1},)

    def bad(self, rng: random.Random) -> Any:
        """A value that cannot be read as the type."""
        return rng.choice(self.wrong)


def native(rng: random.Random, leaf: str, written: str, *, exact: bool = False) -> Form:
    """A way to write values of the type ``written``. ``exact``: one that reads back as what it was, for keys."""
    if exact:
        return Form(_unless_null(int), "int") if leaf == "ID" and rng.random() < 0.3 else Form(_same)
    form = rng.choice(_FORMS[leaf])
    if not written.startswith("["):
        return Form(_unless_null(form.write), form.kind, form.format, form.values, (*form.wrong, {"?": 1}, ["?"]))
    flat = written.count("[") == 1
    if form.format:  # a list's column has one format, its own
        form = _FORMS[leaf][0]
    each = _unless_null(form.write)

    def listed(value: Any) -> Any:
        return [listed(item) for item in value] if isinstance(value, list) else each(value)

    if flat and leaf in ("Int", "Colour", "ID") and rng.random() < 0.3:
        return Form(
            _unless_null(lambda v: ", ".join(str(each(item)) for item in v if item is not None)), "text", "csv", form.values, (7, {"?": 1})
        )
    if rng.random() < 0.3 and leaf not in ("Float", "Decimal", "Date", "DateTime"):
        return Form(_unless_null(lambda v: json.dumps(listed(v), ensure_ascii=False)), "json", "json", form.values, (7, "[", '{"a": 1}'))
    return Form(_unless_null(listed), "json", None, form.values, (7, "text", [{"?": 1}], {"?": 1}))


def each_part(made: Sequence[tuple[str, Any, Callable[[Any, Truth], None]]]) -> Callable[[Any, Truth], None]:
    """Writes an object's parts into one row, each by its own writer; of a null object every part is null."""

    def write(value: Any, row: Truth) -> None:
        for name, _, writer in made:
            writer(None if value is None else value[name], row)

    return write


def _unless_null(write: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda value: None if value is None else write(value)


def _same(value: Any) -> Any:
    return value


_CODES = {"1": "RED", "2": "GREEN", "3": "BLUE"}
_BACK = {name: code for code, name in _CODES.items()}
_FORMS: dict[str, tuple[Form, ...]] = {
    "Int": (Form(_same, "int", wrong=(True, "x", 2**31, 1.5, "1.5", "")), Form(str, "text", wrong=("", "seven"))),
    "Float": (Form(_same, "float", wrong=(True, float("nan"), float("inf"), "x")), Form(Decimal, "decimal", wrong=(Decimal("NaN"),))),
    "String": (Form(_same),),
    "ID": (Form(_same, wrong=(1.5, True)), Form(lambda value: int(value) if value.isdigit() else value, "int")),
    "Boolean": (
        Form(_same, "bool", wrong=(2, "", "maybe", 1.5)),
        Form(int, "int"),
        Form(lambda value: "01"[value], wrong=("2",)),
        Form(lambda value: "NY"[value]),
        Form(lambda value: "否是"[value]),
        Form(lambda value: str(value).lower()),
    ),
    "Decimal": (
        Form(Decimal, "decimal", wrong=(Decimal("NaN"), True, "x")),
        Form(_same, "text", wrong=("", "1,5")),
    ),
    "Date": (
        Form(_same, wrong=("2020-02-30", "", 5)),
        Form(date.fromisoformat, "date"),
        Form(lambda value: value.replace("-", ""), format="yyyyMMdd", wrong=("2020-01-31", "20201301")),
        Form(lambda value: int(value.replace("-", "")), "int", format="yyyyMMdd"),
        Form(lambda value: value.replace("-", "/"), format="yyyy/MM/dd"),
        Form(lambda value: datetime.fromisoformat(value).replace(hour=9), "datetime"),
    ),
    "DateTime": (
        Form(_same, wrong=("yesterday", "", ["x"])),
        Form(lambda value: value[:19].replace("T", " ")),
        Form(lambda value: datetime.fromisoformat(value[:19]), "datetime"),
        Form(lambda value: datetime.fromisoformat(value), "datetime"),
        Form(lambda value: int(datetime.fromisoformat(value).timestamp()), "int", format="unix", wrong=("x", True)),
        Form(lambda value: int(datetime.fromisoformat(value).timestamp()) * 1000, "int", format="unix_ms"),
        Form(lambda value: datetime.fromisoformat(value).strftime("%Y%m%d%H%M%S"), format="yyyyMMddHHmmss", wrong=("2020",)),
    ),
    "Colour": (
        Form(_same, wrong=("PURPLE", 9, "red")),
        Form(_BACK.__getitem__, values=_CODES),
        Form(lambda value: int(_BACK[value]), "int", values=_CODES),
    ),
}
