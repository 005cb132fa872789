"""The document a GraphQL source is sent: what is selected, by which variables, of which types.

Must not know HTTP. Holds names only; values go into variables.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from connectors.paths import steps
from connectors.settings import nearest, read, refused
from connectors.spi import Ask, Catalog, Field, Options, Relation

ROWS = "rows"  # the alias of the one root field
_NAME = re.compile(r"[_A-Za-z][_0-9A-Za-z]*")
_FRAGMENT = re.compile(r"\.\.\.\s*on\s+(\w+)")
_PART = re.compile(r"(\.\.\.\s*on\s+\w+)|([^.\[\]]+)|\[\d+\]")
_REF = "kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name } } } }"
_SCALARS = {"Int": "int", "Float": "float", "Boolean": "bool", "JSON": "json"}


@dataclass(frozen=True, slots=True)
class Batch:
    """``by`` the canonical key, ``match`` where it lies in each row, ``max`` how many keys at once."""

    by: Any = ""
    match: str = ""
    max: int = 0


@dataclass(frozen=True, slots=True)
class Words:
    """``Relation.native`` of this kind. ``at`` is where rows lie below the field (``nodes``); types are written as in GraphQL.

    ``cache`` and ``stale`` are the engine's.
    """

    name: str
    argument: str = ""
    batch: Batch = field(default_factory=Batch)
    at: str = ""
    key_type: str = ""
    arg_types: Mapping[str, str] = field(default_factory=dict)
    cache: str = ""
    stale: str = ""


@dataclass(frozen=True, slots=True)
class Document:
    """``types`` maps each argument to its type, "" while the endpoint has to be asked; ``key`` is the argument the keys go into."""

    name: str
    key: str
    types: tuple[tuple[str, str], ...]
    at: str = ""
    many: bool = False
    match: str = ""
    selection: str = ""

    @property
    def typed(self) -> bool:
        return all(kind for _, kind in self.types)

    def matched(self, fields: tuple[Field, ...], relation: Relation) -> tuple[Field, ...]:
        """``fields`` with the path that ``batch.match`` gives a key column without one. Raises SourceError (config)."""
        found = tuple(replace(one, path=self.match) if not one.path and one.name in relation.keys else one for one in fields)
        if self.many and any(not one.path for one in found if one.name in relation.keys):
            raise refused(f"{relation.name}: a batch needs 'match', the path of the key in each row")
        return found

    def selecting(self, fields: Iterable[Field]) -> Document:
        """The same with ``fields`` selected. A place that selects nothing else asks for ``__typename``."""
        tree: dict[str, Any] = {}
        for one in fields:
            _select(tree, one)
        for name in reversed([part for part in steps(self.at) if isinstance(part, str)]):
            tree = {_checked(name): tree}
        return replace(self, selection=_braces(tree))

    def render(self, schema: Schema | None) -> str:
        """The text that is sent. Raises SourceError (config) for an argument the endpoint does not know."""
        types = [(name, kind or self._type(schema, name)) for name, kind in self.types]
        declared = "(" + ", ".join(f"${name}: {kind}" for name, kind in types) + ")" if types else ""
        return f"query{declared} {{ {ROWS}: {self._field()} {self.selection} }}"

    def text(self) -> str:
        """The same for people, without types."""
        return f"{{ {self._field()} {self.selection} }}"

    def values(self, keys: Sequence[tuple[Any, ...]], params: Mapping[str, Any], schema: Schema | None) -> dict[str, Any]:
        """The variables of one call. What is not given is left out."""
        found = {name: _plain(params[name]) for name, _ in self.types if name != self.key and params.get(name) is not None}
        if self.key:
            kind = dict(self.types)[self.key] or self._type(schema, self.key)
            found[self.key] = [_plain(key[0]) for key in keys] if kind.startswith("[") else _plain(keys[0][0])
        return found

    def _field(self) -> str:
        given = ", ".join(f"{name}: ${name}" for name, _ in self.types)
        return self.name + (f"({given})" if given else "")

    def _type(self, schema: Schema | None, argument: str) -> str:
        arguments = schema.arguments.get(self.name, {}) if schema else {}
        if argument not in arguments:
            raise refused(f"the source's field '{self.name}' has no argument '{argument}'{nearest(argument, arguments)}")
        kind = arguments[argument]
        if argument == self.key and self.many and not kind.startswith("["):
            raise refused(f"argument '{argument}' of the source's field '{self.name}' takes one key, not a list")
        return kind


@dataclass(frozen=True, slots=True)
class Schema:
    """What an endpoint says of its query type: the arguments of each field with their types, and what each returns."""

    arguments: Mapping[str, Mapping[str, str]]
    returns: Mapping[str, tuple[Field, ...]]

    @classmethod
    def read(cls, found: Mapping[str, Any]) -> Schema:
        """From the answer to ``introspection()``."""
        types = {one["name"]: one for one in found["types"]}
        query = types[found["queryType"]["name"]]["fields"] or []
        return cls(
            {one["name"]: {arg["name"]: _written(arg["type"]) for arg in one["args"]} for one in query},
            {one["name"]: _leaves(types.get(_bare(one["type"])["name"], {})) for one in query},
        )

    def catalog(self) -> Catalog:
        """A relation for each field of the query type that returns objects, with their plain fields."""
        relations = (
            Relation(name, fields, Options({"name": name}), args=tuple(sorted(self.arguments[name])))
            for name, fields in sorted(self.returns.items())
            if fields
        )
        return Catalog(tuple(relations))


def introspection() -> str:
    return (
        "{ __schema { queryType { name } types { kind name fields { name description type { "
        f"{_REF} }} args {{ name type {{ {_REF} }} }} }} }} }} }}"
    )


def prepare(ask: Ask, relation: Relation) -> Document:
    """Check what the manifest says. Raises SourceError (config)."""
    words = read(Words, relation.native, f"{relation.name}.")
    if ask.by and (len(ask.by) != 1 or not words.argument):
        raise refused(f"{relation.name} can be asked by one key, through 'argument'")
    if not ask.by and words.argument and relation.keys:
        raise refused(f"{relation.name} can be asked by key alone")
    key = _checked(words.argument) if ask.by else ""
    kinds = {**{_checked(name): words.arg_types.get(name, "") for name in relation.args}, **({key: words.key_type} if key else {})}
    many = relation.max_keys > 1
    if many and words.key_type and not words.key_type.startswith("["):
        raise refused(f"{relation.name}: keyType has to be a list for a batch")
    return Document(_checked(words.name), key, tuple(kinds.items()), words.at, many, words.batch.match)


def _select(tree: dict[str, Any], one: Field) -> None:
    for fragment, name in ((m[1], m[2]) for m in _PART.finditer(one.path.removeprefix("$").removeprefix(".")) if m[1] or m[2]):
        condition = _FRAGMENT.fullmatch(fragment) if fragment else None
        tree = tree.setdefault(f"... on {condition[1]}" if condition else _checked(name), {})
    for item in one.items:
        _select(tree, item)


def _braces(tree: Mapping[str, Any]) -> str:
    inside = " ".join(name + (" " + _braces(below) if below else "") for name, below in tree.items())
    return f"{{ {inside or '__typename'} }}"


def _checked(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise refused(f"'{name}' is not a name in GraphQL")
    return name


def _plain(value: Any) -> Any:
    """A native value as JSON can hold it."""
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value if isinstance(value, str | bool | int | float) or value is None else str(value)


def _written(kind: Mapping[str, Any]) -> str:
    inner = kind.get("ofType")
    if kind["kind"] == "NON_NULL" and inner:
        return _written(inner) + "!"
    return f"[{_written(inner)}]" if kind["kind"] == "LIST" and inner else str(kind["name"])


def _bare(kind: Mapping[str, Any]) -> Mapping[str, Any]:
    inner = kind.get("ofType")
    return _bare(inner) if inner else kind


def _leaves(found: Mapping[str, Any]) -> tuple[Field, ...]:
    return tuple(
        Field(
            one["name"], one["name"], _SCALARS.get(_bare(one["type"])["name"], "text"), one["type"]["kind"] != "NON_NULL",
            doc=one.get("description") or "",
        )
        for one in found.get("fields") or ()
        if _bare(one["type"])["kind"] in ("SCALAR", "ENUM") and "[" not in _written(one["type"]) and not one["args"]
    )  # fmt: skip
