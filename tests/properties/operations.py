"""Random operations over a schema: aliases, fragments, conditions, variables, merged fields. Always valid.

Also the rewritings of an operation that must not change its answer.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from cachetools import LRUCache
from graphql import (
    DocumentNode,
    GraphQLEnumType,
    GraphQLField,
    GraphQLNamedType,
    GraphQLSchema,
    get_named_type,
    is_abstract_type,
    is_interface_type,
    is_leaf_type,
    parse,
)

from hub.oracle.pages import cursor
from hub.run import documents
from hub.run.documents import Document
from tests.properties.values import LEAVES, VALUES


@dataclass(frozen=True, slots=True)
class Operation:
    """A document and its variables."""

    text: str
    variables: Mapping[str, Any] = field(default_factory=dict)


@lru_cache(maxsize=64)
def parsed(text: str) -> DocumentNode:
    """A document's syntax tree, which nobody changes: the same text is looked at many times."""
    return parse(text)


_documents: LRUCache[tuple[GraphQLSchema, str], Document] = LRUCache(64)  # schemas by identity: one case asks its own many times


def judged_document(schema: GraphQLSchema, text: str) -> Document:
    """``text`` parsed and validated, once: that costs more than answering it does."""
    found = _documents.get((schema, text))
    if found is None:
        found = _documents[schema, text] = documents.document(schema, text)
    return found


def operation(
    rng: random.Random, schema: GraphQLSchema, ids: Mapping[str, Sequence[str]], *, depth: int, without: frozenset[str] = frozenset()
) -> Operation:
    """An operation on ``schema`` about entities with these ``ids`` (by type), and ``without`` fields of these names."""
    while True:
        made = _Writer(rng, schema, ids, without).operation(depth)
        faults = judged_document(schema, made.text).errors  # fields that do not merge, now and then
        if not faults:
            return made


def root_list(rng: random.Random, schema: GraphQLSchema, ids: Mapping[str, Sequence[str]]) -> Operation:
    """One root list, narrowed, ordered and cut at random, with what tells its rows apart."""
    root = schema.query_type
    assert root is not None
    writer = _Writer(rng, schema, ids, frozenset())
    name = rng.choice(sorted(name for name, field in root.fields.items() if "orderBy" in field.args))
    arguments, _ = writer.arguments(root.fields[name], name)
    head = f"({', '.join(f'${name}: {kind}' for name, kind in writer.declared.items())})" if writer.declared else ""
    page = "{ nodes { id label } totalCount pageInfo { hasNextPage endCursor } }"
    return Operation(f"query Q{head} {{ {name}{arguments} {page} }}", writer.variables)


def pages_of(rng: random.Random, schema: GraphQLSchema, ids: Mapping[str, Sequence[str]]) -> Callable[[int, str | None], Operation]:
    """A root list narrowed and ordered at random: the question for its page of ``first`` rows after a cursor."""
    root = schema.query_type
    assert root is not None
    writer = _Writer(rng, schema, ids, frozenset())
    name = rng.choice(sorted(name for name, field in root.fields.items() if "orderBy" in field.args))
    args = root.fields[name].args
    chosen = [argument for argument in ("filter", "orderBy") if rng.random() < 0.6]
    given = "".join(f", {argument}: {_literal(writer.value(argument, str(args[argument].type), name))}" for argument in chosen)
    page = "{ list: %s(first: $first, after: $after%s) { edges { cursor } totalCount pageInfo { hasNextPage hasPreviousPage endCursor } } }"
    text = f"query Q($first: Int, $after: String) {page % (name, given)}"
    return lambda first, after: Operation(text, {"first": first, "after": after})


def nested_list(rng: random.Random, schema: GraphQLSchema, ids: Mapping[str, Sequence[str]]) -> Operation | None:
    """A list below every entity of a type, narrowed and ordered at random, and cut; None where no type has one."""
    root = schema.query_type
    assert root is not None
    kinds: dict[str, Any] = {name: get_named_type(field.type) for name, field in root.fields.items() if name.endswith("List")}
    found = [(name, field, of) for name, kind in kinds.items() for field, of in kind.fields.items() if "orderBy" in of.args]
    if not found:
        return None
    name, field, of = rng.choice(found)
    arguments = ""
    while "first: " not in arguments:  # without it no source is asked to cut
        writer = _Writer(rng, schema, ids, frozenset())
        arguments, _ = writer.arguments(of, field)
    head = f"({', '.join(f'${name}: {kind}' for name, kind in writer.declared.items())})" if writer.declared else ""
    page = rng.choice(
        (
            "{ nodes { id } pageInfo { hasNextPage endCursor } }",
            "{ pageInfo { hasNextPage } edges { cursor } }",
            "{ nodes { id } totalCount }",
        )
    )
    return Operation(f"query Q{head} {{ {name} {{ id {field}{arguments} {page} }} }}", writer.variables)


