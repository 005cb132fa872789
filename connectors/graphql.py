"""Systems that are a GraphQL endpoint: ``@graphql`` and ``@field`` of a manifest.

One document per plan, with the keys as a variable whose type comes from the manifest (``keyType``) or, once, from the endpoint's own
schema. The order of an answer is not trusted: rows carry their key. Must not know the hub's own schema or execution.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, Self

from connectors import graphql_entities as entities
from connectors.graphql_document import ROWS, Document, Schema, introspection, prepare
from connectors.http import Auth, Endpoint, broken, decode, rows_at
from connectors.paths import reader, steps
from connectors.rules import NOT_FOUND, ErrorWord, compile_rules, verdict
from connectors.settings import read, refused
from connectors.spi import (
    Ask,
    Call,
    Catalog,
    Connector,
    ErrorKind,
    Options,
    Page,
    Plan,
    Relation,
    Secret,
    SourceError,
    split,
    too_many_rows,
)
from connectors.tls import Tls, context

Key = tuple[Any, ...]
_HALF = re.compile("[\ud800-\udfff]")
_CODES: dict[str, ErrorKind] = {
    "UNAUTHENTICATED": "denied",
    "UNAUTHORIZED": "denied",
    "FORBIDDEN": "denied",
    "RATE_LIMITED": "busy",
    "TOO_MANY_REQUESTS": "busy",
    "THROTTLED": "busy",
    "TIMEOUT": "slow",
    "SERVICE_UNAVAILABLE": "down",
    "BAD_USER_INPUT": "invalid",
    "GRAPHQL_PARSE_FAILED": "config",
    "GRAPHQL_VALIDATION_FAILED": "config",
}
# Apollo's automatic persisted queries: that a text is not known by its hash, and that none is. Some servers send no code with them.
_UNKNOWN_HASH, _NO_HASHES = "PERSISTED_QUERY_NOT_FOUND", "PERSISTED_QUERY_NOT_SUPPORTED"
_SAID = {"PersistedQueryNotFound": _UNKNOWN_HASH, "PersistedQueryNotSupported": _NO_HASHES}
# How servers word it that a document does not fit their schema; many send no code with it.
_UNFIT = ("Cannot query field", "Unknown argument", "Unknown type", "Unknown field", "Field ", "Argument ", "Fragment ")
_MESSAGES: dict[ErrorKind, str] = {
    "config": "The source does not know what it is asked for.",
    "invalid": "The source did not accept the request.",
    "denied": "The source refused the hub's credential.",
    "busy": "The source is busy.",
    "slow": "The source did not answer in time.",
    "down": "The source is out of service.",
    "broken": "The source failed.",
}


@dataclass(frozen=True, slots=True)
class GraphqlSettings:
    """``url`` of the endpoint; it is spoken to by POST. ``errors`` are tried before the answer's own ``errors``. ``persisted``
    documents are named by their hash, and sent whole where the endpoint does not know it.

    ``max_bytes`` bounds one answer, decompressed.
    Files that ``tls`` names lie in the folder ``beside``.
    """

    url: str
    auth: Auth = field(default_factory=Auth)
    headers: Mapping[str, str | Secret] = field(default_factory=dict)
    errors: tuple[ErrorWord, ...] = ()
    persisted: Literal["NONE", "APQ"] = "NONE"
    max_bytes: int = 64 * 1024 * 1024
    tls: Tls | None = None
    beside: str = ""

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Self:
        """From a manifest's words. Raises SourceError (config) naming what it does not know."""
        return read(cls, data)


Told = tuple[Mapping[str, Any], Sequence[Mapping[str, Any]], int]  # data, errors, bytes


