"""From a text to a plan, each step done once: parsed and validated, normalised, masked, planned. What was made outlives the request.

    document    text and public schema                       -> tree, validation
    operation   what is asked, without any value             -> normalised operation, coordinates that policy decides on
    plan        operation, mask and what rules for rows read -> plan

Each level is bounded by bytes. Values are in none of them: an operation is known by its digest, which literals and names of variables
do not change, and the field nodes of a request's own document go beside its plan. An operation is kept under the epochs of the types that
it touches, so it and its plans outlive a change of manifests that leaves those types alone: ``Caches`` are handed from one engine to
the next. Knows no values, no systems' health and no HTTP.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from graphql import GraphQLSchema, OperationDefinitionNode

from auth.principal import Principal
from hub.clock import Clock
from hub.plan.model import QueryPlan
from hub.plan.operation import Nodes, Operation, Unplannable, normalise
from hub.plan.planner import plan_query
from hub.run import sizes
from hub.run.bounded import Bounded
from hub.run.documents import Document, document
from hub.run.policed import policed
from schema.coordinates import Coordinate
from schema.epochs import Epochs
from schema.registry import Registry

MB = 1_000_000
REFUSED_FOR = 60.0  # seconds for which what was too complex once is refused unseen
GENERATIONS = 4  # public schemas that operations and plans may still be of; older ones would be kept in memory by them

Shape = tuple[tuple[str, tuple[tuple[str, str], ...]], ...]  # rules for rows without their values: see auth.access
Policy = Callable[[Principal, Iterable[Coordinate]], frozenset[str]]


@dataclass(frozen=True, slots=True)
class Prepared:
    """An operation without values, and the ``rows`` that policy decides on. ``key`` is equal where plans are."""

    key: str
    operation: Operation
    rows: tuple[Coordinate, ...]
    born: int  # the number of the schema that it was made with


@dataclass(frozen=True, slots=True)
class Ready:
    """One document's operation: what it shares with others, and its own field nodes by number."""

    prepared: Prepared
    nodes: Nodes

    @property
    def operation(self) -> Operation:
        return self.prepared.operation


@dataclass(frozen=True, slots=True)
class Planned:
    """A plan, and the number of the schema it is of."""

    plan: QueryPlan
    born: int


@dataclass(frozen=True, slots=True)
class Refusal:
    """What was too complex, and until when (seconds of the clock) nobody looks at it again."""

    what: str
    limit: int
    until: float


@dataclass(frozen=True, slots=True)
class _Mask:
    """Kept in an object, since an empty set would look like nothing."""

    denied: frozenset[str]