def root_figures(rng: random.Random, schema: GraphQLSchema, ids: Mapping[str, Sequence[str]]) -> Operation:
    """Some figures of one type, of a random part of it in random groups."""
    root = schema.query_type
    assert root is not None
    writer = _Writer(rng, schema, ids, frozenset())
    name = rng.choice(sorted(name for name, field in root.fields.items() if "groupBy" in field.args))
    arguments, _ = writer.arguments(root.fields[name], name)
    kind: Any = get_named_type(root.fields[name].type)
    inner = {part: get_named_type(field.type) for part, field in kind.fields.items()}
    fields = {
        part: rng.sample(sorted(of.fields), min(len(of.fields), rng.choice((1, 1, 2)))) for part, of in inner.items() if part != "count"
    }
    chosen = ["count", *rng.sample(sorted(fields), rng.randint(1, len(fields)))]
    parts = [part if part == "count" else f"{part} {{ {' '.join(fields[part])} }}" for part in chosen]
    head = f"({', '.join(f'${name}: {kind}' for name, kind in writer.declared.items())})" if writer.declared else ""
    return Operation(f"query Q{head} {{ {name}{arguments} {{ {' '.join(parts)} }} }}", writer.variables)


class _Writer:
    def __init__(self, rng: random.Random, schema: GraphQLSchema, ids: Mapping[str, Sequence[str]], without: frozenset[str]) -> None:
        self.without = without
        self.rng = rng
        self.schema = schema
        self.ids = ids
        self.declared: dict[str, str] = {}
        self.variables: dict[str, Any] = {}
        self.fragments: list[str] = []
        self.written: dict[str, str] = {}  # fragments that are finished -> their type, to be spread again
        self.budget = 60
        self.prefix = ""  # keeps names apart where several writers write one document

    def operation(self, depth: int) -> Operation:
        root = self.schema.query_type
        assert root is not None
        body = self.selections(root, depth, most=3)
        head = f"({', '.join(f'${name}: {kind}' for name, kind in self.declared.items())})" if self.declared else ""
        return Operation("\n".join([f"query Q{head} {body}", *self.fragments]), self.variables)

    def selections(self, kind: GraphQLNamedType, depth: int, *, most: int = 5) -> str:
        chosen = [self.one(kind, depth) for _ in range(self.rng.randint(1, most))]
        chosen = [text for text in chosen if text] or ["__typename"]
        return "{ " + " ".join(chosen) + " }"

    def one(self, kind: GraphQLNamedType, depth: int) -> str:
        roll = self.rng.random()
        if roll < 0.12 and depth > 1:
            narrow = self.narrowed(kind)
            on = f"on {narrow.name} " if narrow is not kind or self.rng.random() < 0.5 else ""
            return f"... {on}{self.condition()}{self.selections(narrow, depth - 1, most=3)}"
        if roll < 0.2 and depth > 1:
            return self.spread(kind, depth)
        if roll < 0.27:
            return self.rng.choice(("__typename", "what: __typename"))
        if is_abstract_type(kind) and (not is_interface_type(kind) or self.rng.random() < 0.6):
            concrete = self.rng.choice(self.schema.get_possible_types(kind))
            return f"... on {concrete.name} {self.selections(concrete, depth, most=3)}"
        return self.field(kind, depth)

    def spread(self, kind: GraphQLNamedType, depth: int) -> str:
        """A named fragment: a new one, or one that stands elsewhere already."""
        again = [name for name, on in self.written.items() if on == kind.name]
        if again and self.rng.random() < 0.4:
            return f"...{self.rng.choice(again)} {self.condition()}"
        narrow, number = self.narrowed(kind), len(self.fragments)
        self.fragments.append("")  # its place, before those inside it
        self.fragments[number] = f"fragment F{self.prefix}{number} on {narrow.name} {self.selections(narrow, depth - 1, most=3)}"
        self.written[f"F{self.prefix}{number}"] = narrow.name
        return f"...F{self.prefix}{number} {self.condition()}"

    def narrowed(self, kind: GraphQLNamedType) -> GraphQLNamedType:
        """A type for a fragment inside ``kind``: itself, one below it, or an abstract one that it belongs to."""
        if is_abstract_type(kind):
            return self.rng.choice((kind, kind, *self.schema.get_possible_types(kind)))
        wider = [one for one in self.schema.type_map.values() if is_abstract_type(one) and self.schema.is_sub_type(one, kind)]
        return self.rng.choice(wider) if wider and self.rng.random() < 0.15 else kind

    def field(self, kind: Any, depth: int) -> str:
        fields: Mapping[str, GraphQLField] = kind.fields
        names = [n for n, f in fields.items() if n not in self.without and (depth > 0 or is_leaf_type(get_named_type(f.type)))]
        if kind is self.schema.query_type:  # lists of entities as often as entities, of which there may be several ways
            names += [n for n in names if "first" in fields[n].args]
        if not names or self.budget <= 0:
            return ""
        self.budget -= 1
        name = self.rng.choice(names)
        definition = fields[name]
        arguments, mark = self.arguments(definition, name)
        alias = ""
        if mark or self.rng.random() < 0.15:
            alias = f"{self.rng.choice('ab')}{mark}_{name}: "
        named = get_named_type(definition.type)
        below = "" if is_leaf_type(named) else " " + self.selections(named, depth - 1)
        if named.name.endswith("Connection"):  # something that needs its rows: of its name alone it is not said that they are called for
            below = below.replace("{", f"{{ {self.rng.choice(('totalCount', 'pageInfo { hasNextPage }', 'nodes { __typename }'))}", 1)
        return f"{alias}{name}{arguments} {self.condition()}{below}".replace("  ", " ")

    def arguments(self, definition: GraphQLField, name: str) -> tuple[str, str]:
        """Arguments as text, and a mark for the alias: equal response keys need equal arguments."""
        texts = []
        order: list[Any] | None = None
        for argument, declared in definition.args.items():
            kind = str(declared.type)
            required = kind.endswith("!")
            if not required and self.rng.random() < (0.25 if argument in ("first", "filter") else 0.4):
                continue
            value: Any = self.place(get_named_type(definition.type), order) if argument == "after" else self.value(argument, kind, name)
            order = value if argument == "orderBy" else order
            if value is None:
                continue
            if argument in ("id", "first", "after") and self.rng.random() < 0.4:
                texts.append(f"{argument}: {self.variable(kind, value)}")
            else:
                texts.append(f"{argument}: {_literal(value)}")
        if not texts:
            return "", ""
        written = f"({', '.join(texts)})"
        return written, str(sum(map(ord, written)) * 31 % 9973) + str(len(written))

    def value(self, argument: str, kind: str, name: str) -> Any:
        everybody = [i for some in self.ids.values() for i in some]
        if argument == "first":
            return self.rng.choice((1, 1, 2, 3, 50))
        if argument == "orderBy":
            return self.order(kind)
        if argument == "groupBy":
            values: Any = self.schema.type_map[kind.strip("[]!")]
            return [_Name(value) for value in self.rng.sample(sorted(values.values), min(len(values.values), self.rng.choice((0, 1, 2))))]
        if argument == "region":
            return self.rng.choice(("杭", "甬"))
        if argument == "filter":
            return self.filter(kind, everybody)
        own = next((list(some) for type_name, some in self.ids.items() if name.startswith(type_name.lower())), everybody)
        if argument in ("old", "arch"):
            return f"{argument}{self.rng.choice(own)}"
        return self.rng.choice([*own, "199"])

    def filter(self, kind: str, everybody: list[str]) -> Any:
        fields: Any = self.schema.type_map[kind]
        found = {}
        names = sorted(fields.fields)
        written = [n for n in names if get_named_type(fields.fields[n].type).name not in ("StringCondition", "IDCondition")]
        names = written if written and self.rng.random() < 0.5 else names  # what systems write in many ways, and compare in as many
        for name in self.rng.sample(names, min(len(names), self.rng.choice((1, 1, 2)))):
            wanted = get_named_type(fields.fields[name].type.fields["eq"].type)
            operators = [op for op in fields.fields[name].type.fields if op != "isNull" or self.rng.random() < 0.3]
            chosen = self.rng.sample(operators, min(len(operators), self.rng.choice((1, 1, 1, 2))))
            found[name] = {op: self.operand(op, wanted, everybody) for op in chosen}
        return found

    def operand(self, op: str, wanted: Any, everybody: list[str]) -> Any:
        if op == "isNull":
            return self.rng.random() < 0.5
        if op == "prefix":
            return self.rng.choice(("", "a", "1", "甲"))
        if isinstance(wanted, GraphQLEnumType):
            some: list[Any] = [_Name(value) for value in wanted.values]
        else:
            some = [*pool(wanted.name), *(everybody if wanted.name in ("ID", "USCC") else ())]
        return self.rng.choices(some, k=2) if op == "in" else self.rng.choice(some)

    def order(self, kind: str) -> list[dict[str, Any]]:
        given: Any = self.schema.type_map[kind.strip("[]!")]
        fields: Any = get_named_type(given.fields["field"].type)
        names = self.rng.sample(sorted(fields.values), min(len(fields.values), self.rng.choice((0, 1, 1, 2))))
        return [{"field": _Name(name)} | self.rng.choice(({}, {"direction": _Name("ASC")}, {"direction": _Name("DESC")})) for name in names]

    def place(self, connection: Any, order: list[Any] | None) -> str | None:
        """A cursor of a list in ``order``: values of its terms and of the key, of nobody in particular. None where no such can be made."""
        node = get_named_type(connection.fields["nodes"].type)
        names = [str(one["field"]).rpartition("_") for one in order or ()]
        if any(leaf not in LEAVES for _, _, leaf in names):
            return None  # an order of the province: its enum does not tell types
        everybody = [i for some in self.ids.values() for i in some]
        key = [("id", "ID"), *([("region", "String")] if "region" in node.fields else ())]
        terms = [(name, leaf) for name, _, leaf in names] + [one for one in key if one[0] not in [name for name, _, _ in names]]
        values = [self.rng.choice([*pool(leaf), *(everybody if name == "id" else [None])]) for name, leaf in terms]
        return cursor(tuple(values))

    def variable(self, kind: str, value: Any) -> str:
        name = f"v{self.prefix}{len(self.declared)}"
        roll = self.rng.random()
        if roll < 0.3 and not kind.endswith("!"):
            self.declared[name] = f"{kind} = {_literal(value)}"
        else:
            self.declared[name] = kind
            self.variables[name] = value
        return f"${name}"

    def condition(self) -> str:
        if self.rng.random() > 0.15:
            return ""
        texts = []
        for directive in self.rng.choice((("skip",), ("include",), ("skip", "include"))):
            truth = self.rng.random() < 0.5
            if self.rng.random() < 0.3:
                texts.append(f"@{directive}(if: {_literal(truth)})")
                continue
            name = f"v{self.prefix}{len(self.declared)}"
            if self.rng.random() < 0.4:
                self.declared[name] = f"Boolean! = {_literal(not truth)}"
                if self.rng.random() < 0.5:
                    self.variables[name] = truth
            else:
                self.declared[name] = "Boolean!"
                self.variables[name] = truth
            texts.append(f"@{directive}(if: ${name})")
        return " ".join(texts) + " "


def pool(leaf: str) -> tuple[Any, ...]:
    """Canonical values of a leaf type that rows may have."""
    return VALUES.get(leaf, ("甲", "a b", "", "x"))


class _Name(str):
    """An enum value: written without quotes."""


def _literal(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name}: {_literal(item)}" for name, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_literal, value)) + "]"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, _Name | int | float):
        return str(value)
    if value is None:
        return "null"
    return '"' + str(value).replace("\\", "\\\\").replace('"', '\\"') + '"'


@dataclass(frozen=True, slots=True)
class Selection:
    """The braces below a root field of another kind, the fragments they spread, and the variables to be declared."""

    operation: Operation
    fragments: Sequence[str]
    declared: Mapping[str, str]


def selection(rng: random.Random, schema: GraphQLSchema, kind: str, mark: int) -> Selection:
    """A valid selection on objects of ``kind``; ``mark`` keeps the names of several apart."""
    writer = _Writer(rng, schema, {"": ["100", "nobody"]}, frozenset())
    writer.prefix = f"m{mark}"
    body = writer.selections(schema.type_map[kind], 3)
    return Selection(Operation(body, writer.variables), writer.fragments, writer.declared)
