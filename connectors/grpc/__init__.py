"""Systems that speak gRPC: ``@grpc`` and ``@call`` of a manifest.

Messages are made and read by what the server says of itself (server reflection); no generated code. Must not know GraphQL, other kinds, or
how the engine retries and caches.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import Any, Self

import orjson

from connectors.answers import broken
from connectors.calls import KEYS, Place, capable, matched, prepare, sift, text_of
from connectors.credentials import Auth
from connectors.grpc.channel import Channel, Failure
from connectors.grpc.given import unfit
from connectors.grpc.reflection import Reflection
from connectors.grpc.service import TYPES, Reading, Service
from connectors.grpc.values import single
from connectors.http import Exchange, onlooker
from connectors.operations import Operation, catalog
from connectors.rules import NOT_FOUND, ErrorWord, compile_rules, verdict
from connectors.settings import read, refused
from connectors.spi import Ask, Call, Catalog, Connector, Page, Plan, Relation, Secret, SourceError, describe_ask, split, too_many_rows
from connectors.tls import Tls

# How long what a server says of itself is relied upon, in seconds: a field that it dropped would read as its default until then.
_RELIED_ON = 60.0
Part = tuple[list[Any], int]  # rows, and in how many bytes they came
_PAGE = 500  # rows of a stream that are handed over together


@dataclass(frozen=True, slots=True)
class GrpcSettings:
    """``target`` is ``host:port``, with ``grpcs://`` before it or with ``tls`` over TLS. ``headers`` are metadata of each call. ``errors``
    are tried before the status counts. ``max_bytes`` bounds one message. Files that ``tls`` names lie in the folder ``beside``.
    """

    target: str
    auth: Auth = field(default_factory=Auth)
    tls: Tls | None = None
    headers: Mapping[str, str | Secret] = field(default_factory=dict)
    errors: tuple[ErrorWord, ...] = ()
    max_bytes: int = 64 * 1024 * 1024
    beside: str = ""

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Self:
        """From a manifest's words. Raises SourceError (config) naming what it does not know."""
        return read(cls, data)