class GraphqlConnector(Connector):
    """One GraphQL endpoint."""

    kind = "graphql"
    Settings = GraphqlSettings

    def __init__(self, settings: GraphqlSettings, *, system: str = "") -> None:
        super().__init__(settings, system=system)
        self._endpoint = Endpoint(
            settings.url, settings.auth, settings.headers, max_bytes=settings.max_bytes, tls=context(settings.tls, settings.beside)
        )
        self._rules = compile_rules(settings.errors)
        self._schema: Schema | None = None
        self._reading = asyncio.Lock()
        self._hashes = settings.persisted == "APQ"  # until the endpoint says that it knows none

    async def describe(self) -> Catalog:
        self._schema = None
        return (await self._introspected(Call())).catalog()

    async def introspect(self, query: str) -> Mapping[str, Any]:
        """The endpoint's answer to an introspection query of the caller's own, for tools of authors. Raises SourceError."""
        data, errors, _ = await self._send({"query": query}, Call())
        if errors or "__schema" not in data:
            raise refused("The source does not tell its schema.")
        return data

    def plan(self, ask: Ask, relation: Relation) -> Plan:
        if relation.open:
            return entities.prepare(ask, relation)
        document = prepare(ask, relation)
        made = split(ask, replace(relation, where=Options(), order=(), limit=False, total=False))
        fields = document.matched(made.fields, relation)
        document = document.selecting(fields)
        return replace(made, relation=relation, fields=fields, native=document, text=document.text())

    async def fetch(self, plan: Plan, call: Call) -> AsyncIterator[Page]:
        if plan.relation.open:
            yield await self._federated(plan, call)
            return
        document: Document = plan.native
        if len(call.keys) > max(1, plan.relation.max_keys):
            raise refused(f"{plan.relation.name} takes {plan.relation.max_keys} keys at once, not {len(call.keys)}")
        faults = {key: SourceError("invalid", "This key cannot be asked for.") for key in call.keys if _unfit(key)}
        keys = [key for key in call.keys if key not in faults and key[0] is not None]
        if plan.ask.by and not keys:
            yield replace(Page.of([], plan.fields), faults=faults)
            return
        schema = None if document.typed else await self._introspected(call)
        variables = document.values(keys, call.params, schema)
        data, errors, size = await self._ask(document.render(schema), variables, call)
        found = reader(document.at)(data.get(ROWS))
        many = bool(plan.ask.by) and plan.relation.max_keys > 1
        if errors and not (many and isinstance(found, list)):
            raise _reported(errors[0])
        rows = found
        if errors:
            key_path = next(one.path for one in plan.fields if one.name == plan.ask.by[0])
            rows, failed = attribute(found, errors, (ROWS, *steps(document.at)), key_path, keys)
            faults |= failed
        rows = rows_at(rows)
        if len(rows) > call.max_rows:
            raise too_many_rows(call)
        silent = keys[0] if keys and not many else ()
        yield replace(Page.of(rows, plan.fields, key=silent), faults=faults, bytes=size)

    async def _federated(self, plan: Plan, call: Call) -> Page:
        """The answer of one graph of a federation."""
        sent = entities.body(plan.native, call.keys, call.params)
        data, errors, size = await self._send(sent, call, once=plan.relation.effect == "write")
        return replace(entities.page(plan, call.keys, dict(data), errors, _reported), bytes=size)

    async def close(self) -> None:
        await self._endpoint.close()

    async def _introspected(self, call: Call) -> Schema:
        async with self._reading:
            if self._schema is None:
                try:
                    data, errors, _ = await self._send({"query": introspection()}, call)
                except SourceError as error:
                    if error.kind not in ("invalid", "config"):
                        raise
                    data, errors = {}, ()
                if errors or not data.get("__schema"):
                    raise refused("The source does not tell its schema; give 'keyType' and 'argTypes' in its manifest.")
                self._schema = Schema.read(data["__schema"])
            return self._schema

    async def _ask(self, text: str, variables: Mapping[str, Any], call: Call) -> Told:
        """``_send`` of a document by its hash alone, if that will do."""
        if not self._hashes:
            return await self._send({"query": text, "variables": variables}, call)
        named = {"persistedQuery": {"version": 1, "sha256Hash": hashlib.sha256(text.encode()).hexdigest()}}
        try:
            return await self._send({"variables": variables, "extensions": named}, call)
        except SourceError as error:
            if error.code not in _SAID.values():
                raise
            self._hashes = error.code != _NO_HASHES
        known = {"extensions": named} if self._hashes else {}
        return await self._send({"query": text, "variables": variables, **known}, call)

    async def _send(self, sent: Mapping[str, Any], call: Call, *, once: bool = False) -> Told:
        """(data, errors, bytes). Raises SourceError where there is no data."""
        accept = {"Accept": "application/graphql-response+json, application/json;q=0.9"}
        answer = await self._endpoint.send("POST", "", call, json=sent, headers=accept, once=once)
        wrong = self._endpoint.refusal(answer)
        document = None
        try:
            document = decode(answer)
        except SourceError as error:
            wrong = wrong or error
        said = verdict(self._rules, answer.status, document)
        if said and said.code == NOT_FOUND:
            return {}, (), len(answer.body)
        if said or (wrong and (document is None or wrong.kind != "invalid")):
            raise said or wrong  # type: ignore[misc]  # one of them is there
        if not isinstance(document, dict) or not isinstance(document.get("data"), dict | None):
            raise wrong or broken("The source did not answer as GraphQL does.")
        errors = document.get("errors") or []
        if not isinstance(errors, list) or not all(isinstance(one, dict) for one in errors):
            raise wrong or broken("The source did not answer as GraphQL does.")
        data = document.get("data")
        if data is None and errors and once:
            said_so = _reported(errors[0])
            said_so.untouched = True  # it says itself that it did not do it
            raise said_so
        if data is None:
            raise _reported(errors[0]) if errors else wrong or broken("The source did not answer as GraphQL does.")
        return data, errors, len(answer.body)


