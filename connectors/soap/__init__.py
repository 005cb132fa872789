"""Systems that answer SOAP 1.1 and 1.2 over HTTP: ``@soap`` and ``@call`` of a manifest.

Messages are made from the WSDL, which lies beside the manifest or behind the system's own credential; answers are read by the manifest's
paths. What goes over the wire is ``connectors.http``'s. Must not know GraphQL, other kinds, or how the engine retries and caches.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, Self

from connectors.calls import KEYS, Place, capable, matched, sift, text_of
from connectors.http import Answer, Auth, Endpoint, max_age, onlooker
from connectors.operations import Operation, catalog
from connectors.rules import NOT_FOUND, ErrorWord, compile_rules, verdict
from connectors.settings import read, refused
from connectors.soap.documents import Folder, Site, gather, origin
from connectors.soap.envelope import Message, parse
from connectors.soap.place import prepare, unfit, unholdable
from connectors.soap.values import reader, rows_at
from connectors.soap.wsdl import Request, Service, Token
from connectors.spi import (
    Ask,
    Call,
    Catalog,
    Connector,
    Options,
    Page,
    Plan,
    Relation,
    Secret,
    SourceError,
    describe_ask,
    split,
    too_many_rows,
)
from connectors.tls import Tls, context

_STARS = "****"
_TYPES = {  # of XML Schema -> of a column
    **dict.fromkeys(("int", "integer", "long", "short", "byte", "nonNegativeInteger", "positiveInteger", "unsignedInt"), "int"),
    **dict.fromkeys(("float", "double"), "float"),
    "decimal": "decimal",
    "boolean": "bool",
    "date": "date",
    "dateTime": "datetime",
}


@dataclass(frozen=True, slots=True)
class Security:
    """A WS-Security UsernameToken, its password sent as TEXT or as a DIGEST."""

    secret: Secret
    user: str | Secret = ""
    password: Literal["TEXT", "DIGEST"] = "TEXT"


@dataclass(frozen=True, slots=True)
class SoapSettings:
    """``wsdl`` is a file, from the folder ``beside``, or an address; ``url`` stands for the address that the WSDL gives, ``port`` names one
    of its ports. ``header`` are SOAP headers by the name of their element. ``errors`` are tried before the answer's own fault.

    ``max_bytes`` bounds one answer, decompressed, and each document of the WSDL.
    """

    wsdl: str
    url: str = ""
    port: str = ""
    auth: Auth = field(default_factory=Auth)
    tls: Tls | None = None
    security: Security | None = None
    headers: Mapping[str, str | Secret] = field(default_factory=dict)
    header: Options = field(default_factory=Options)
    errors: tuple[ErrorWord, ...] = ()
    max_bytes: int = 64 * 1024 * 1024
    beside: str = ""

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Self:
        """From a manifest's words. Raises SourceError (config) naming what it does not know."""
        return read(cls, data)


