"""Documents, parsed and validated against the public schema. Knows no callers and no plans."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import cast

from graphql import (
    REMOVE,
    DirectiveNode,
    DocumentNode,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLSchema,
    OperationDefinitionNode,
    Visitor,
    parse,
    validate,
    visit,
)

from hub.plan.operation import condition_variables

BYTES_PER_CHARACTER = 70  # what a syntax tree takes for each character of its text; measured on the demo's query


@dataclass(frozen=True, slots=True)
class Document:
    """``errors`` are those of parsing and validation. ``operations`` maps each operation's name (empty: unnamed) to its kind. ``size`` is
    about how many bytes it takes, ``conditions`` are the variables that ``@skip`` and ``@include`` read."""

    digest: str
    size: int
    errors: tuple[GraphQLError, ...] = ()
    tree: DocumentNode | None = None
    definitions: Mapping[str, OperationDefinitionNode] = field(default_factory=dict)
    fragments: Mapping[str, FragmentDefinitionNode] = field(default_factory=dict)
    conditions: tuple[str, ...] = ()
    later: DocumentNode | None = None  # ``tree`` with its ``@defer``, where it has any

    @property
    def fault(self) -> str:
        """The code of ``errors``: a document either does not parse or does not fit the schema."""
        return "GRAPHQL_VALIDATION_FAILED" if self.tree is not None else "GRAPHQL_PARSE_FAILED"

    @property
    def operations(self) -> Mapping[str, str]:
        return {name: node.operation.value for name, node in self.definitions.items()}


class _AtOnce(Visitor):
    def enter_directive(self, node: DirectiveNode, *_: object) -> object:
        return REMOVE if node.name.value in ("defer", "stream") else None


def at_once(tree: DocumentNode) -> DocumentNode:
    """The document without ``@defer`` and ``@stream``: what they mark may come later, and here it comes at once. graphql-core, which runs
    the fields that have resolvers, would answer in parts otherwise."""
    return cast(DocumentNode, visit(tree, _AtOnce()))


class _NotStreamed(Visitor):
    def enter_directive(self, node: DirectiveNode, *_: object) -> object:
        return REMOVE if node.name.value == "stream" else None


def document(schema: GraphQLSchema, text: str) -> Document:
    """Parse and validate ``text``. Raises nothing: what is wrong with it is in the document."""
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    size = BYTES_PER_CHARACTER * len(text) + 1_000
    try:
        tree = parse(text)
        errors = tuple(validate(schema, tree))
    except GraphQLError as error:
        return Document(digest, size, (error,))
    except RecursionError:
        return Document(digest, size, (GraphQLError("The document is nested too deeply."),))
    later = None
    if not errors and ("@defer" in text or "@stream" in text):
        later = cast(DocumentNode, visit(tree, _NotStreamed())) if "@defer" in text else None
        tree, size = at_once(tree), size * 2
    definitions = {node.name.value if node.name else "": node for node in tree.definitions if isinstance(node, OperationDefinitionNode)}
    fragments = {node.name.value: node for node in tree.definitions if isinstance(node, FragmentDefinitionNode)}
    return Document(digest, size, errors, tree, definitions, fragments, () if errors else condition_variables(tree), later)
