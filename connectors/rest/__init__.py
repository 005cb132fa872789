"""Systems that answer HTTP with JSON: ``@rest`` and ``@get`` of a manifest.

Batches by ``{keys}``, pages by number, offset, cursor or link, errors by status and by the department's own codes. Must not know
GraphQL, other kinds, or how the engine retries and caches.

Pages end when an empty one comes or the total is reached, never with a short one: departments cut pages as they like.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self

from connectors.calls import matched
from connectors.feeds import News
from connectors.http import Answer, Auth, Endpoint, broken, decode, known_charset, max_age, rows_at
from connectors.rest.events import news, read_events
from connectors.rest.links import next_link
from connectors.rest.place import Place, Turn, capable, prepare
from connectors.rest.template import KEYS, Unfit, encode, plain
from connectors.rules import NOT_FOUND, ErrorWord, compile_rules, verdict
from connectors.settings import read, refused
from connectors.spi import Ask, Call, Catalog, Connector, Page, Plan, Relation, Secret, SourceError, describe_ask, split, too_many_rows
from connectors.tls import Tls, context

# A source that never says that there is no more is stopped here.
_MOST_PAGES = 10_000


@dataclass(frozen=True, slots=True)
class RestSettings:
    """``base`` is the address every path is added to; ``health`` a path that ``describe`` asks for (else the base itself).
    ``charset`` is what answers are written in, whatever they say of it.

    ``errors`` are tried in order before the status counts. ``max_bytes`` bounds one answer, decompressed.
    Files that ``tls`` names lie in the folder ``beside``.
    """

    base: str
    auth: Auth = field(default_factory=Auth)
    headers: Mapping[str, str | Secret] = field(default_factory=dict)
    errors: tuple[ErrorWord, ...] = ()
    health: str = ""
    charset: str = ""
    max_bytes: int = 64 * 1024 * 1024
    tls: Tls | None = None
    beside: str = ""

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Self:
        """From a manifest's words. Raises SourceError (config) naming what it does not know."""
        return read(cls, data)