class SoapConnector(Connector):
    """One SOAP service. ``now`` dates a password digest."""

    kind = "soap"
    Settings = SoapSettings

    def __init__(self, settings: SoapSettings, *, system: str = "", now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        super().__init__(settings, system=system)
        self._rules = compile_rules(settings.errors)
        self._now = now
        self._tls = context(settings.tls, settings.beside)
        beside = Path(settings.beside).resolve()
        live = settings.wsdl.startswith(("http://", "https://"))
        self._folder = Folder(beside, settings.max_bytes)
        self._root = settings.wsdl if live else (beside / settings.wsdl).as_uri()
        self._site = self._to(origin(settings.wsdl)) if live else None
        self._endpoint: Endpoint | None = None
        self._target = ""
        if settings.url:
            self._found(settings.url)
        self._service: Service | None = None
        self._reading = asyncio.Lock()

    async def describe(self) -> Catalog:
        """The WSDL's operations as relations, read anew; that something answers at the address is checked too. Raises SourceError."""
        self._service = None
        service = await self.service(Call())
        endpoint = self._endpoint_of(service)
        wrong = endpoint.refusal(await endpoint.send("GET", self._target, Call()))
        if wrong and wrong.kind in ("denied", "down"):
            raise wrong
        return catalog(service.operations(), _TYPES)

    async def operations(self) -> tuple[Operation, ...]:
        """The WSDL's operations with what they take and bring, for tools of authors. Raises SourceError."""
        return (await self.service(Call())).operations()

    def plan(self, ask: Ask, relation: Relation) -> Plan:
        place = prepare(relation)
        if not ask.by and place.names() & {KEYS, *relation.keys} - {*relation.args}:
            raise refused(f"{relation.name} can be asked by key alone")
        made = split(ask, capable(ask, relation, place))
        text = f"{place.operation}({', '.join(sorted(place.names()))}) -> {describe_ask(made.ask)}"
        return replace(made, relation=relation, fields=matched(made.fields, relation), native=place, text=text)

    async def fetch(self, plan: Plan, call: Call) -> AsyncIterator[Page]:
        place: Place = plan.native
        if len(call.keys) > max(1, plan.relation.max_keys):
            raise refused(f"{plan.relation.name} takes {plan.relation.max_keys} keys at once, not {len(call.keys)}")
        service = await self.service(call)
        joined = place.joined or not all(service.repeats(place.operation, way) for way in place.keys_at)
        keys, faults = sift(call.keys, joined, unholdable)
        given = {c.field: call.params.get(c.param) for c in plan.ask.where}
        if (plan.ask.by and not keys) or None in given.values():  # nothing equals null
            yield replace(Page.of([], plan.fields, total=0 if plan.ask.total else None), faults=faults)
            return
        given |= {name: call.params.get(name) for name in plan.relation.args}
        filled: Mapping[str, Any] = {}
        if keys:
            asked = [key[0] for key in keys]
            given |= dict(zip(plan.ask.by, keys[0], strict=True)) | {KEYS: text_of(asked) if joined else asked}
            filled = dict(zip(plan.ask.by, keys[0], strict=True))
        if why := unfit(given):
            raise SourceError("invalid", "This value cannot be sent to the source.", detail=why)
        answer, message = await self._ask(service, place, given, call, once=plan.relation.effect == "write")
        rows = rows_at(message.payload, place.at, any(one.path == "$" for one in plan.fields)) if message is not None else []
        if len(rows) > call.max_rows:
            raise too_many_rows(call)
        columns = {one.name: list(map(reader(one), rows)) if one.path else [filled.get(one.name)] * len(rows) for one in plan.fields}
        yield Page(columns, len(rows), faults=faults, max_age=max_age(answer), bytes=len(answer.body))

    async def close(self) -> None:
        for endpoint in (self._endpoint, self._site):
            if endpoint is not None:
                await endpoint.close()

    async def service(self, call: Call) -> Service:
        """The WSDL, read once, in a thread; what it imports is brought before. Raises SourceError; a failure is not remembered."""
        async with self._reading:
            if self._service is None:
                bring = self._folder.bring if self._site is None else Site(self._site, call).bring
                documents = await gather(self._root, bring)
                self._service = await asyncio.to_thread(Service, self._root, documents, self.settings.port)
            return self._service

    async def _ask(
        self, service: Service, place: Place, given: Mapping[str, Any], call: Call, *, once: bool
    ) -> tuple[Answer, Message | None]:
        """One answer and its message, None where the department says that nothing was found."""
        try:
            request = self._request(service, place, given, shown=False)
        except SourceError as error:
            if error.kind == "config" and any(given.get(name) is None for name in place.names()):
                raise SourceError("invalid", "Nothing is given for what the source requires.", detail=error.detail) from None
            raise
        shown = self._request(service, place, given, shown=True).content if onlooker.get() is not None else None
        headers = {"Accept": "text/xml, application/soap+xml, application/xml;q=0.9", **request.headers}
        if place.key_header and call.idempotency_key:
            headers[place.key_header] = call.idempotency_key
        endpoint = self._endpoint_of(service)
        answer = await endpoint.send("POST", self._target, call, content=request.content, shown=shown, headers=headers, once=once)
        wrong = endpoint.refusal(answer)
        message = None
        try:
            message = parse(answer)
        except SourceError as error:
            wrong = wrong or error
        said = verdict(self._rules, answer.status, message.document if message else None)
        if said and said.code == NOT_FOUND:
            return answer, None
        fault = message.fault(answer.status) if message else None
        if said or fault or wrong:
            # 401, 429 and their like say more than the fault that may come with them.
            plain = wrong if wrong is not None and wrong.kind not in ("broken", "invalid") else None
            raise said or plain or fault or wrong  # type: ignore[misc]  # one of them is there
        return answer, message

    def _request(self, service: Service, place: Place, given: Mapping[str, Any], *, shown: bool) -> Request:
        """``shown``: as an author may see it, secrets as stars."""
        header = {name: _revealed(value, shown) for name, value in self.settings.header.items()}
        security, token = self.settings.security, None
        if security is not None:
            password = _STARS if shown else security.secret.reveal()
            token = Token(_revealed(security.user, shown), password, security.password == "DIGEST", self._now())
        return service.request(place.operation, place.values(given), header, token)

    def _endpoint_of(self, service: Service) -> Endpoint:
        """Where messages go: ``url``, else where the WSDL says, which for a WSDL from an address has to be the same origin."""
        if self._endpoint is None:
            if not service.address:
                raise refused("The WSDL gives no address; write 'url'.")
            if self._site is not None and origin(service.address) != self._site.base:
                raise refused("The WSDL gives an address elsewhere; write it as 'url' if that is right.")
            self._found(service.address)
        assert self._endpoint is not None
        return self._endpoint

    def _found(self, url: str) -> None:
        base, mark, query = url.partition("?")
        self._endpoint = self._to(base)
        self._target = ("/" if base.endswith("/") else "") + mark + query

    def _to(self, base: str) -> Endpoint:
        return Endpoint(base, self.settings.auth, self.settings.headers, max_bytes=self.settings.max_bytes, tls=self._tls)


def _revealed(value: Any, shown: bool) -> Any:
    """Plain data with secrets in it as they go out; ``{secret: NAME}`` stands for the secret of that name."""
    if isinstance(value, Secret):
        return _STARS if shown else value.reveal()
    if isinstance(value, Mapping):
        if set(value) == {"secret"}:
            return _revealed(value["secret"], shown)
        return {name: _revealed(inner, shown) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_revealed(inner, shown) for inner in value]
    return value
