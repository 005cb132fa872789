"""Entities as rows: what another router says of entities, checked and in canonical form. Knows a plan's step; makes no calls."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from graphql import GraphQLEnumType, GraphQLError, GraphQLOutputType, GraphQLScalarType, get_named_type

from hub.plan.model import Entities, EntityKey
from hub.run.arguments import BadArgument
from hub.run.layers import Fault, Fetched, Layer
from schema.bad_identifier import BadIdentifier
from schema.identifiers import IDENTIFIERS


def entities(step: Entities, given: Sequence[Any], most: int) -> Layer:
    """A row for each representation; one that says nothing that can be looked up is a fault of its own. Raises BadArgument where there are
    more than ``most``."""
    size = len(given)
    if size > most:
        zh, en = f"实体表示不得超过 {most} 个，实际为 {size} 个。", f"There may be {most} representations, not {size}."
        raise BadArgument(Fault("TOO_LARGE", zh, en))
    columns: dict[str, list[Any]] = {step.typename: [None] * size}
    for kind in step.kinds:
        columns |= {name: [None] * size for name, _ in kind.key}
    faults: dict[int, Fault] = {}
    for row, one in enumerate(given):
        try:
            kind = _kind(step, one)
            found = {name: _canonical(one[name], type_) for name, type_ in kind.key}
        except _Bad as bad:
            faults[row] = bad.fault
            continue
        columns[step.typename][row] = kind.value
        for name, value in found.items():
            columns[name][row] = value
    rows = range(size)
    return Layer(size, [0] * size, rows, spans={0: rows}, fetched={step.id: Fetched(columns, [True] * size, faults)})


class _Bad(Exception):
    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.code)
        self.fault = fault


def _kind(step: Entities, one: Any) -> EntityKey:
    """The first key of its type that a representation brings whole."""
    name = one.get("__typename") if isinstance(one, Mapping) else None
    known = [kind for kind in step.kinds if kind.type == name]
    if not known:
        raise _Bad(
            Fault("BAD_VARIABLES", "实体表示须以 __typename 指明实体类型。", "A representation names a type of entities as __typename.")
        )
    for kind in known:
        if all(one.get(part) is not None for part, _ in kind.key):
            if kind.denied:  # an answer would tell which values there are
                raise _Bad(Fault("FORBIDDEN"))
            return kind
    wanted = ", ".join(" ".join(part for part, _ in kind.key) for kind in known)
    raise _Bad(Fault("BAD_VARIABLES", f"{name} 的表示缺少键（{wanted}）。", f"A representation of {name} needs a key ({wanted})."))


def _canonical(value: Any, kind: GraphQLOutputType) -> Any:
    """A part of a key as it would be as an argument."""
    named = get_named_type(kind)
    try:
        if named.name in IDENTIFIERS and isinstance(value, str):
            return IDENTIFIERS[named.name](value)
        assert isinstance(named, GraphQLScalarType | GraphQLEnumType), "keys are made of leaves"
        return named.serialize(named.parse_value(value))
    except BadIdentifier as bad:
        raise _Bad(Fault("BAD_IDENTIFIER", bad.zh, bad.en)) from None
    except GraphQLError as error:
        raise _Bad(Fault("BAD_VARIABLES", en=error.message)) from None
