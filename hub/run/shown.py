"""What introspection tells one caller: the public schema without what they may not see.

Documents are validated against the whole schema all the same: asking for a field that is denied is answered by null and FORBIDDEN. Must
not know how a question is answered.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

from cachetools import LRUCache
from graphql import GraphQLSchema

from auth.principal import Principal
from schema.coordinates import Coordinate
from schema.registry import Registry
from schema.subgraph import SERVICE, subgraph_sdl
from schema.visible import visible

Policy = Callable[[Principal, Collection[Coordinate]], frozenset[str]]
INTROSPECTION = frozenset({"__schema", "__type"})
TELLING = INTROSPECTION | {SERVICE.partition(".")[2]}  # root fields that tell of the schema
KEPT = 16  # schemas for callers of different rights


class Shown:
    """The schemas that callers of one composition see, made when one of them first asks."""

    def __init__(self, schema: GraphQLSchema, registry: Registry, policy: Policy) -> None:
        self._schema = schema
        self._registry = registry
        self._policy = policy
        self._made: LRUCache[frozenset[str], GraphQLSchema] = LRUCache(KEPT)
        self._texts: LRUCache[GraphQLSchema, str] = LRUCache(KEPT)

    def to(self, principal: Principal) -> GraphQLSchema:
        """The schema as a principal sees it. Raises ValueError when that is nothing at all."""
        denied = self._registry.forbidden(self._policy(principal, self._registry.coordinates.values()))
        if not denied:
            return self._schema
        found = self._made.get(denied)
        if found is None:
            found = self._made[denied] = visible(self._schema, lambda name: name not in denied)
        return found

    def sdl(self, shown: GraphQLSchema) -> str:
        """A schema that somebody sees as the SDL of a subgraph. Raises ValueError when that is nothing at all."""
        found = self._texts.get(shown)
        if found is None:
            found = self._texts[shown] = subgraph_sdl(shown, self._registry)
        return found
