"""One truth, wherever it is read: P14 (who ranks lower is not heard without need) and P23 (one value for one field of one entity)."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from graphql import (
    FieldNode,
    GraphQLObjectType,
    InlineFragmentNode,
    NamedTypeNode,
    NameNode,
    SelectionSetNode,
    TypeInfo,
    TypeInfoVisitor,
    Visitor,
    get_named_type,
    is_abstract_type,
    is_leaf_type,
    print_ast,
)
from graphql.language import visit

from schema.registry import Authority, Binding, Existence
from tests.properties.engine import ran, told
from tests.properties.generator import Case
from tests.properties.operations import Operation, parsed

LOW = "zz"  # a system that ranks behind all others


async def lower_ranks_are_not_heard(case: Case) -> None:
    """P14: who serves the same fields by the same key, but ranks lower, changes neither answer nor calls while nothing fails. What falls
    back is meant to hear others (P22)."""
    calm = replace(case.calm(), policies={})
    more = with_lower_ranks(random.Random(f"lower/{case.seed}"), calm)
    before, after = await ran(calm), await ran(more)
    assert (after.answer, after.received) == (before.answer, before.received), await told(calm, before.answer, after.answer)


def with_lower_ranks(rng: random.Random, case: Case) -> Case:
    """With copies of some bindings in a system of lower rank, whose rows are those of others."""
    copies: list[Binding] = []
    rows: dict[str, list[dict[str, Any]]] = {}
    for binding in case.bindings:
        if rng.random() < 0.6:
            table = f"{LOW}.{binding.id}"
            native = {**binding.relation.native, "rows": table}
            copies.append(
                replace(
                    binding,
                    id=f"{LOW}.{binding.id}",
                    system=LOW,
                    authority=list(Authority)[-1],
                    priority=-100,
                    existence=Existence.CONTRIBUTES,
                    relation=replace(binding.relation, native=type(binding.relation.native)(native)),
                )
            )
            own = list(case.rows[binding.system][str(binding.relation.native["rows"])])
            rows[table] = rng.choices(own, k=rng.randint(0, len(own))) if own else own
    return replace(case, bindings=(*copies, *case.bindings), rows={**case.rows, LOW: rows})


async def one_value_everywhere(case: Case) -> None:
    """P23: a leaf of an entity has one value in all of an answer, where it has one at all, whoever of several gives it.

    The systems of a case write one truth; cases in which one writes what cannot be read are left out, since each has flaws of its own.
    """
    calm = replace(case.calm(), denied=frozenset())
    asked = replace(calm, operation=with_names(calm))
    answer = (await ran(asked)).answer
    if "BAD_VALUE" in answer.codes():
        return
    known: dict[tuple[str, tuple[Any, ...], str], Any] = {}
    for kind, key, name, value in _leaves(answer.data, case):
        first = known.setdefault((kind, key, name), value)
        assert first == value, f"{kind} {key} {name}: {first!r} and {value!r}\n{await told(asked, answer)}"


def with_names(case: Case) -> Operation:
    """The question, asking of each object what it is, of each entity its key, and for leaves by names that tell their field."""
    info = TypeInfo(case.schema)

    class Naming(Visitor):
        def leave_field(self, node: FieldNode, *_: Any) -> Any:
            kind = info.get_type()
            if kind is None or not is_leaf_type(get_named_type(kind)) or node.name.value == "__typename":
                return None
            key = (node.alias or node.name).value
            alias = NameNode(value=f"{key}__of__{node.name.value}")
            return FieldNode(alias=alias, name=node.name, arguments=node.arguments, directives=node.directives)

        def leave_selection_set(self, node: SelectionSetNode, *_: Any) -> Any:
            kind = info.get_parent_type()
            if kind is None or kind is case.schema.query_type:
                return None
            kinds = case.schema.get_possible_types(kind) if is_abstract_type(kind) else [kind]
            keyed = [_keyed(one, case) for one in kinds if one.name in case.keys and isinstance(one, GraphQLObjectType)]
            typename = FieldNode(alias=NameNode(value="is__of"), name=NameNode(value="__typename"), directives=(), arguments=())
            return SelectionSetNode(selections=(*node.selections, typename, *keyed))

    text = print_ast(visit(parsed(case.operation.text), TypeInfoVisitor(info, Naming())))
    return Operation(text, case.operation.variables)


def _keyed(kind: GraphQLObjectType, case: Case) -> InlineFragmentNode:
    fields = (
        FieldNode(alias=NameNode(value=f"key__of__{name}"), name=NameNode(value=name), directives=(), arguments=())
        for name in case.keys[kind.name][0]
    )
    condition = NamedTypeNode(name=NameNode(value=kind.name))
    return InlineFragmentNode(type_condition=condition, directives=(), selection_set=SelectionSetNode(selections=tuple(fields)))


def _leaves(value: Any, case: Case) -> Iterator[tuple[str, tuple[Any, ...], str, Any]]:
    """Type, key, field and value of every leaf that is not null of every entity whose key is known."""
    if isinstance(value, list):
        for item in value:
            yield from _leaves(item, case)
    if not isinstance(value, dict):
        return
    kind = value.get("is__of")
    key = tuple(value.get(f"key__of__{name}") for name in case.keys.get(str(kind), ((),))[0])
    for name, inner in value.items():
        _, _, leaf = name.partition("__of__")
        if leaf and key and None not in key and inner is not None:
            yield str(kind), key, leaf, inner
        elif not leaf:
            yield from _leaves(inner, case)
