"""One manifest read into typed entries: which system, which types, fields and words, each with its place in the file.

Only what a file can tell by itself: syntax, words and their values, doubled names. What a type is (canonical or contributed) and
whether things fit together is known in ``compose``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from importlib.resources.abc import Traversable
from operator import itemgetter
from pathlib import Path
from typing import Any

from graphql import GraphQLError, GraphQLSyntaxError
from graphql.language import (
    ArgumentNode,
    DefinitionNode,
    DirectiveNode,
    EnumTypeDefinitionNode,
    InterfaceTypeDefinitionNode,
    Node,
    ObjectTypeDefinitionNode,
    ObjectTypeExtensionNode,
    ParallelVisitor,
    SchemaExtensionNode,
    Source,
    UnionTypeDefinitionNode,
    visit,
)
from graphql.validation.rules.known_argument_names import KnownArgumentNamesOnDirectivesRule
from graphql.validation.rules.known_directives import KnownDirectivesRule
from graphql.validation.rules.provided_required_arguments import ProvidedRequiredArgumentsOnDirectivesRule
from graphql.validation.rules.unique_argument_definition_names import UniqueArgumentDefinitionNamesRule
from graphql.validation.rules.unique_argument_names import UniqueArgumentNamesRule
from graphql.validation.rules.unique_directives_per_location import UniqueDirectivesPerLocationRule
from graphql.validation.rules.unique_enum_value_names import UniqueEnumValueNamesRule
from graphql.validation.rules.unique_input_field_names import UniqueInputFieldNamesRule
from graphql.validation.validation_context import SDLValidationContext

from schema.entries import ArgumentEntry, FieldEntry, Manifest, TypeEntry, ValueEntry, Word
from schema.expressions import ExpressionError, read_path
from schema.faults import Fault, fault, nearest, suggest
from schema.garbage import collector_paused
from schema.lexing import parsed
from schema.sayings import slips
from schema.tidy import tidy
from schema.words import (
    ACTIONS,
    KEEPING,
    KEPT,
    KEPT_ALREADY,
    PLACES,
    SOURCES,
    TABLES,
    VOCABULARY,
    nodes_of,
    offset_in,
    own_words,
    read_arguments,
    vocabulary,
)

RULES = {
    KnownDirectivesRule: "UNKNOWN_WORD",
    KnownArgumentNamesOnDirectivesRule: "UNKNOWN_ARGUMENT",
    ProvidedRequiredArgumentsOnDirectivesRule: "MISSING_ARGUMENT",
    UniqueDirectivesPerLocationRule: "DEFINED_TWICE",
    UniqueArgumentNamesRule: "DEFINED_TWICE",
    UniqueArgumentDefinitionNamesRule: "DEFINED_TWICE",
    UniqueEnumValueNamesRule: "DEFINED_TWICE",
    UniqueInputFieldNamesRule: "DEFINED_TWICE",
}
RESERVED = frozenset({"hub", "_service", "_entities"})
_DIRECTIVE = re.compile(r"@(\w+)(?:\((\w+):\))?")
SUBGRAPH = ".graphqls"  # how the SDL of a subgraph is called, beside its manifest
SYSTEM_NAME = re.compile(r"[A-Za-z][A-Za-z0-9]*")


_REMEMBERED = 50_000  # files
_read: dict[str, tuple[str, Manifest]] = {}  # file -> its last text, and what that says


def parse_manifest(text: str, file: str) -> Manifest:
    """Read one manifest. Never raises for what the text says: all that is wrong is in ``Manifest.faults``.

    The last text of each file is remembered, since a folder is read again whenever one of its files changes: the same text is the same
    manifest. What a file said before that is let go.
    """
    known = _read.get(file)
    if known is not None and known[0] == text:
        return known[1]
    if len(_read) >= _REMEMBERED:
        _read.clear()
    made = _parsed(text, file)
    _read[file] = text, made
    return made


def _parsed(text: str, file: str) -> Manifest:
    try:
        document = parsed(Source(text, file))
    except GraphQLSyntaxError as error:
        place = error.locations[0] if error.locations else None
        message = error.message.removeprefix("Syntax Error: ")
        found = Fault(file, place.line if place else 1, place.column if place else 1, "SYNTAX", message, "correct the syntax at this place")
        return Manifest(file, faults=(found,))
    reader = _Reader(file)
    if not tidy(document):
        reader.check_rules(document)
    for definition in document.definitions:
        reader.read(definition)
    return reader.manifest(document.definitions[0])


@dataclass(slots=True)
class _Reader:
    """What has been read so far."""

    file: str
    faults: list[Fault] = field(default_factory=list)
    wrong: set[int] = field(default_factory=set)  # ids of directive nodes that a rule has refused
    schema_words: dict[str, Word] = field(default_factory=dict)
    types: list[TypeEntry] = field(default_factory=list)
    seen: dict[tuple[str, bool], Node] = field(default_factory=dict)
    schema_broken: bool = False

    def report(self, code: str, node: Node | None, message: str, fix: str = "", offset: int = 0) -> None:
        self.faults.append(fault(code, self.file, node, message, fix, offset=offset))

    def check_rules(self, document: Any) -> None:
        """The rules of SDL, each reporting under its own code."""
        visitors = []
        for rule, code in RULES.items():
            visitors.append(rule(SDLValidationContext(document, vocabulary(), partial(self._refused, code))))
        visit(document, ParallelVisitor(visitors))

    def _refused(self, code: str, error: GraphQLError) -> None:
        nodes = error.nodes or []
        node = (nodes[-1] if code == "DEFINED_TWICE" else nodes[0]) if nodes else None
        self.wrong.update(id(each) for each in error.nodes or () if isinstance(each, DirectiveNode))
        message, fix = error.message, "keep one of the two"
        named = _DIRECTIVE.search(message)
        definition = vocabulary().get_directive(named[1]) if named else None
        if code == "UNKNOWN_WORD" and isinstance(node, DirectiveNode):
            name = node.name.value
            if definition is None:
                near = nearest(name, own_words())
                message += suggest(name, own_words())
                fix = f"write @{near}" if near else "use one of the words of docs/manifests.md"
            else:
                code = "MISPLACED_WORD"
                fix = f"it belongs on: {', '.join(where.value.lower().replace('_', ' ') for where in definition.locations)}"
        elif code == "UNKNOWN_ARGUMENT" and definition is not None and isinstance(node, ArgumentNode) and _needless(node, definition.name):
            message, fix = f"'{node.name.value}' means nothing on @{definition.name}: {KEPT_ALREADY}.", f"remove {node.name.value}"
        elif code == "UNKNOWN_ARGUMENT" and definition is not None and isinstance(node, ArgumentNode):
            near = nearest(node.name.value, definition.args)
            fix = f"write {near}" if near else f"remove it; what @{definition.name} takes: {', '.join(definition.args) or 'nothing'}"
        elif code == "MISSING_ARGUMENT" and named:
            fix = f"add {named[2]}: …"
        self.report(code, node, message, fix)

    def words(self, node: Node) -> tuple[dict[str, Word], list[Word], bool]:
        """The words on a definition, its @key words (which repeat), and whether one of them is faulty."""
        words: dict[str, Word] = {}
        keys: list[Word] = []
        broken = False
        for directive in nodes_of(node):
            name = directive.name.value
            if vocabulary().get_directive(name) is None or id(directive) in self.wrong:
                broken = True
                continue
            args, errors = read_arguments(directive)
            for each in errors:
                # A value that holds a variable was copied on the way and has lost its place.
                at = next((node for node in each.error.nodes or () if node.loc), directive)
                code = "BAD_PATH" if isinstance(each.error.original_error, ExpressionError) else "BAD_ARGUMENT"
                self.report(code, at, f"@{name}({each.path}): {each.error.message}", each.fix, offset_in(each.error, at))
            unknown = [given for given in directive.arguments or () if given.name.value not in vocabulary().get_directive(name).args]  # type: ignore[union-attr]
            broken = broken or bool(errors) or bool(unknown)
            word = Word(name, args, directive)
            if errors or unknown:
                continue
            found = list(slips(word))
            for slip in found:
                self.report(slip.code, slip.node, slip.message, slip.fix, slip.offset)
            if found:
                broken = True
                continue
            if name == "key":
                keys.append(word)
            else:
                words[name] = word
        return words, keys, broken

    def read(self, node: DefinitionNode) -> None:
        match node:
            case SchemaExtensionNode():
                words, _, broken = self.words(node)
                self.schema_words |= words
                self.schema_broken = self.schema_broken or broken
                if node.operation_types:
                    self.report("NOT_SUPPORTED", node, "A manifest does not choose root types.", "remove the operation types")
            case ObjectTypeDefinitionNode():
                self._type(node, "object")
            case ObjectTypeExtensionNode():
                self._type(node, "object", extends=True)
            case InterfaceTypeDefinitionNode():
                self._type(node, "interface")
            case UnionTypeDefinitionNode():
                self._type(node, "union")
            case EnumTypeDefinitionNode():
                self._type(node, "enum")
            case _:
                kind = node.kind.replace("_", " ")
                self.report("NOT_SUPPORTED", node, f"A manifest has no {kind}.", "use type, extend type, interface, union or enum")

    def _type(self, node: Any, form: str, extends: bool = False) -> None:
        name = node.name.value
        if name == "Mutation" and not extends:
            message = "The hub has no mutations of its own to bind."
            self.report("NOT_SUPPORTED", node.name, message, "write `extend type Mutation` to contribute one")
            return
        if name in RESERVED or name.startswith("__"):
            self.report("RESERVED_NAME", node.name, f"The name {name!r} belongs to the hub.", "choose another name")
            return
        if (name, extends) in self.seen:
            self.report("DEFINED_TWICE", node.name, f"'{name}' is described twice in this file.", "put the fields into one block")
            return
        self.seen[name, extends] = node
        words, keys, broken = self.words(node)
        fields = [self._field(each, name) for each in getattr(node, "fields", None) or ()]
        for each in fields:
            self._action_in_place(each, name)
        values = [self._value(each) for each in getattr(node, "values", None) or ()]
        members = tuple(each.name.value for each in getattr(node, "types", None) or ())
        entry = TypeEntry(
            name,
            form,
            extends,
            words,
            tuple(keys),
            self._unique(fields, name),
            {value.name: value for value in values},
            members,
            _text(node),
            node,
            broken,
        )
        self.types.append(entry)

    def _unique(self, fields: Iterable[FieldEntry], owner: str) -> dict[str, FieldEntry]:
        found: dict[str, FieldEntry] = {}
        for each in fields:
            if each.name in found:
                self.report("DEFINED_TWICE", each.node, f"'{owner}.{each.name}' is given twice.", "keep one of the two")
            elif each.name in RESERVED or each.name.startswith("__"):
                self.report("RESERVED_NAME", each.node, f"The name {each.name!r} belongs to the hub.", "choose another name")
            else:
                found[each.name] = each
        return found

    def _field(self, node: Any, owner: str) -> FieldEntry:
        words, _, broken = self.words(node)
        arguments = {}
        for each in node.arguments or ():
            inner, _, bad = self.words(each)
            arguments[each.name.value] = ArgumentEntry(each.name.value, each.type, inner, each, bad)
            broken = broken or bad
        path = words["from"].args.get("path") if "from" in words else None
        if path is not None:
            broken = self._path(words["from"], path) or broken
        return FieldEntry(node.name.value, node.type, words, arguments, _text(node), node.name, node, broken)

    def _action_in_place(self, entry: FieldEntry, owner: str) -> None:
        for name, root in ((name, root) for root, kinds in ACTIONS.items() for name in kinds.values() if name not in PLACES):
            if name in entry.words and owner != root:
                message = f"@{name} means nothing on a field of '{owner}'."
                self.report("MISPLACED_WORD", entry.words[name].node, message, f"it belongs on a field of `extend type {root}`")

    def _path(self, word: Word, path: str) -> bool:
        try:
            read_path(path)
        except ExpressionError as error:
            message = f"@from(path): {error.message[:1].upper()}{error.message[1:]}."
            self.report(
                "BAD_PATH", word.value_node("path"), message, "write names separated by dots, list[0] for an element", 1 + error.offset
            )
            return True
        return False

    def _value(self, node: Any) -> ValueEntry:
        words, _, _ = self.words(node)
        return ValueEntry(node.name.value, words, _text(node), node.name)

    def manifest(self, first: Node) -> Manifest:
        system = self.schema_words.get("system")
        sources = [self.schema_words[name] for name in SOURCES if name in self.schema_words]
        if system is None and not self.schema_broken:
            self.report(
                "NO_SYSTEM",
                first,
                "The file does not say which system it describes.",
                'add `extend schema @system(name: "…", title: "…", owner: "…")`',
            )
        elif not sources and not self.schema_broken:
            self.report(
                "NO_SYSTEM",
                first,
                "The file does not say how the system is reached.",
                f"add {', '.join(f'@{name}' for name in SOURCES[:-1])} or @{SOURCES[-1]} beside @system",
            )
        for extra in sources[1:]:
            self.report(
                "NO_SYSTEM",
                extra.node,
                "A system is reached in one way.",
                f"remove @{extra.name}, or describe a second system in its own file",
            )
        if system is not None:
            self._system_name(system)
        return Manifest(self.file, system, sources[0] if sources else None, tuple(self.types), tuple(sorted(self.faults)))

    def _system_name(self, system: Word) -> None:
        name = system.args["name"]
        if name in RESERVED or name == "canonical":
            self.report("RESERVED_NAME", system.value_node("name"), f"The name {name!r} belongs to the hub.", "choose another name")
        elif not SYSTEM_NAME.fullmatch(name):
            self.report(
                "BAD_SYSTEM_NAME",
                system.value_node("name"),
                f"{name!r} is not a system's name.",
                "use letters and digits, beginning with a letter",
            )


def _text(node: Any) -> str:
    return node.description.value if getattr(node, "description", None) else ""


def _needless(argument: ArgumentNode, word: str) -> bool:
    """Whether somebody would keep answers where they are kept anyway."""
    return argument.name.value in KEEPING and word in (*KEPT, *(word for word, kind in TABLES.items() if kind in KEPT))


def load_systems(folder: Path | Traversable, *, shown: str | None = None) -> list[Manifest]:
    """All manifests of a folder and its subfolders, sorted by file; ``hub.graphql`` is not one.

    ``shown`` is how the folder is called in faults; its own name if not given. Raises OSError.
    """
    found: list[tuple[str, str | None]] = []
    _collect(folder, shown or folder.name, found)
    subgraphs = {file: text for file, text in found if file.endswith(SUBGRAPH)}
    with collector_paused():
        return [
            with_subgraph(parse_manifest(text, file), subgraphs) if text is not None else _unreadable(file)
            for file, text in sorted(found, key=itemgetter(0))
            if not file.endswith(SUBGRAPH)
        ]


def with_subgraph(manifest: Manifest, subgraphs: Mapping[str, str | None]) -> Manifest:
    """A manifest of a subgraph with the SDL that lies beside it."""
    if manifest.federation is None or manifest.source is None:
        return manifest
    folder, slash, _ = manifest.file.rpartition("/")
    file = f"{folder}{slash}{manifest.federation['sdl']}"
    text = subgraphs.get(file)
    if text is not None:
        return replace(manifest, subgraph=(text, file))
    message = f"There is no file '{manifest.federation['sdl']}' beside this one that can be read."
    node = manifest.source.value_node("federation")
    missing = fault("BAD_ARGUMENT", manifest.file, node, message, f"put the subgraph's SDL there; its name ends in {SUBGRAPH}")
    return replace(manifest, faults=(*manifest.faults, missing))


def _unreadable(file: str) -> Manifest:
    return Manifest(file, faults=(Fault(file, 1, 1, "SYNTAX", "The file is not written in UTF-8.", "save it as UTF-8"),))


def _collect(folder: Path | Traversable, at: str, found: list[tuple[str, str | None]]) -> None:
    children: Sequence[Path | Traversable] = list(folder.iterdir())
    for child in children:
        name = f"{at}/{child.name}"
        if child.is_dir():
            _collect(child, name, found)
        elif child.name.endswith((".graphql", SUBGRAPH)) and child.name != VOCABULARY:
            try:
                found.append((name, child.read_text(encoding="utf-8")))
            except UnicodeDecodeError:
                found.append((name, None))
