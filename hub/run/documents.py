"""Documents, parsed and validated once: a bounded cache by the text's digest. Knows the public schema, not callers."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from cachetools import LRUCache
from graphql import (
    DocumentNode,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLSchema,
    OperationDefinitionNode,
    parse,
    validate,
)

from hub.plan.operation import condition_variables

CACHE_BYTES = 64 * 1024 * 1024
BYTES_PER_CHARACTER = 70  # what a syntax tree takes for each character of its text; measured on the demo's query


@dataclass(frozen=True, slots=True)
class Document:
    """``errors`` are those of parsing and validation. ``operations`` maps each operation's name (empty: unnamed) to its kind."""

    digest: str
    size: int
    errors: tuple[GraphQLError, ...] = ()
    tree: DocumentNode | None = None
    definitions: Mapping[str, OperationDefinitionNode] = field(default_factory=dict)
    fragments: Mapping[str, FragmentDefinitionNode] = field(default_factory=dict)
    conditions: tuple[str, ...] = ()

    @property
    def fault(self) -> str:
        """The code of ``errors``: a document either does not parse or does not fit the schema."""
        return "GRAPHQL_VALIDATION_FAILED" if self.tree is not None else "GRAPHQL_PARSE_FAILED"

    @property
    def operations(self) -> Mapping[str, str]:
        return {name: node.operation.value for name, node in self.definitions.items()}


class Documents:
    """``document`` of a text, from the cache or made. One instance per schema."""

    def __init__(self, schema: GraphQLSchema, size: int = CACHE_BYTES) -> None:
        self._schema = schema
        self._cache: LRUCache[str, Document] = LRUCache(size, getsizeof=lambda document: document.size)

    def document(self, text: str) -> Document:
        found = self._cache.get(text)
        if found is None:
            found = self._made(text)
            if found.size <= self._cache.maxsize:
                self._cache[text] = found
        return found

    def _made(self, text: str) -> Document:
        digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
        size = BYTES_PER_CHARACTER * len(text) + 1_000
        try:
            tree = parse(text)
            errors = tuple(validate(self._schema, tree))
        except GraphQLError as error:
            return Document(digest, size, (error,))
        except RecursionError:
            return Document(digest, size, (GraphQLError("The document is nested too deeply."),))
        definitions = {node.name.value if node.name else "": node for node in tree.definitions if isinstance(node, OperationDefinitionNode)}
        fragments = {node.name.value: node for node in tree.definitions if isinstance(node, FragmentDefinitionNode)}
        return Document(digest, size, errors, tree, definitions, fragments, () if errors else condition_variables(tree))