def attribute(
    found: Sequence[Any], errors: Sequence[Mapping[str, Any]], place: tuple[str | int, ...], key_path: str, keys: Sequence[Key]
) -> tuple[list[Any], dict[Key, SourceError]]:
    """Which keys the errors of a partial answer belong to: (rows of the others, faults).

    A row that is there names its key. A row that is null does not, and its position proves nothing; but when as many rows failed
    so as there are keys that nobody answers, these are the keys. Otherwise some of them are absent, nobody can tell which, and the
    whole call is broken.
    """
    own = {str(key[0]): key for key in keys}
    read_key = reader(key_path)
    named = [own.get(str(read_key(row))) if isinstance(row, dict) else None for row in found]
    faults: dict[Key, SourceError] = {}
    nameless: dict[int, SourceError] = {}
    for error in errors:
        path = error.get("path")
        at = path[len(place)] if isinstance(path, list) and tuple(path[: len(place)]) == place and len(path) > len(place) else None
        if not isinstance(at, int):
            raise _reported(error)
        whose = named[at] if 0 <= at < len(found) else None
        if whose is None:
            nameless[at] = _reported(error)
        else:
            faults[whose] = _reported(error)
    missing = [key for key in keys if key not in named]
    if nameless and len(nameless) != len(missing):
        raise broken("Some rows of the source failed, and it does not say which.", f"{len(nameless)} of {len(missing)}")
    if nameless:
        first, *others = nameless.values()
        alike = all(other.kind == first.kind for other in others)
        faults |= dict.fromkeys(missing, first if alike else broken("The source failed."))
    return [row for row, name in zip(found, named, strict=True) if name not in faults and row is not None], faults


def _reported(error: Mapping[str, Any]) -> SourceError:
    """One entry of ``errors``. Its message is kept only where it speaks of the document, which holds no values."""
    extensions = error.get("extensions")
    code = str(extensions.get("code", "")) if isinstance(extensions, dict) else ""
    said = str(error.get("message", ""))
    code = code or _SAID.get(said, "")
    unfit = said.startswith(_UNFIT) or ("$" in said and "used in position expecting" in said)
    kind: ErrorKind = _CODES.get(code) or ("config" if unfit else "broken" if error.get("path") else "invalid")
    return SourceError(kind, _MESSAGES[kind], detail=f"{code} {said}".strip() if kind == "config" else code, code=code)


def _unfit(key: Key) -> bool:
    return any(isinstance(part, str) and _HALF.search(part) for part in key)