class RestConnector(Connector):
    """One REST system."""

    kind = "rest"
    Settings = RestSettings

    def __init__(self, settings: RestSettings, *, system: str = "") -> None:
        super().__init__(settings, system=system)
        self._endpoint = Endpoint(
            settings.base, settings.auth, settings.headers, max_bytes=settings.max_bytes, tls=context(settings.tls, settings.beside)
        )
        if settings.charset and not known_charset(settings.charset):
            raise refused(f"there is no charset '{settings.charset}'")
        self._rules = compile_rules(settings.errors)

    async def describe(self) -> Catalog:
        """Nothing can be read from a REST system about itself; that it answers is checked. Raises SourceError."""
        answer = await self._endpoint.send("GET", self.settings.health or "/", Call())
        wrong = self._endpoint.refusal(answer)
        if wrong and wrong.code == "FORBIDDEN":
            return Catalog(relations=())  # nobody in particular was asking
        if wrong and (self.settings.health or wrong.kind in ("denied", "down")):
            raise wrong
        return Catalog(relations=())

    def plan(self, ask: Ask, relation: Relation) -> Plan:
        place = prepare(relation)
        if not ask.by and place.template.names() & {KEYS, *relation.keys} - {*relation.args}:
            raise refused(f"{relation.name} can be asked by key alone")
        made = split(ask, capable(ask, relation, place))
        target = place.template.path.text + ("?" + "&".join(pair.text for pair in place.template.pairs) if place.template.pairs else "")
        text = f"{place.method} {target} -> {describe_ask(made.ask)}"
        return replace(made, relation=relation, fields=matched(made.fields, relation), native=place, text=text)

    async def fetch(self, plan: Plan, call: Call) -> AsyncIterator[Page]:
        place: Place = plan.native
        if len(call.keys) > max(1, plan.relation.max_keys):
            raise refused(f"{plan.relation.name} takes {plan.relation.max_keys} keys at once, not {len(call.keys)}")
        keys, faults = place.sift(call.keys)
        given = {c.field: call.params.get(c.param) for c in plan.ask.where}
        if (plan.ask.by and not keys) or None in given.values():  # nothing equals null
            yield replace(Page.of([], plan.fields, total=0 if plan.ask.total else None), faults=faults)
            return
        given |= {name: call.params.get(name) for name in plan.relation.args}
        filled: tuple[Any, ...] = ()
        if keys:
            given |= dict(zip(plan.ask.by, keys[0], strict=True)) | {KEYS: [key[0] for key in keys]}
            silent = {one.name for one in plan.fields if not one.path}
            filled = tuple(part for name, part in zip(plan.ask.by, keys[0], strict=True) if name in silent)
        async for rows, total, age, size in self._pages(plan, given, call):
            page = Page.of(rows, plan.fields, total=total, key=filled)
            page.faults, page.max_age, page.bytes = faults, age, size
            yield page
            faults = {}

    async def events(self, plan: Plan, call: Call, after: str = "") -> AsyncIterator[News]:
        """One connection to a stream of server-sent events; see ``connectors.feeds``."""
        place: Place = plan.native
        try:
            target = place.template.target({name: call.params.get(name) for name in plan.relation.args})
        except Unfit as error:
            raise SourceError("invalid", "This value cannot be sent to the source.", detail=str(error)) from None
        async with self._endpoint.stream(target, call, after, place.quiet) as parts:
            async for event in read_events(parts, self.settings.max_bytes):
                if not place.event or event.name == place.event:
                    yield news(event, place.at, plan.fields)

    async def close(self) -> None:
        await self._endpoint.close()

    async def _pages(
        self, plan: Plan, given: Mapping[str, Any], call: Call
    ) -> AsyncIterator[tuple[list[Any], int | None, float | None, int]]:
        """(rows, total, max age, bytes) of one page after the other."""
        place: Place = plan.native
        wanted = call.params[plan.ask.limit] if plan.ask.limit else None
        bare = any(one.path == "$" for one in plan.fields)
        turn = place.page.begin()
        seen = 0
        before: list[Any] = []
        for _ in range(_MOST_PAGES):
            answer, document, target = await self._ask(place, given, turn, call, once=plan.relation.effect == "write")
            rows = rows_at(place.at(document), bare)
            if rows and rows == before:
                raise broken("The source sends the same page again.", f"{plan.relation.name}: check page and total")
            total = _whole(place.total(document)) if place.total else None
            seen += len(rows)
            if seen > call.max_rows:
                raise too_many_rows(call)
            enough = wanted is not None and seen >= wanted
            kept = rows[: len(rows) - (seen - wanted)] if wanted is not None and enough else rows
            yield kept, total if plan.ask.total else None, max_age(answer), answer.size
            if enough or (total is not None and seen >= total):
                return
            turn = turn.after(len(rows), self._next(place, answer, document, target))
            if turn.done:
                return
            before = rows
        raise broken("The source sends pages without end.", f"over {_MOST_PAGES}")

    def _next(self, place: Place, answer: Answer, document: Any, target: str) -> Any:
        """What an answer says to be the next page: a mark, or where a link leads."""
        if place.page.style != "LINK":
            return place.next(document) if place.next else None
        link = next_link(answer.headers)
        return self._endpoint.follow(link, target) if link else None

    async def _ask(self, place: Place, given: Mapping[str, Any], turn: Turn, call: Call, *, once: bool) -> tuple[Answer, Any, str]:
        """One answer, its document, None where the department says that nothing was found, and where it came from. ``once``: see
        ``Endpoint.send``."""
        try:
            target, body = turn.address or place.template.target(given), place.template.content(given)
            more = turn.params
            if isinstance(body, dict):
                body |= {name: plain(value) for name, value in more.items()}
            elif more:
                target += ("&" if "?" in target else "?") + "&".join(f"{encode(name)}={encode(value)}" for name, value in more.items())
        except Unfit as error:
            raise SourceError("invalid", "This value cannot be sent to the source.", detail=str(error)) from None
        if place.asked_again:
            answer = await self._endpoint.read(target, call)
        else:
            headers = {place.key_header: call.idempotency_key} if place.key_header and call.idempotency_key else None
            answer = await self._endpoint.send(place.method, target, call, json=body, headers=headers, once=once)
        wrong = self._endpoint.refusal(answer)
        document = None
        try:
            document = decode(answer, self.settings.charset)
        except SourceError as error:
            wrong = wrong or error
        said = verdict(self._rules, answer.status, document)
        if said and said.code == NOT_FOUND:
            return answer, None, target
        if said or wrong:
            raise said or wrong  # type: ignore[misc]  # one of them is there
        return answer, document, target


def _whole(total: Any) -> int | None:
    """A total as departments write it: a number, or its digits."""
    if total is None:
        return None
    if isinstance(total, str) and total.isascii() and total.strip().isdecimal():
        return int(total)
    if isinstance(total, int) and not isinstance(total, bool) and total >= 0:
        return total
    raise broken("The source's total is not a number.")
