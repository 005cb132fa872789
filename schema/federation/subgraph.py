"""One subgraph's SDL, of version 1 or 2, under the names that federation itself uses: its types with all their extensions, by name.

Must not know other subgraphs.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from graphql import GraphQLSyntaxError, Source, parse
from graphql.language import DirectiveDefinitionNode, DirectiveNode, DocumentNode, Node

from schema.faults import Fault, fault, suggest
from schema.federation import sdl

_ENTITIES = ("key", "requires", "provides", "external", "override", "shareable", "inaccessible", "interfaceObject", "extends")
WORDS = frozenset({*_ENTITIES, "tag", "authenticated", "requiresScopes", "policy", "composeDirective", "cost", "listSize"})
_NEVER = frozenset({"context", "fromContext"})  # known and not supported
_OWN = frozenset({"_Any", "_Entity", "_Service", "_FieldSet", "FieldSet"})
_FEATURE = re.compile(r"https?://.*/federation/v(\d+)\.(\d+)/?")
_ROOTS = {"query": "Query", "mutation": "Mutation", "subscription": "Subscription"}


@dataclass(frozen=True, slots=True)
class Subgraph:
    """``types`` are all definitions and extensions of each type, by the name that it has in the whole graph; ``called`` the word that each
    directive stands for. In the ``first`` version whatever is no entity is shared."""

    name: str
    url: str
    types: Mapping[str, tuple[Any, ...]]
    called: Mapping[str, str]
    directives: tuple[DirectiveDefinitionNode, ...] = ()
    first: bool = False

    def words(self, node: Node, word: str) -> Iterator[tuple[DirectiveNode, dict[str, Any]]]:
        """Each use of a word of federation on a node, with its arguments."""
        for each in getattr(node, "directives", None) or ():
            if self.called.get(each.name.value) == word:
                yield each, next(said for one, said in sdl.directives(node, each.name.value) if one is each)

    def has(self, node: Node, word: str) -> bool:
        return next(self.words(node, word), None) is not None


def read(name: str, url: str, text: str, file: str) -> tuple[Subgraph | None, list[Fault]]:
    """Read a subgraph's SDL. Never raises for what it says."""
    try:
        document = parse(Source(text, file))
    except GraphQLSyntaxError as error:
        line, column = next(((where.line, where.column) for where in error.locations or ()), (0, 0))
        return None, [Fault(file, line, column, "SYNTAX", error.message, "write it as GraphQL does")]
    reading = _Reading(document, file)
    reading.links()
    reading.unknown()
    types = reading.types()
    return Subgraph(name, url, types, reading.called, reading.executable(), reading.first), reading.faults


@dataclass(slots=True)
class _Reading:
    document: DocumentNode
    file: str
    called: dict[str, str] = field(default_factory=dict)
    first: bool = True
    faults: list[Fault] = field(default_factory=list)

    def report(self, code: str, node: Node, message: str, fix: str) -> None:
        self.faults.append(fault(code, self.file, node, message, fix))

    def heads(self) -> list[Any]:
        return [node for node in self.document.definitions if str(node.kind) in ("schema_definition", "schema_extension")]

    def links(self) -> None:
        """Which directive stands for which word: all by their own names in version 1, those that are imported in version 2."""
        for head in self.heads():
            for node, said in sdl.directives(head, "link"):
                found = _FEATURE.fullmatch(str(said.get("url", "")))
                if found is not None:
                    self.first = False
                    if found[1] != "2":
                        self.report("NOT_SUPPORTED", node, f"Federation {found[1]}.{found[2]} is not known; 2.0 and later are.", "link 2.x")
                    self._imported(node, said)
        if self.first:
            self.called = {word: word for word in WORDS}

    def _imported(self, node: DirectiveNode, said: Mapping[str, Any]) -> None:
        prefix = said.get("as") or "federation"
        self.called |= {f"{prefix}__{word}": word for word in WORDS}
        for one in said.get("import") or ():
            name, alias = (one, one) if isinstance(one, str) else (str(one.get("name", "")), str(one.get("as") or one.get("name", "")))
            word = name.removeprefix("@")
            if name.startswith("@") and word in WORDS:
                self.called[alias.removeprefix("@")] = word
            elif word in _NEVER:
                self.report("NOT_SUPPORTED", node, f"@{word} is not supported.", "leave it out")
            elif name.startswith("@"):
                self.report("UNKNOWN_WORD", node, f"Federation has no '@{word}'.{suggest(word, WORDS)}", "import what it has")

    def unknown(self) -> None:
        """A word of federation that is used and not imported would say nothing."""
        defined = {node.name.value for node in self.document.definitions if isinstance(node, DirectiveDefinitionNode)}
        for node in sdl.parts(self.document.definitions):
            for each in getattr(node, "directives", None) or ():
                name = each.name.value
                if name in (WORDS | _NEVER) - self.called.keys() - defined:
                    self.report("UNKNOWN_WORD", each, f"'@{name}' is not imported.", f'add "@{name}" to the import of the link')

    def types(self) -> dict[str, tuple[Any, ...]]:
        found: dict[str, list[Any]] = {}
        roots = {word: word for word in _ROOTS.values()}
        for head in self.heads():
            for each in head.operation_types or ():
                roots[each.type.name.value] = _ROOTS[each.operation.value]
        for node in self.document.definitions:
            kind = str(node.kind)
            if kind.endswith(("type_definition", "type_extension")):
                name = node.name.value  # type: ignore[attr-defined]
                if name not in _OWN and "__" not in name:
                    found.setdefault(roots.get(name, name), []).append(node)
        return {name: tuple(nodes) for name, nodes in found.items()}

    def executable(self) -> tuple[DirectiveDefinitionNode, ...]:
        return tuple(node for node in self.document.definitions if isinstance(node, DirectiveDefinitionNode) and sdl.executable(node))