class GrpcConnector(Connector):
    """One gRPC server. ``ticks`` counts seconds, for how long its description is relied upon; the loop's clock if not given."""

    kind = "grpc"
    Settings = GrpcSettings

    def __init__(self, settings: GrpcSettings, *, system: str = "", ticks: Callable[[], float] | None = None) -> None:
        super().__init__(settings, system=system)
        self._channel = Channel(
            settings.target, settings.auth, settings.headers, tls=settings.tls, beside=settings.beside, max_bytes=settings.max_bytes
        )
        self._reflection = Reflection(self._channel)
        self._rules = compile_rules(settings.errors)
        self._ticks = ticks or (lambda: asyncio.get_running_loop().time())
        self._services: dict[str, tuple[Service, float]] = {}
        self._reading = asyncio.Lock()

    async def describe(self) -> Catalog:
        """All operations of all services as relations, read anew. Raises SourceError."""
        return catalog(await self.operations(), TYPES)

    async def operations(self) -> tuple[Operation, ...]:
        """What all services take and bring, read anew, for tools of authors. Raises SourceError."""
        return tuple(one for service in await self.services() for one in service.operations())

    async def services(self) -> tuple[Service, ...]:
        """All services as they are now, by name. Raises SourceError."""
        self._services.clear()
        return tuple([await self._service(name, Call()) for name in await self._reflection.services(Call())])

    def plan(self, ask: Ask, relation: Relation) -> Plan:
        place = prepare(relation)
        if not ask.by and place.names() & {KEYS, *relation.keys} - {*relation.args}:
            raise refused(f"{relation.name} can be asked by key alone")
        if not all(place.operation.partition("/")):
            raise refused(f"{relation.name}: an operation is written package.Service/Method, not '{place.operation}'")
        made = split(ask, capable(ask, relation, place))
        text = f"{place.operation}({', '.join(sorted(place.names()))}) -> {describe_ask(made.ask)}"
        return replace(made, relation=relation, fields=matched(made.fields, relation), native=place, text=text)

    async def fetch(self, plan: Plan, call: Call) -> AsyncIterator[Page]:
        place: Place = plan.native
        if len(call.keys) > max(1, plan.relation.max_keys):
            raise refused(f"{plan.relation.name} takes {plan.relation.max_keys} keys at once, not {len(call.keys)}")
        service = await self._serving(place.operation, call)
        reading = service.reading(place, plan.fields)
        holders = [service.holder(place.operation, way) for way in place.keys_at]
        joined = place.joined or any(map(single, holders))
        keys, faults = sift(call.keys, joined, lambda part: next(filter(None, (unfit(one, part) for one in holders)), ""))
        given = {c.field: call.params.get(c.param) for c in plan.ask.where}
        if (plan.ask.by and not keys) or None in given.values():  # nothing equals null
            yield replace(Page.of([], plan.fields), faults=faults)
            return
        given |= {name: call.params.get(name) for name in plan.relation.args}
        filled: tuple[Any, ...] = ()
        if keys:
            own = dict(zip(plan.ask.by, keys[0], strict=True))
            asked = [key[0] for key in keys]
            given |= own | {KEYS: text_of(asked) if joined and len(asked) > 1 else asked[0] if joined else asked}
            filled = tuple(own[one.name] for one in plan.fields if not one.path and one.name in own)
        try:
            body = service.request(place, given)
        except SourceError as error:
            if error.kind != "invalid" or len(keys) != 1:
                raise
            yield replace(Page.of([], plan.fields), faults={**faults, keys[0]: error})
            return
        async with aclosing(self._rows(plan, service, reading, body, call)) as parts:
            async for rows, size in parts:
                yield replace(Page.of(rows, plan.fields, key=filled), faults=faults, bytes=size)
                faults = {}

    async def close(self) -> None:
        await self._channel.close()

    async def _rows(self, plan: Plan, service: Service, reading: Reading, body: bytes, call: Call) -> AsyncGenerator[Part, None]:
        """One page after the other."""
        rows: list[Any] = []
        seen = size = before = 0
        async with aclosing(self._answers(plan, service, reading, body, call)) as answers:
            async for answer in answers:
                found = [] if answer is None else reading.rows(answer)
                seen += len(found)
                size += len(answer or b"")
                if seen > call.max_rows:
                    raise too_many_rows(call)
                if size > call.max_bytes:
                    raise broken("The source's answer is too large.", f"over {call.max_bytes} bytes")
                rows += found
                if len(rows) >= _PAGE:
                    yield rows, size - before
                    rows, before = [], size
        yield rows, size - before

    async def _answers(self, plan: Plan, service: Service, reading: Reading, body: bytes, call: Call) -> AsyncGenerator[bytes | None, None]:
        """Each answer of one call, None where the department says that nothing was found."""
        place: Place = plan.native
        write = plan.relation.effect == "write"
        more = {place.key_header: call.idempotency_key} if place.key_header and call.idempotency_key else {}
        metadata = self._channel.metadata(call, more)
        told = self._told(service, place, body, metadata)
        try:
            if reading.streams:
                async with aclosing(self._channel.stream(place.operation, body, call, metadata)) as answers:
                    async for answer in answers:
                        yield self._well(reading, answer, told)
            else:
                yield self._well(reading, await self._channel.unary(place.operation, body, call, metadata, once=write), told)
        except Failure as error:
            if told is not None:
                _noted(told, {"code": error.status, "message": error.said})
            if error.status in ("UNIMPLEMENTED", "UNAVAILABLE"):  # another release of it may be there, or come
                self._services.pop(service.name, None)
            said = verdict(self._rules, 0, {"fault": {"code": error.status, "message": error.said}})
            absent = said.code == NOT_FOUND if said else error.status == "NOT_FOUND"
            if not absent:
                raise said or error from None
            if write:
                raise SourceError("invalid", error.message, detail=error.detail) from None
            yield None

    def _well(self, reading: Reading, answer: bytes, told: list[Exchange] | None) -> bytes | None:
        """An answer that is none of the errors that the manifest tells by its content."""
        if told is not None:
            _noted(told, reading.whole(answer))
        said = verdict(self._rules, 0, reading.whole(answer)) if self._rules else None
        if said is None:
            return answer
        if said.code != NOT_FOUND:
            raise said
        return None

    def _told(self, service: Service, place: Place, body: bytes, metadata: Sequence[tuple[str, str]]) -> list[Exchange] | None:
        """Where an author looks on: what is sent, as JSON."""
        told = onlooker.get()
        if told is not None:
            shown = {name: "****" if name in self._channel.hidden else value for name, value in metadata}
            address = f"{self._channel.target}/{place.operation}"
            told.append(Exchange("gRPC", address, shown, orjson.dumps(service.shown(place.operation, body))))
        return told

    async def _serving(self, operation: str, call: Call) -> Service:
        """The service of an operation. One that lacks it is asked once more what it is: it may have been given it since."""
        name = operation.partition("/")[0]
        known = name in self._services
        service = await self._service(name, call)
        if known and not service.has(operation):
            self._services.pop(name, None)
            service = await self._service(name, call)
        return service

    async def _service(self, name: str, call: Call) -> Service:
        """A service as its server described it within the last minute; asked once for all who wait. A failure is not kept."""
        async with self._reading:
            service, until = self._services.get(name, (None, 0.0))
            if service is None or self._ticks() >= until:
                files = await self._reflection.files(name, call)
                if service is None or service.files != files:
                    service = Service(name, files)
                self._services[name] = service, self._ticks() + _RELIED_ON
            return service


def _noted(told: list[Exchange], answer: Any) -> None:
    """What came back, beside what was sent; gRPC has no status of HTTP but this one."""
    told[-1] = replace(told[-1], status=200, received=told[-1].received + orjson.dumps(answer, default=str) + b"\n")
