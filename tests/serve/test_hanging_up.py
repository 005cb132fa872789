"""A caller that hangs up takes its own calls with it and nobody else's: a real server, real connections, sources that wait to be let go."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import orjson

from connectors.spi import Call, Page, Plan
from hub.clock import SystemClock
from hub.config import Http
from hub.run.coalesce import IN_FLIGHT
from hub.run.engine import Engine
from hub.run.sources import Sources
from hub.serve.drain import Drain
from hub.serve.graphql import Endpoint, Exchange
from hub.serve.limits import Gate, Limits
from hub.serve.metrics import Metrics
from hub.serve.server import Server, listen
from tests.bound import leaf, lookup
from tests.serve.small import WordVerifier
from tests.worlds import world

ROWS = [{"xydm": name, "qymc": f"企业{name}"} for name in "ABCDEFG"]


class Held:
    """The calls of a source in flight: each goes on when it is let go."""

    def __init__(self, memory: Any) -> None:
        self.calls: list[tuple[tuple[Any, ...], asyncio.Event]] = []
        self.cancelled: list[tuple[Any, ...]] = []
        self.fetch = memory.fetch
        memory.fetch = self.held

    async def held(self, plan: Plan, call: Call) -> AsyncIterator[Page]:
        keys, go = tuple(key[0] for key in call.keys), asyncio.Event()
        self.calls.append((keys, go))
        try:
            await go.wait()
        except asyncio.CancelledError:
            self.cancelled.append(keys)
            raise
        async for page in self.fetch(plan, call):
            yield page

    def let_go(self, number: int) -> None:
        self.calls[number][1].set()


async def until(there: Callable[[], bool]) -> None:
    """Let the server run until it is so."""
    async with asyncio.timeout(20):
        while not there():  # noqa: ASYNC110  # connections of the real server tell nobody of their progress
            await asyncio.sleep(0)


class Client:
    """One connection with one question on its way."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def answer(self) -> Any:
        head = await self.reader.readuntil(b"\r\n\r\n")
        [length] = [int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
        found = orjson.loads(await self.reader.readexactly(length))
        await self.hang_up()
        return found

    async def hang_up(self) -> None:
        self.writer.close()
        await self.writer.wait_closed()


class Running:
    def __init__(self, held: Held, port: int, drain: Drain, audited: list[Exchange], engine: Engine) -> None:
        self.held, self.port, self.drain, self.audited, self.engine = held, port, drain, audited, engine

    def waiting(self) -> int:
        """Questions that wait to leave with the next call."""
        shared = self.engine.shared
        assert shared is not None
        return sum(len(lane._waiting) for lane in shared._lanes.values())

    async def ask(self, uscc: str) -> Client:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        body = orjson.dumps({"query": f'{{ firm(uscc: "{uscc}") {{ name }} }}'})
        writer.write(
            b"POST /graphql HTTP/1.1\r\nhost: hub\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(body) + body
        )
        await writer.drain()
        return Client(reader, writer)


@asynccontextmanager
async def running(max_keys: int) -> AsyncIterator[Running]:
    """A hub over one register that takes ``max_keys`` keys a call (1: its calls are not shared)."""
    register = lookup("register", "Firm", "uscc", {"uscc": "xydm", "name": leaf("qymc")}, anchor=True, max_keys=max_keys)
    made = world(
        "type Query { firm(uscc: ID!): Firm } type Firm { uscc: ID! name: String }",
        [register],
        {"register": {"Firm": ROWS}},
        keys={"Firm": ["uscc"]},
        roots={"Query.firm": ("Firm", {"uscc": "uscc"})},
    )
    held, clock, drain, audited = Held(made.systems["register"]), SystemClock(), Drain(), []

    async def audit(exchange: Exchange) -> None:
        audited.append(exchange)

    engine = Engine(made.schema, made.registry, Sources(made.registry.systems, made.connectors, clock))
    endpoint = Endpoint(engine, WordVerifier(), audit, clock, Gate(Limits()), drain, Metrics())
    listening = listen(Http(port=0))
    server = Server(endpoint, Http(port=0), drain)
    serving = asyncio.create_task(server.serve([listening]))
    try:
        yield Running(held, listening.getsockname()[1], drain, audited, engine)
    finally:
        server.stop()
        await serving
        listening.close()


async def test_case_32_who_hangs_up_takes_its_own_call_with_it() -> None:
    """Case 32: a client disconnects; its own calls are cancelled."""
    async with running(max_keys=1) as hub:
        client = await hub.ask("A")
        await until(lambda: len(hub.held.calls) == 1)
        await client.hang_up()
        await until(lambda: hub.held.cancelled == [("A",)])
        other = await hub.ask("B")
        await until(lambda: len(hub.held.calls) == 2)
        hub.held.let_go(1)
        assert await other.answer() == {"data": {"firm": {"name": "企业B"}}}
        assert (hub.drain.in_flight, hub.engine.sources.standings["register"].places.free) == (0, 16)
        assert len(hub.audited) == 1  # the other's: to the one that has gone nothing was answered


async def test_case_32_a_shared_call_lives_on_for_the_others() -> None:
    """Case 32: a client disconnects; a call that others wait for goes on."""
    async with running(max_keys=10) as hub:
        first = []
        for number in range(IN_FLIGHT):
            first.append(await hub.ask("ABCD"[number]))
            await until(lambda number=number: len(hub.held.calls) == number + 1)  # type: ignore[misc]
        gone, stays = await hub.ask("E"), await hub.ask("F")
        await until(lambda: hub.waiting() == 2)  # for a call to come back
        hub.held.let_go(0)
        await until(lambda: len(hub.held.calls) == IN_FLIGHT + 1)
        assert set(hub.held.calls[-1][0]) == {"E", "F"}
        await gone.hang_up()
        await until(lambda: hub.drain.in_flight == IN_FLIGHT)  # without the one that has gone, and the first with its answer
        assert hub.held.cancelled == []
        for number in range(1, IN_FLIGHT + 1):
            hub.held.let_go(number)
        assert await stays.answer() == {"data": {"firm": {"name": "企业F"}}}
        assert [(await client.answer())["data"]["firm"]["name"] for client in first] == [f"企业{name}" for name in "ABCD"]


async def test_a_shared_call_that_nobody_waits_for_any_more_ends() -> None:
    async with running(max_keys=10) as hub:
        client = await hub.ask("A")
        await until(lambda: len(hub.held.calls) == 1)
        await client.hang_up()
        await until(lambda: hub.held.cancelled == [("A",)])
