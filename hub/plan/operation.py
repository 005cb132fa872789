"""Normalise an operation: fragments inlined per concrete type, merged by response key, conditions decided.

What comes out is a tree of ``Selected`` values that the planner walks. Follows CollectFields of the GraphQL specification
(October 2021, §6.3.2). Knows the schema's types and the document, nothing of systems, callers or values.

The tree holds no text of the document and no value: fields are numbered, and the nodes behind each number are handed out beside it. Two
documents that differ in literals, in the names of variables, in how they are written or split into fragments give equal trees with
equal digests, and so share a plan; what each of them says stays with its own nodes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from graphql import (
    ArgumentNode,
    DirectiveNode,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
    TypeNameMetaFieldDef,
    get_named_type,
    is_abstract_type,
    is_input_object_type,
    is_object_type,
)
from graphql.language import BooleanValueNode, EnumValueNode, ListValueNode, NullValueNode, ObjectValueNode, ValueNode, VariableNode

Nodes = tuple[tuple[FieldNode, ...], ...]  # by the number of a selection, all field nodes of one document that are merged into it


@dataclass(frozen=True, slots=True)
class Selected:
    """One response key of one object position: ``number`` finds the field nodes merged into it, ``definition`` is the field's.

    ``shape`` says which arguments are given, without their values. ``children`` maps each possible concrete type below to its
    selections; it is empty for a leaf. ``given`` is the node of a field that a manifest asks for, and no document. ``named`` are the names
    that stand in each argument (fields of a filter, values of an enum), None where a variable stands for them.
    """

    key: str
    name: str
    parent: str
    definition: GraphQLField
    number: int
    shape: str = ""
    children: Mapping[str, tuple[Selected, ...]] = field(default_factory=dict)
    given: FieldNode | None = None
    named: Mapping[str, frozenset[str] | None] = field(default_factory=dict)

    @property
    def coordinate(self) -> str:
        return f"{self.parent}.{self.name}"

    @property
    def type(self) -> GraphQLOutputType:
        return self.definition.type


@dataclass(frozen=True, slots=True)
class Operation:
    """A normalised operation. ``coordinates`` are all ``Type.field`` it touches, in alphabetical order.

    ``size`` is how many fields are selected, ``types`` the names of all types that it depends on, of the root type its coordinates.
    ``digest`` is equal for operations that are equal but for values.
    """

    kind: str
    name: str
    root: str
    selections: tuple[Selected, ...]
    coordinates: tuple[str, ...]
    size: int = 0
    types: frozenset[str] = frozenset()
    digest: str = ""


class Unplannable(Exception):
    """The operation exceeds a bound. ``what`` names it, ``limit`` is the bound."""

    def __init__(self, what: str, limit: int) -> None:
        super().__init__(f"more than {limit} {what}")
        self.what = what
        self.limit = limit


MAX_SELECTIONS = 20_000
MAX_LEVELS = 100


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
) -> tuple[Operation, Nodes]:
    """Inline and merge ``operation`` under the decided ``conditions``; the operation, and the document's nodes by number.

    Raises Unplannable past ``MAX_SELECTIONS`` selections or ``MAX_LEVELS`` levels.
    """
    root = schema.get_root_type(operation.operation)
    if root is None:
        raise LookupError(operation.operation.value)
    collector = _Collector(schema, fragments, conditions)
    selections = collector.selections(root, (operation.selection_set,))
    name = operation.name.value if operation.name else ""
    kind = operation.operation.value
    digest = hashlib.sha256(f"{kind} {name} {_written(selections, {})}".encode()).hexdigest()
    types = frozenset(collector.types - {root.name}) | {place for place in collector.coordinates if place.startswith(f"{root.name}.")}
    made = Operation(kind, name, root.name, selections, tuple(sorted(collector.coordinates)), len(collector.nodes), types, digest)
    return made, tuple(collector.nodes)


def collected(
    schema: GraphQLSchema, parent: GraphQLObjectType | GraphQLInterfaceType, selection: SelectionSetNode
) -> tuple[tuple[Selected, ...], Nodes]:
    """A selection that no document holds, normalised as those of a document are."""
    collector = _Collector(schema, {}, {})
    return collector.selections(parent, (selection,)), tuple(collector.nodes)


def _written(selections: Sequence[Selected], known: dict[int, str]) -> str:
    """Selections as text, each in one way only: names hold none of the signs between them. What lies below several fields is ``known`` by
    its hash from the first of them on."""
    parts = []
    for one in selections:
        below = known.get(id(one.children), "") if one.children else ""
        if one.children and not below:
            text = "".join(f"{name}{_written(inner, known)}" for name, inner in one.children.items())
            below = known[id(one.children)] = hashlib.sha256(text.encode()).hexdigest()
        parts.append(f"{one.key}:{one.parent}.{one.name}{one.shape}{below}")
    return "{" + " ".join(parts) + "}"


def _shape(arguments: Sequence[ArgumentNode] | None) -> str:
    """Arguments without their values, in one order. Names stay (of enum values too), and whether something is null: a plan may depend on
    which fields a filter speaks of, never on what it says. A variable looks like any value."""
    if not arguments:
        return ""
    return "(" + ",".join(sorted(f"{argument.name.value}={_value_shape(argument.value)}" for argument in arguments)) + ")"


def _value_shape(value: ValueNode) -> str:
    match value:
        case ObjectValueNode():
            return "[" + ",".join(sorted(f"{field.name.value}={_value_shape(field.value)}" for field in value.fields)) + "]"
        case ListValueNode():
            return "*" + "|".join(sorted({_value_shape(item) for item in value.values}))
        case EnumValueNode():
            return value.value
        case NullValueNode():
            return "null"
        case _:
            return "_"


def _named(arguments: Sequence[ArgumentNode] | None) -> Mapping[str, frozenset[str] | None]:
    """The names that stand in each argument that is given; None where a variable stands for some. Their shape tells them apart too."""
    return {argument.name.value: _names(argument.value) for argument in arguments or ()}


def _names(value: ValueNode) -> frozenset[str] | None:
    """The fields of a filter, the values of an enum, or the fields that an order speaks of; None where a variable stands for some."""
    match value:
        case VariableNode():
            return None
        case EnumValueNode():
            return frozenset((value.value,))
        case ListValueNode():
            parts = [_names(item) for item in value.values]
            return None if None in parts else frozenset(name for part in parts if part for name in part)
        case ObjectValueNode():
            field = next((each.value for each in value.fields if each.name.value == "field"), None)
            if field is not None and not isinstance(field, ObjectValueNode):
                return _names(field)
            return frozenset(each.name.value for each in value.fields)
    return frozenset()


class _Collector:
    def __init__(self, schema: GraphQLSchema, fragments: Mapping[str, FragmentDefinitionNode], conditions: Mapping[str, bool]) -> None:
        self.schema = schema
        self.fragments = fragments
        self.conditions = conditions
        self.coordinates: dict[str, None] = {}
        self.types: set[str] = set()
        self.nodes: list[tuple[FieldNode, ...]] = []
        self.level = 0
        self._below: dict[tuple[str, tuple[int, ...]], dict[str, tuple[Selected, ...]]] = {}

    def selections(self, parent: GraphQLObjectType | GraphQLInterfaceType, sets: tuple[SelectionSetNode, ...]) -> tuple[Selected, ...]:
        if self.level >= MAX_LEVELS:
            raise Unplannable("levels", MAX_LEVELS)
        self.level += 1
        self.types.add(parent.name)
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
            number = len(self.nodes)
            if number >= MAX_SELECTIONS:
                raise Unplannable("selected fields", MAX_SELECTIONS)
            self.nodes.append(tuple(nodes))
            children: Mapping[str, tuple[Selected, ...]] = {}
            if not name.startswith("__"):
                self.coordinates.setdefault(f"{parent.name}.{name}")
                self._depend(definition)
                children = self._children(definition, nodes)
            given = nodes[0].arguments
            found.append(Selected(key, name, parent.name, definition, number, _shape(given), children, named=_named(given)))
        self.level -= 1
        return tuple(found)

    def _depend(self, definition: GraphQLField) -> None:
        """Note the types of a field and of its arguments, with those of their fields."""
        self.types.add(get_named_type(definition.type).name)
        pending = [get_named_type(argument.type) for argument in definition.args.values()]
        while pending:
            named = pending.pop()
            if named.name not in self.types:
                self.types.add(named.name)
                if is_input_object_type(named):
                    pending.extend(get_named_type(field.type) for field in named.fields.values())

    def _children(self, definition: GraphQLField, nodes: list[FieldNode]) -> dict[str, tuple[Selected, ...]]:
        """What is selected below a field. Many types of an interface may have it: the same nodes below the same type are looked at once."""
        named = get_named_type(definition.type)
        name = (named.name, tuple(map(id, nodes)))
        if name not in self._below:
            self._below[name] = self._expanded(named, nodes)
        return self._below[name]

    def _expanded(self, named: GraphQLNamedType, nodes: list[FieldNode]) -> dict[str, tuple[Selected, ...]]:
        sets = tuple(node.selection_set for node in nodes if node.selection_set)
        if is_object_type(named):
            return {named.name: self.selections(named, sets)}
        if is_abstract_type(named):
            return {concrete.name: self.selections(concrete, sets) for concrete in self.schema.get_possible_types(named)}
        return {}

    def _collect(
        self,
        parent: GraphQLObjectType | GraphQLInterfaceType,
        selection_set: SelectionSetNode,
        grouped: dict[str, list[FieldNode]],
        seen: set[str],
    ) -> None:
        """CollectFields. Fragments within fragments wait on a list, since a chain of them may be longer than Python recurses."""
        pending: list[Iterator[SelectionNode]] = [iter(selection_set.selections)]
        while pending:
            selection = next(pending[-1], None)
            if selection is None:
                pending.pop()
            elif not self._included(selection.directives):
                continue
            elif isinstance(selection, FieldNode):
                key = selection.alias.value if selection.alias else selection.name.value
                grouped.setdefault(key, []).append(selection)
            elif isinstance(selection, InlineFragmentNode):
                condition = selection.type_condition
                if condition is None or self._applies(condition.name.value, parent):
                    pending.append(iter(selection.selection_set.selections))
            elif isinstance(selection, FragmentSpreadNode):
                name = selection.name.value
                fragment = self.fragments.get(name)
                if name in seen or fragment is None:
                    continue
                seen.add(name)
                if self._applies(fragment.type_condition.name.value, parent):
                    pending.append(iter(fragment.selection_set.selections))

    def _applies(self, condition: str, parent: GraphQLObjectType | GraphQLInterfaceType) -> bool:
        if condition == parent.name:
            return True
        self.types.add(condition)
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
