"""An estate: subgraphs that share data, and the monolith that holds all of it. A query asked of both has one answer.

``case`` by ``case`` an estate says how many requests each subgraph needs for it, and no more are made. Must not know how a hub is started
over a supergraph: ``tests.federation.served`` does.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from aiohttp import web
from graphql import (
    GraphQLAbstractType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLResolveInfo,
    GraphQLSchema,
    build_schema,
    get_named_type,
    graphql_sync,
)

from tests.connectors.loopback import served
from tests.federation.subgraph import Asked, Resolvers, Rows, Subgraph

EARLIER = ("v0.1", "v0.2")
COMPOSED = Path(__file__).parent / "supergraphs"


@dataclass(frozen=True, slots=True)
class Case:
    """A query and the requests that it needs.

    ``denied`` are coordinates that the caller, who has ``scopes`` (None: anonymous), may not see; ``down`` are subgraphs that do not
    answer; ``representations`` are how many each subgraph gets, where that matters.
    """

    query: str
    calls: Mapping[str, int]
    variables: Mapping[str, Any] = field(default_factory=dict)
    representations: Mapping[str, int] = field(default_factory=dict)
    scopes: tuple[str, ...] | None = ()
    denied: tuple[str, ...] = ()
    down: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()  # paths, where the monolith has none
    title: str = ""
    reference: Mapping[str, int] = field(default_factory=dict)  # the requests of the reference gateway, where they are more
    unlike: str = ""  # why the reference gateway is not asked


@dataclass(frozen=True, slots=True)
class Estate:
    """``subgraphs`` are SDLs by name. ``rows`` are entities by type and values of root fields by coordinate; ``resolvers`` are for fields
    that are computed, ``own`` those that a subgraph has for itself."""

    name: str
    subgraphs: Mapping[str, str]
    cases: tuple[Case, ...]
    rows: Callable[[], Rows]
    resolvers: Resolvers = field(default_factory=dict)
    own: Mapping[str, Resolvers] = field(default_factory=dict)

    @property
    def earlier(self) -> bool:
        """Whether all subgraphs are written in the syntax of version 1, so that earlier libraries compose them too."""
        return not any("@link" in sdl for sdl in self.subgraphs.values())

    @property
    def digest(self) -> str:
        """Of the subgraphs' SDLs: what the composed files are made of."""
        return digest(self.subgraphs)

    @property
    def writings(self) -> tuple[str, ...]:
        """How the supergraph is written: by the reference library, by a second composer, and as it was before."""
        return ("", "hive", *(EARLIER if self.earlier else ()))

    def file(self, writing: str = "") -> Path:
        """Where the supergraph of one writing is; ``api`` is the schema that clients see."""
        return COMPOSED / ".".join(filter(None, (self.name, writing, "graphql")))

    def composed(self, writing: str = "") -> str:
        return self.file(writing).read_text(encoding="utf-8")


def digest(subgraphs: Mapping[str, str]) -> str:
    """Of the SDLs of subgraphs."""
    return sha256(json.dumps(dict(subgraphs), sort_keys=True, ensure_ascii=False).encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Running:
    """An estate whose subgraphs answer at ``urls``."""

    estate: Estate
    subgraphs: Mapping[str, Subgraph]
    urls: Mapping[str, str]
    monolith: Callable[..., dict[str, Any]]

    def calls(self) -> dict[str, int]:
        """Requests by subgraph so far; those that got none are not in it."""
        return {name: len(one.asked) for name, one in self.subgraphs.items() if one.asked}

    def representations(self) -> dict[str, int]:
        return {name: sum(asked.representations for asked in one.asked) for name, one in self.subgraphs.items()}


@asynccontextmanager
async def running(estate: Estate) -> AsyncIterator[Running]:
    """The subgraphs of an estate behind one HTTP server, each at a path of its own, with data that nobody has used yet."""
    rows, apart = stamped(estate), stamped(estate)
    subgraphs = {
        name: Subgraph(name, sdl, rows, {**estate.resolvers, **estate.own.get(name, {})}) for name, sdl in estate.subgraphs.items()
    }

    async def answer(request: web.Request) -> web.StreamResponse:
        one, body = subgraphs[request.match_info["name"]], await request.json()
        if one.down:
            one.asked.append(Asked(body["query"], body.get("variables") or {}, 0))
            return web.Response(status=503)
        return web.json_response(one.answer(body["query"], body.get("variables") or {}))

    async with served(web.post("/{name}", answer)) as base:
        urls = {name: f"{base}/{name}" for name in subgraphs}
        yield Running(estate, subgraphs, urls, monolith(estate, apart))


# -- the monolith -----------------------------------------------------------------------------------------------------


def monolith(estate: Estate, rows: Rows) -> Callable[..., dict[str, Any]]:
    """Answers from all the data: plain graphql-core over the schema that clients see. Fields that are denied are null."""
    schema = public(estate)

    def ask(query: str, variables: Mapping[str, Any] | None = None, denied: tuple[str, ...] = ()) -> dict[str, Any]:
        def resolve(source: Any, info: GraphQLResolveInfo[Any], **arguments: Any) -> Any:
            owner = info.parent_type
            coordinates = [f"{one.name}.{info.field_name}" for one in (owner, *owner.interfaces)]
            if coordinates[0] in denied:
                return None
            resolver = next((estate.resolvers[one] for one in coordinates if one in estate.resolvers), None)
            if resolver is not None:
                return resolver(source, **arguments)
            return rows[coordinates[0]] if source is rows else source.get(info.field_name)

        result = graphql_sync(schema, query, rows, variable_values=dict(variables or {}), field_resolver=resolve, type_resolver=_type_of)
        return dict(result.formatted)

    return ask


def public(estate: Estate) -> GraphQLSchema:
    return _built(estate.composed("api"))


@cache
def _built(text: str) -> GraphQLSchema:
    return build_schema(text)


def _type_of(value: Any, info: GraphQLResolveInfo[Any], kind: GraphQLAbstractType) -> str:
    return str(value["__typename"])


def stamped(estate: Estate) -> Rows:
    """New rows in which each says its type: by the list that it stands in, or by the field that it is reached by."""
    schema, rows, done = public(estate), estate.rows(), set[int]()

    def stamp(value: Any, kind: GraphQLNamedType | None) -> None:
        if isinstance(value, list):
            for one in value:
                stamp(one, kind)
        elif isinstance(value, dict) and id(value) not in done:
            done.add(id(value))
            if "__typename" not in value and kind is not None:
                assert isinstance(kind, GraphQLObjectType), f"a row of {kind} does not say its type: {value}"
                value["__typename"] = kind.name
            actual = schema.type_map.get(value.get("__typename", ""))
            for name, part in value.items():
                definition = actual.fields.get(name) if isinstance(actual, GraphQLObjectType) else None
                stamp(part, get_named_type(definition.type) if definition else None)

    for name, some in rows.items():
        if "." not in name:
            for row in some:
                row.setdefault("__typename", name)
    for name, some in rows.items():
        owner, _, field_name = name.partition(".")
        kind = schema.type_map.get(owner)
        if field_name and isinstance(kind, GraphQLObjectType) and field_name in kind.fields:
            stamp(some, get_named_type(kind.fields[field_name].type))
        else:
            stamp(some, None)
    return rows
