"""Other ways to write the same question."""

from __future__ import annotations

from typing import Any, cast

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    NameNode,
    OperationDefinitionNode,
    SelectionSetNode,
    Visitor,
    ast_from_value,
    print_ast,
    type_from_ast,
    value_from_ast_untyped,
)
from graphql.language import ValueNode, VariableDefinitionNode, VariableNode, visit

from tests.properties.generator import Case
from tests.properties.operations import Operation, parsed


def _with(case: Case, visitor: Visitor, **variables: Any) -> Operation:
    return Operation(print_ast(visit(parsed(case.operation.text), visitor)), case.operation.variables)


def renamed(case: Case) -> Operation:
    """Each response key with ``z_`` before it."""

    class Rename(Visitor):
        def leave_field(self, node: FieldNode, *_: Any) -> FieldNode:
            return _field(node, alias=NameNode(value="z_" + (node.alias or node.name).value))

    return _with(case, Rename())


def unrenamed(value: Any) -> Any:
    """An answer to ``renamed`` with the keys it would have had."""
    if isinstance(value, dict):
        return {key.removeprefix("z_"): unrenamed(item) for key, item in value.items()}
    return [unrenamed(item) for item in value] if isinstance(value, list) else value


def split(case: Case) -> Operation:
    """Each selection in a fragment of its own."""

    class Split(Visitor):
        def leave_selection_set(self, node: SelectionSetNode, *_: Any) -> SelectionSetNode:
            alone = (InlineFragmentNode(directives=(), selection_set=SelectionSetNode(selections=(one,))) for one in node.selections)
            return SelectionSetNode(selections=tuple(alone))

    return _with(case, Split())


def doubled(case: Case) -> Operation:
    """The whole question twice, merged by response key."""
    tree = parsed(case.operation.text)
    operation = next(node for node in tree.definitions if isinstance(node, OperationDefinitionNode))

    class Double(Visitor):
        def leave_operation_definition(self, node: OperationDefinitionNode, *_: Any) -> OperationDefinitionNode:
            twice = SelectionSetNode(selections=(*node.selection_set.selections, *operation.selection_set.selections))
            return _operation(node, selection_set=twice)

    return Operation(print_ast(visit(tree, Double())), case.operation.variables)


def backwards(case: Case) -> Operation:
    """Selections in the opposite order: the same answer but for the order of its keys."""

    class Reverse(Visitor):
        def leave_selection_set(self, node: SelectionSetNode, *_: Any) -> SelectionSetNode:
            return SelectionSetNode(selections=tuple(reversed(node.selections)))

    return _with(case, Reverse())


def inlined(case: Case) -> Operation:
    """Values in the place of variables."""
    tree = parsed(case.operation.text)
    operation = next(node for node in tree.definitions if isinstance(node, OperationDefinitionNode))
    values: dict[str, Any] = {}
    for declared in operation.variable_definitions or ():
        name = declared.variable.name.value
        if name in case.operation.variables:
            kind: Any = type_from_ast(case.schema, declared.type)
            values[name] = ast_from_value(case.operation.variables[name], kind)
        else:
            values[name] = declared.default_value

    class Inline(Visitor):
        def leave_variable_definition(self, *_: Any) -> Any:
            return Visitor.REMOVE

        def leave_variable(self, node: VariableNode, _key: Any, parent: Any, *_: Any) -> Any:
            return None if isinstance(parent, VariableDefinitionNode) else values[node.name.value]

    return Operation(print_ast(visit(tree, Inline())))


def decided(case: Case) -> Operation:
    """Without ``@skip`` and ``@include``, and without what they leave out. A selection that becomes empty asks for ``__typename``, which
    makes no call."""
    tree = parsed(case.operation.text)
    operation = next(node for node in tree.definitions if isinstance(node, OperationDefinitionNode))
    declared = [node for node in operation.variable_definitions or () if node.default_value]
    defaults = {node.variable.name.value: value_from_ast_untyped(cast(ValueNode, node.default_value)) for node in declared}
    variables = {**defaults, **case.operation.variables}

    def dropped(node: Any) -> bool:
        for directive in node.directives or ():
            value = value_from_ast_untyped(directive.arguments[0].value, dict(variables))
            if bool(value) is (directive.name.value == "skip"):
                return True
        return False

    typename = FieldNode(name=NameNode(value="__typename"), directives=(), arguments=())

    class Decide(Visitor):
        def leave_directive(self, *_: Any) -> Any:
            return Visitor.REMOVE

        def leave_selection_set(self, node: SelectionSetNode, *_: Any) -> Any:
            return None if node.selections else SelectionSetNode(selections=(typename,))

        def enter(self, node: Any, *_: Any) -> Any:
            return Visitor.REMOVE if hasattr(node, "directives") and dropped(node) else None

    return Operation(print_ast(tidied(visit(tree, Decide()))), case.operation.variables)


def tidied(tree: DocumentNode) -> DocumentNode:
    """Without selections that have become empty, and without fragments and variables that nothing uses any more."""
    while True:
        swept: DocumentNode = visit(tree, _Sweep(tree))
        if swept is tree:
            return swept
        tree = swept


class _Uses(Visitor):
    def __init__(self) -> None:
        super().__init__()
        self.spreads: set[str] = set()
        self.variables: set[str] = set()

    def enter_fragment_spread(self, node: FragmentSpreadNode, *_: Any) -> None:
        self.spreads.add(node.name.value)

    def enter_variable(self, node: VariableNode, _key: Any, parent: Any, *_: Any) -> None:
        if not isinstance(parent, VariableDefinitionNode):
            self.variables.add(node.name.value)


class _Sweep(Visitor):
    def __init__(self, tree: DocumentNode) -> None:
        super().__init__()
        self.uses = _Uses()
        visit(tree, self.uses)

    def enter_fragment_definition(self, node: FragmentDefinitionNode, *_: Any) -> Any:
        return None if node.name.value in self.uses.spreads else Visitor.REMOVE

    def leave_operation_definition(self, node: OperationDefinitionNode, *_: Any) -> Any:
        declared = node.variable_definitions or ()
        kept = tuple(one for one in declared if one.variable.name.value in self.uses.variables)
        return None if len(kept) == len(declared) else _operation(node, variable_definitions=kept)

    def leave_field(self, node: FieldNode, *_: Any) -> Any:
        return Visitor.REMOVE if node.selection_set is not None and not node.selection_set.selections else None


def _field(node: FieldNode, *, alias: NameNode) -> FieldNode:
    return FieldNode(alias=alias, name=node.name, arguments=node.arguments, directives=node.directives, selection_set=node.selection_set)


def _operation(node: OperationDefinitionNode, **changes: Any) -> OperationDefinitionNode:
    parts = {name: getattr(node, name) for name in ("operation", "name", "variable_definitions", "directives", "selection_set")}
    return OperationDefinitionNode(**{**parts, **changes})
