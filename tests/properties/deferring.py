"""P32: @defer and @stream wherever they may stand, at random."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

from graphql import (
    ArgumentNode,
    BooleanValueNode,
    DirectiveNode,
    DocumentNode,
    FieldNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    NameNode,
    StringValueNode,
    TypeInfo,
    TypeInfoVisitor,
    Visitor,
    get_nullable_type,
    is_list_type,
    parse,
    print_ast,
    validate,
    visit,
)

from schema.contribute import with_incremental
from tests.properties.generator import Case


class _Marker(Visitor):
    """Marks fragments with @defer and lists with @stream, some of them."""

    def __init__(self, rng: random.Random, kinds: TypeInfo) -> None:
        super().__init__()
        self.rng = rng
        self.kinds = kinds
        self.count = 0

    def _named(self, name: str) -> DirectiveNode:
        self.count += 1
        arguments = []
        if self.rng.random() < 0.5:
            arguments.append(ArgumentNode(name=NameNode(value="label"), value=StringValueNode(value=f"l{self.count}")))
        if self.rng.random() < 0.3:
            arguments.append(ArgumentNode(name=NameNode(value="if"), value=BooleanValueNode(value=self.rng.random() < 0.7)))
        return DirectiveNode(name=NameNode(value=name), arguments=tuple(arguments))

    def leave_inline_fragment(self, node: InlineFragmentNode, *_: Any) -> Any:
        return self._deferred(node)

    def leave_fragment_spread(self, node: FragmentSpreadNode, *_: Any) -> Any:
        return self._deferred(node)

    def _deferred(self, node: Any) -> Any:
        if self.rng.random() < 0.5:
            return None
        return replace(node, directives=(*(node.directives or ()), self._named("defer")))

    def leave_field(self, node: FieldNode, *_: Any) -> Any:
        kind = self.kinds.get_type()
        if kind is None or not is_list_type(get_nullable_type(kind)) or self.rng.random() < 0.7:
            return None
        return replace(node, directives=(*(node.directives or ()), self._named("stream")))


def deferred(case: Case) -> Case | None:
    """The case with a schema that has the directives and an operation that uses them; None where none can stand."""
    rng = random.Random(f"defer {case.seed}/{case.size}")
    schema = with_incremental(case.schema)
    for _ in range(5):
        kinds = TypeInfo(schema)
        marker = _Marker(rng, kinds)
        tree: DocumentNode = visit(parse(case.operation.text), TypeInfoVisitor(kinds, marker))
        text = print_ast(tree)
        if marker.count and not validate(schema, parse(text)):
            return replace(case, schema=schema, operation=replace(case.operation, text=text))
    return None