class Caches:
    """What engines have made, bounded in bytes; one instance for as long as the program runs."""

    def __init__(self, documents: int = 64 * MB, operations: int = 64 * MB, plans: int = 64 * MB) -> None:
        self.documents: Bounded[tuple[int, str], Document] = Bounded(documents)
        self.ready: Bounded[tuple[int, str, str, tuple[bool, ...]], Ready | Refusal] = Bounded(operations // 2)
        self.operations: Bounded[str, Prepared] = Bounded(operations // 2)
        self.masks: Bounded[tuple[str, Any], _Mask] = Bounded(plans // 8)
        self.plans: Bounded[tuple[str, frozenset[str], Shape], Planned | Refusal] = Bounded(plans - plans // 8)
        self._schemas: dict[int, GraphQLSchema] = {}
        self._engines = 0

    def enter(self, schema: GraphQLSchema) -> tuple[int, int]:
        """Numbers for the schema and the registry of a new engine. Documents of other schemas, and what is of long ago, go."""
        self._engines += 1
        number = next((number for number, known in self._schemas.items() if known is schema), None)
        if number is None:
            number = max(self._schemas, default=0) + 1
            self._schemas[number] = schema
        while len(self._schemas) > GENERATIONS:
            del self._schemas[min(self._schemas)]
        self.documents.keep(lambda key, _: key[0] == number)
        self.ready.keep(lambda key, _: key[0] == self._engines)
        self.operations.keep(lambda _, made: made.born in self._schemas)
        self.plans.keep(lambda _, made: isinstance(made, Planned) and made.born in self._schemas)
        return number, self._engines


class Preparer:
    """Makes requests ready for one schema and registry. ``core`` tells which root fields are not planned."""

    def __init__(
        self,
        schema: GraphQLSchema,
        registry: Registry,
        policy: Policy,
        clock: Clock,
        core: Callable[[str, str], bool],
        caches: Caches | None = None,
    ) -> None:
        self.schema = schema
        self.registry = registry
        self.caches = caches or Caches()
        self._policy = policy
        self._clock = clock
        self._core = core
        self._epochs = Epochs(schema, registry)
        self._born, self._engine = self.caches.enter(schema)

    def document(self, text: str) -> Document:
        """Parsed and validated against the public schema."""
        found = self.caches.documents.get((self._born, text))
        if found is None:
            found = document(self.schema, text)
            self.caches.documents.put((self._born, text), found, found.size)
        return found

    def ready(self, document: Document, operation_name: str | None, variables: Mapping[str, Any]) -> Ready:
        """The operation under this request's conditions. Raises LookupError when there is none of that name, Unplannable."""
        name, node = _chosen(document, operation_name)
        conditions = _conditions(document, node, variables)
        key = (self._engine, document.digest, name, conditions)
        found = self.caches.ready.get(key)
        if isinstance(found, Ready):
            return found
        self._still_refused(found)
        try:
            operation, nodes = normalise(self.schema, node, document.fragments, dict(zip(document.conditions, conditions, strict=True)))
        except Unplannable as bound:
            self.caches.ready.put(key, self._refusal(bound), sizes.REFUSAL)
            raise
        made = Ready(self._prepared(operation), nodes)
        self.caches.ready.put(key, made, sizes.ready(operation.size))
        return made

    def denied(self, prepared: Prepared, principal: Principal) -> frozenset[str]:
        """The mask: what of the operation this principal may not see. Decided once for all principals of the same rights."""
        key = (prepared.key, (principal.audience, principal.scopes, principal.ceiling))
        found = self.caches.masks.get(key)
        if found is None:
            found = _Mask(self._policy(principal, prepared.rows))
            self.caches.masks.put(key, found, sizes.mask(found.denied, principal.scopes))
        return found.denied

    def plan(self, prepared: Prepared, denied: frozenset[str], only: str | None = None, rules: Shape = ()) -> QueryPlan:
        """The plan for callers who may not see ``denied`` and of each type only rows that pass ``rules``, whose values it does not hold;
        ``only``: of one root field, by its response key. Raises Unplannable."""
        key = (prepared.key if only is None else f"{prepared.key} {only}", denied, rules)
        found = self.caches.plans.get(key)
        if isinstance(found, Planned):
            return found.plan
        self._still_refused(found)
        operation = prepared.operation
        planned = tuple(one for one in operation.selections if not self._core(one.name, one.coordinate) and only in (None, one.key))
        try:
            plan = plan_query(self.schema, self.registry, replace(operation, selections=planned), denied, dict(rules))
        except Unplannable as bound:
            self.caches.plans.put(key, self._refusal(bound), sizes.REFUSAL)
            raise
        self.caches.plans.put(key, Planned(plan, self._born), sizes.plan(plan, operation.size))
        return plan

    # -- inside --------------------------------------------------------------------------------------------------

    def _prepared(self, operation: Operation) -> Prepared:
        listed = {self.registry.connections[name] for name in operation.types if name in self.registry.connections}
        required = {name for each in operation.coordinates for name in self.registry.requires.get(each, ())}
        listed |= {self.registry.aggregates[name].node for name in operation.types if name in self.registry.aggregates}
        types = operation.types | listed | {name.partition(".")[0] for name in required}
        stamp = "\n".join((operation.digest, *self._epochs.of(sorted(types))))
        key = hashlib.sha256(stamp.encode()).hexdigest()
        found = self.caches.operations.get(key)
        if found is None:
            found = Prepared(key, operation, policed(self.schema, self.registry, operation), self._born)
            self.caches.operations.put(key, found, sizes.prepared(operation.size, len(operation.coordinates)))
        return found

    def _refusal(self, bound: Unplannable) -> Refusal:
        return Refusal(bound.what, bound.limit, self._clock.monotonic() + REFUSED_FOR)

    def _still_refused(self, found: object) -> None:
        if isinstance(found, Refusal) and self._clock.monotonic() < found.until:
            raise Unplannable(found.what, found.limit)


def _chosen(document: Document, operation_name: str | None) -> tuple[str, OperationDefinitionNode]:
    if operation_name:
        return operation_name, document.definitions[operation_name]
    if len(document.definitions) == 1:
        return next(iter(document.definitions.items()))
    raise LookupError("operationName")


def _conditions(document: Document, node: OperationDefinitionNode, variables: Mapping[str, Any]) -> tuple[bool, ...]:
    """The condition variables as this request has them; those of other operations in the document are left alone."""
    if not document.conditions:
        return ()
    defaults = {d.variable.name.value: d.default_value for d in node.variable_definitions or ()}
    return tuple(name in defaults and bool(variables.get(name, getattr(defaults[name], "value", False))) for name in document.conditions)
