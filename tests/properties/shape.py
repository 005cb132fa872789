"""Whether an answer has the shape that the schema and the operation demand: its own walk, after the GraphQL specification.

Follows CollectFields (October 2021, §6.3.2) and the completion of values (§6.4.3), and shares no code with the engine.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, cast

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLEnumType,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    ValueNode,
    get_named_type,
    is_abstract_type,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
    value_from_ast_untyped,
)

from tests.properties.operations import parsed

Path = tuple[str | int, ...]
_LEAVES: dict[str, tuple[type | tuple[type, ...], str]] = {
    "Int": (int, ""),
    "Float": ((int, float), ""),
    "String": (str, ""),
    "ID": (str, ""),
    "Boolean": (bool, ""),
    "Decimal": (str, r"-?\d+(\.\d+)?"),
    "Date": (str, r"\d{4}-\d\d-\d\d"),
    "DateTime": (str, r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?([+-]\d\d:\d\d|Z)"),
}


def faults_of_shape(schema: GraphQLSchema, text: str, variables: Mapping[str, Any], data: Any) -> list[str]:
    """What is wrong with ``data`` as an answer to the one operation in ``text``; empty when nothing is."""
    root = schema.query_type
    assert root is not None
    if data is None:
        return []
    tree = parsed(text)
    operation = next(node for node in tree.definitions if isinstance(node, OperationDefinitionNode))
    declared = [node for node in operation.variable_definitions or () if node.default_value]
    defaults = {node.variable.name.value: value_from_ast_untyped(cast(ValueNode, node.default_value)) for node in declared}
    walk = _Walk(schema, tree, {**defaults, **variables})
    return list(walk.object(root, [operation.selection_set], data, ()))


class _Walk:
    def __init__(self, schema: GraphQLSchema, tree: DocumentNode, variables: Mapping[str, Any]) -> None:
        self.schema = schema
        self.fragments = {node.name.value: node for node in tree.definitions if isinstance(node, FragmentDefinitionNode)}
        self.variables = variables

    def object(self, kind: Any, sets: list[SelectionSetNode], value: Any, path: Path) -> Iterator[str]:
        if not isinstance(value, dict):
            yield f"{path}: {value!r} is no object"
            return
        grouped: dict[str, list[FieldNode]] = {}
        seen: set[str] = set()
        for selections in sets:
            self.collect(kind, selections, grouped, seen)
        if list(grouped) != list(value):
            yield f"{path}: keys {list(value)} instead of {list(grouped)}"
            return
        for key, nodes in grouped.items():
            name = nodes[0].name.value
            if name == "__typename":
                if value[key] != kind.name:
                    yield f"{path}: {value[key]!r} is not {kind.name}"
                continue
            below = [node.selection_set for node in nodes if node.selection_set]
            yield from self.value(kind.fields[name].type, below, value[key], (*path, key))

    def collect(self, kind: Any, selections: SelectionSetNode, grouped: dict[str, list[FieldNode]], seen: set[str]) -> None:
        for node in selections.selections:
            if not self.included(node.directives or ()):
                continue
            if isinstance(node, FieldNode):
                grouped.setdefault((node.alias or node.name).value, []).append(node)
            elif isinstance(node, InlineFragmentNode):
                if node.type_condition is None or self.applies(node.type_condition.name.value, kind):
                    self.collect(kind, node.selection_set, grouped, seen)
            elif isinstance(node, FragmentSpreadNode) and node.name.value not in seen:
                seen.add(node.name.value)
                fragment = self.fragments[node.name.value]
                if self.applies(fragment.type_condition.name.value, kind):
                    self.collect(kind, fragment.selection_set, grouped, seen)

    def included(self, directives: Iterable[Any]) -> bool:
        for directive in directives:
            value = value_from_ast_untyped(directive.arguments[0].value, dict(self.variables))
            if bool(value) is (directive.name.value == "skip"):
                return False
        return True

    def applies(self, condition: str, kind: Any) -> bool:
        named = self.schema.type_map[condition]
        return named is kind or (is_abstract_type(named) and self.schema.is_sub_type(named, kind))

    def value(self, kind: Any, sets: list[SelectionSetNode], value: Any, path: Path) -> Iterator[str]:
        if is_non_null_type(kind):
            if value is None:
                yield f"{path}: null where {kind} may not be"
                return
            kind = kind.of_type
        if value is None:
            return
        if is_list_type(kind):
            if not isinstance(value, list):
                yield f"{path}: {value!r} is no list"
                return
            for index, item in enumerate(value):
                yield from self.value(kind.of_type, sets, item, (*path, index))
        elif is_leaf_type(kind):
            if not _fits(kind, value):
                yield f"{path}: {value!r} is no {kind}"
        elif is_abstract_type(kind):
            # The concrete type is not in the answer unless it was asked for: one of them has to fit.
            tries = [list(self.object(concrete, sets, value, path)) for concrete in self.schema.get_possible_types(kind)]
            if all(tries):
                yield f"{path}: fits no type of {kind}: {tries}"
        else:
            yield from self.object(get_named_type(kind), sets, value, path)


def _fits(kind: Any, value: Any) -> bool:
    if isinstance(kind, GraphQLEnumType):
        return value in kind.values
    python, pattern = _LEAVES[kind.name]
    if not isinstance(value, python) or (kind.name in ("Int", "Float") and isinstance(value, bool)):
        return False
    if kind.name == "Int" and not -(2**31) <= int(str(value)) < 2**31:
        return False
    return not pattern or re.fullmatch(pattern, str(value)) is not None


def less(small: Any, large: Any, path: Path = ()) -> list[Path] | None:
    """Where ``small`` is null and ``large`` is not, if that is all they differ in (and the order of keys is the same); None otherwise."""
    if small is None and large is not None:
        return [path]
    if isinstance(small, dict) and isinstance(large, dict) and list(small) == list(large):
        parts = [less(small[key], large[key], (*path, key)) for key in small]
    elif isinstance(small, list) and isinstance(large, list) and len(small) == len(large):
        parts = [less(one, other, (*path, at)) for at, (one, other) in enumerate(zip(small, large, strict=True))]
    else:
        return [] if small == large and type(small) is type(large) else None
    found: list[Path] = []
    for part in parts:
        if part is None:
            return None
        found += part
    return found


def at(data: Any, path: Path) -> Any:
    """The value at ``path``, None where anything on the way is null."""
    for step in path:
        if data is None:
            return None
        data = data[step]
    return data
