"""Normalise an operation: fragments inlined per concrete type, merged by response key, conditions decided.

What comes out is a tree of ``Selected`` values that the planner walks. Follows CollectFields of the GraphQL specification
(October 2021, §6.3.2). Knows the schema's types and the document, nothing of systems, callers or values.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from graphql import (
    DirectiveNode,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLField,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    TypeNameMetaFieldDef,
    get_named_type,
    is_abstract_type,
    is_object_type,
)
from graphql.language import BooleanValueNode, VariableNode


@dataclass(frozen=True, slots=True)
class Selected:
    """One response key of one object position: ``nodes`` are all field nodes merged into it, ``definition`` the field's.

    ``children`` maps each possible concrete type below to its selections; it is empty for a leaf.
    """

    key: str
    name: str
    parent: str
    definition: GraphQLField
    nodes: tuple[FieldNode, ...]
    children: Mapping[str, tuple[Selected, ...]] = field(default_factory=dict)

    @property
    def coordinate(self) -> str:
        return f"{self.parent}.{self.name}"

    @property
    def type(self) -> GraphQLOutputType:
        return self.definition.type


@dataclass(frozen=True, slots=True)
class Operation:
    """A normalised operation. ``coordinates`` are all ``Type.field`` it touches, in the order of first sight."""

    kind: str
    name: str
    root: str
    selections: tuple[Selected, ...]
    coordinates: tuple[str, ...]


class Unplannable(Exception):
    """The operation exceeds a bound. ``what`` names it, ``limit`` is the bound."""

    def __init__(self, what: str, limit: int) -> None:
        super().__init__(f"more than {limit} {what}")
        self.what = what
        self.limit = limit


MAX_SELECTIONS = 20_000


def condition_variables(document: DocumentNode) -> tuple[str, ...]:
    """Names of the variables that ``@skip`` and ``@include`` read anywhere in the document, sorted."""
    found: set[str] = set()
    pending: list[SelectionSetNode | None] = [getattr(d, "selection_set", None) for d in document.definitions]
    while pending:
        selections = pending.pop()
        for selection in selections.selections if selections else ():
            found.update(_condition_names(selection.directives))
            pending.append(getattr(selection, "selection_set", None))
    return tuple(sorted(found))


def _condition_names(directives: tuple[DirectiveNode, ...] | None) -> Iterator[str]:
    for directive in directives or ():
        if directive.name.value in ("skip", "include"):
            for argument in directive.arguments or ():
                if isinstance(argument.value, VariableNode):
                    yield argument.value.name.value


def normalise(
    schema: GraphQLSchema,
    operation: OperationDefinitionNode,
    fragments: Mapping[str, FragmentDefinitionNode],
    conditions: Mapping[str, bool],
) -> Operation:
    """Inline and merge ``operation`` under the decided ``conditions``. Raises Unplannable past ``MAX_SELECTIONS`` selections."""
    root = schema.get_root_type(operation.operation)
    if root is None:
        raise LookupError(operation.operation.value)
    collector = _Collector(schema, fragments, conditions)
    selections = collector.selections(root, (operation.selection_set,))
    name = operation.name.value if operation.name else ""
    return Operation(operation.operation.value, name, root.name, selections, tuple(collector.coordinates))


class _Collector:
    def __init__(self, schema: GraphQLSchema, fragments: Mapping[str, FragmentDefinitionNode], conditions: Mapping[str, bool]) -> None:
        self.schema = schema
        self.fragments = fragments
        self.conditions = conditions
        self.coordinates: dict[str, None] = {}
        self.count = 0

    def selections(self, parent: GraphQLObjectType, sets: tuple[SelectionSetNode, ...]) -> tuple[Selected, ...]:
        grouped: dict[str, list[FieldNode]] = {}
        seen: set[str] = set()
        for selection_set in sets:
            self._collect(parent, selection_set, grouped, seen)
        found = []
        for key, nodes in grouped.items():
            name = nodes[0].name.value
            definition = TypeNameMetaFieldDef if name == "__typename" else self.schema.get_field(parent, name)
            if definition is None:  # only reachable for documents that were not validated
                continue
            self.count += 1
            if self.count > MAX_SELECTIONS:
                raise Unplannable("selected fields", MAX_SELECTIONS)
            if not name.startswith("__"):
                self.coordinates.setdefault(f"{parent.name}.{name}")
            children = {} if name.startswith("__") else self._children(definition, nodes)
            found.append(Selected(key, name, parent.name, definition, tuple(nodes), children))
        return tuple(found)

    def _children(self, definition: GraphQLField, nodes: list[FieldNode]) -> dict[str, tuple[Selected, ...]]:
        named = get_named_type(definition.type)
        sets = tuple(node.selection_set for node in nodes if node.selection_set)
        if is_object_type(named):
            return {named.name: self.selections(named, sets)}
        if is_abstract_type(named):
            return {concrete.name: self.selections(concrete, sets) for concrete in self.schema.get_possible_types(named)}
        return {}

    def _collect(
        self, parent: GraphQLObjectType, selection_set: SelectionSetNode, grouped: dict[str, list[FieldNode]], seen: set[str]
    ) -> None:
        for selection in selection_set.selections:
            if not self._included(selection.directives):
                continue
            if isinstance(selection, FieldNode):
                key = selection.alias.value if selection.alias else selection.name.value
                grouped.setdefault(key, []).append(selection)
            elif isinstance(selection, InlineFragmentNode):
                condition = selection.type_condition
                if condition is None or self._applies(condition.name.value, parent):
                    self._collect(parent, selection.selection_set, grouped, seen)
            elif isinstance(selection, FragmentSpreadNode):
                name = selection.name.value
                fragment = self.fragments.get(name)
                if name in seen or fragment is None:
                    continue
                seen.add(name)
                if self._applies(fragment.type_condition.name.value, parent):
                    self._collect(parent, fragment.selection_set, grouped, seen)

    def _applies(self, condition: str, parent: GraphQLObjectType) -> bool:
        if condition == parent.name:
            return True
        named = self.schema.get_type(condition)
        return named is not None and is_abstract_type(named) and self.schema.is_sub_type(named, parent)

    def _included(self, directives: tuple[DirectiveNode, ...] | None) -> bool:
        for directive in directives or ():
            name = directive.name.value
            if name in ("skip", "include") and self._truth(directive) is (name == "skip"):
                return False
        return True

    def _truth(self, directive: DirectiveNode) -> bool:
        value = next(argument.value for argument in directive.arguments or () if argument.name.value == "if")
        if isinstance(value, VariableNode):
            return self.conditions.get(value.name.value, False)
        return isinstance(value, BooleanValueNode) and value.value
