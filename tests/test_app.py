"""The composition root: a hub opened over a folder of manifests, changed while it runs, and asked through its application."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from connectors.spi import Secret
from hub.app import BadManifests, Hub, issuer_of
from hub.application import application, serve, server
from hub.audit import AuditQuery
from hub.clock import SystemClock
from hub.config import BadConfig, Config, ConfigFault, Http, StoreConfig, SystemsConfig, load
from hub.environment import Environment
from hub.folders import stamps
from hub.serve.server import address_of, listen
from schema.faults import Fault
from tests.serve.small import ask, get, post

LICENCES = """\
extend schema
  @system(name: "{system}", title: "电子证照库", owner: "省大数据局")
  @rest(base: "${{LICENCES_URL}}", auth: {{kind: API_KEY, header: "X-Key", secret: "licences.key"}})
type Query {{
  byId(licenceId: LicenceID! @is(field: "licenceId")): Licence @lookup
    @get(path: "/{path}?id={{keys}}", at: "data", batch: {{by: "licenceId", match: "id", max: 10}})
}}
type Licence @key(fields: "licenceId") @entity(existence: ANCHOR, coverage: COMPLETE) {{
  licenceId: LicenceID! @from(path: "id")
  name: String @from(path: "{column}")
}}
"""
GIVEN = Environment({"LICENCES_URL": "http://127.0.0.1:9"}, {"licences.key": Secret("k")})


def manifest(folder: Path, *, system: str = "licences", path: str = "get", column: str = "mc", text: str = "") -> None:
    folder.mkdir(exist_ok=True)
    (folder / f"{system}.graphql").write_text(text or LICENCES.format(system=system, path=path, column=column), encoding="utf-8")


def config(home: Path, **http: Any) -> Config:
    return Config(
        http=Http(port=0, **http),
        systems=SystemsConfig(folder=str(home / "systems")),
        store=StoreConfig(url="sqlite:///hub.sqlite", key_file="hub.key"),
        home=home,
    )


@asynccontextmanager
async def opened(home: Path, *, given: Environment = GIVEN, **http: Any) -> AsyncIterator[Hub]:
    async with Hub.open(config(home, **http), given, address="http://127.0.0.1:8000") as hub:
        yield hub


SYSTEMS = {"query": "{ hub { systems { name health } } }"}
FIELDS = {"query": '{ __type(name: "Licence") { name } }'}


async def token(hub: Hub, audience: str = "operator") -> str:
    """A bearer header of a fresh client."""
    import base64

    from auth.principal import Audience
    from schema.coordinates import Grade

    secret = await hub.store.add_client(audience, audience, Audience(audience), Grade.L4)
    basic = base64.b64encode(f"{audience}:{secret}".encode()).decode()
    answer = await hub.tokens.token({"grant_type": "client_credentials"}, f"Basic {basic}")
    return f"Bearer {answer.body['access_token']}"


# --- opening -------------------------------------------------------------------------------------------------------------------


async def test_a_hub_answers_issues_tokens_and_keeps_records(tmp_path: Path) -> None:
    manifest(tmp_path / "systems")
    async with opened(tmp_path) as hub:
        app = application(hub)
        seen = await post(app, SYSTEMS, authorization=await token(hub))
        assert seen.json == {"data": {"hub": {"systems": [{"name": "licences", "health": "UNKNOWN"}]}}}
        [record] = await hub.audit.records(AuditQuery())
        assert (record.request_id, record.client, record.status) == (seen.headers["x-request-id"], "operator", 200)
        assert (await get(app, query="{ hub { me { audience } } }")).json == {"data": {"hub": {"me": {"audience": "ANONYMOUS"}}}}
        [stored] = await hub.store.list_systems()
        assert (stored.name, stored.kind) == ("licences", "rest")
        assert stored.manifest.startswith("extend schema")


async def test_every_route_is_there(tmp_path: Path) -> None:
    manifest(tmp_path / "systems")
    async with opened(tmp_path) as hub:
        app = application(hub)
        for path in ("/healthz", "/readyz", "/metrics", "/oauth/jwks.json", "/.well-known/oauth-authorization-server", "/explorer"):
            seen = await ask(app, "GET", path)
            assert seen is not None
            assert seen.status == 200, path
        seen = await ask(app, "GET", "/")
        assert seen is not None
        assert (seen.status, seen.headers["location"]) == (307, "/explorer")
        missing = await ask(app, "GET", "/nothing")
        assert missing is not None
        assert missing.status == 404


async def test_a_browser_gets_the_page_and_a_program_the_answer(tmp_path: Path) -> None:
    manifest(tmp_path / "systems")
    async with opened(tmp_path) as hub:
        page = await ask(application(hub), "GET", headers={"accept": "text/html,application/xhtml+xml,*/*;q=0.8"})
        assert page is not None
        assert page.headers["content-type"] == "text/html; charset=utf-8"
        assert "default-src 'self'" in page.headers["content-security-policy"]
        assert "一网枢纽" in page.body.decode()
        assert (await get(application(hub), query="{ __typename }", accept="*/*")).json == {"data": {"__typename": "Query"}}


async def test_the_explorer_can_be_switched_off(tmp_path: Path) -> None:
    manifest(tmp_path / "systems")
    async with opened(tmp_path, explorer=False) as hub:
        page = await ask(application(hub), "GET", headers={"accept": "text/html"})
        gone = await ask(application(hub), "GET", "/explorer")
        assert page is not None
        assert gone is not None
        assert (page.status, gone.status) == (406, 404)


async def test_cors_is_as_configured(tmp_path: Path) -> None:
    manifest(tmp_path / "systems")
    preflight = {
        "origin": "https://app.example",
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization",
    }
    async with opened(tmp_path, origins=("https://app.example",)) as hub:
        app = application(hub)
        allowed = await ask(app, "OPTIONS", headers=preflight)
        refused = await ask(app, "OPTIONS", headers={**preflight, "origin": "https://other.example"})
        assert allowed is not None
        assert refused is not None
        assert allowed.headers["access-control-allow-origin"] == "https://app.example"
        assert "access-control-allow-origin" not in refused.headers
        answer = await post(app, FIELDS, origin="https://app.example")
        assert answer.headers["access-control-allow-origin"] == "https://app.example"
        assert "x-request-id" in answer.headers["access-control-expose-headers"].lower()
    async with opened(tmp_path) as hub:
        assert "access-control-allow-origin" not in (await post(application(hub), FIELDS, origin="https://app.example")).headers


async def test_a_system_the_deployment_does_not_furnish_is_down_and_the_rest_is_up(tmp_path: Path) -> None:
    manifest(tmp_path / "systems")
    async with opened(tmp_path, given=Environment()) as hub:
        assert "variable LICENCES_URL" in hub.problems["licences"]
        assert "secret licences.key" in hub.problems["licences"]
        seen = await post(application(hub), SYSTEMS, authorization=await token(hub))
        assert seen.json == {"data": {"hub": {"systems": [{"name": "licences", "health": "DOWN"}]}}}


async def test_broken_manifests_do_not_open(tmp_path: Path) -> None:
    manifest(tmp_path / "systems", text="type Query { broken")
    with pytest.raises(BadManifests) as caught:
        async with opened(tmp_path):
            pass
    assert [fault.code for fault in caught.value.faults if fault.is_error] == ["SYNTAX"]


@pytest.mark.parametrize("url", ["http://hub.example", "https://hub.example/?a=b", "ftp://hub.example", ""])
def test_an_issuer_that_cannot_be(url: str) -> None:
    with pytest.raises(BadConfig, match=r"auth\.issuer"):
        issuer_of(load(None, {"HUB_AUTH_ISSUER": url}), "http://10.0.0.1:8000")


def test_the_issuer_is_the_address_unless_configured() -> None:
    assert issuer_of(Config(), "http://127.0.0.1:8000").audience == "http://127.0.0.1:8000/graphql"
    assert issuer_of(load(None, {"HUB_AUTH_ISSUER": "https://hub.example/"}), "http://127.0.0.1:8000").url == "https://hub.example"


def test_a_port_that_is_taken_is_said_so() -> None:
    first = listen(Http(port=0))
    port = first.getsockname()[1]
    with first, pytest.raises(BadConfig) as caught:
        listen(Http(port=port))
    [fault] = caught.value.faults
    assert isinstance(fault, ConfigFault)
    assert f"无法监听 127.0.0.1:{port}" in fault.zh


# --- manifests that change -----------------------------------------------------------------------------------------------------


async def test_a_good_change_is_taken_over(tmp_path: Path) -> None:
    manifest(tmp_path / "systems")
    async with opened(tmp_path) as hub:
        before = hub.composition.registry.epoch
        manifest(tmp_path / "systems", column="name")
        assert not [fault for fault in await hub.reload() if fault.is_error]
        assert hub.composition.registry.epoch != before
        assert hub.endpoint.engine is hub.engine
        assert "hub_schema_reloads_total" in hub.metrics.text().decode()


async def test_a_broken_change_leaves_the_last_good_schema(tmp_path: Path) -> None:
    manifest(tmp_path / "systems")
    async with opened(tmp_path) as hub:
        engine = hub.engine
        manifest(tmp_path / "systems", column="name")
        manifest(tmp_path / "systems", system="other", text="type Licence { licenceId: Wrong }")
        faults = await hub.reload()
        assert len([fault for fault in faults if fault.is_error]) >= 2
        assert (hub.engine, hub.endpoint.engine) == (engine, engine)
        assert (await post(application(hub), FIELDS)).json == {"data": {"__type": {"name": "Licence"}}}
        (tmp_path / "systems" / "other.graphql").unlink()
        await hub.reload()
        assert hub.engine is not engine


async def test_an_unchanged_system_keeps_its_connector_and_a_changed_one_is_retired(tmp_path: Path) -> None:
    manifest(tmp_path / "systems")
    given = Environment({**GIVEN.variables, "OTHER_URL": "http://127.0.0.1:8"}, GIVEN.secrets)
    async with opened(tmp_path, given=given) as hub:
        first = hub._connections.connectors["licences"]
        manifest(tmp_path / "systems", path="other", column="name")  # where it lies and how it is read, not whom to ask
        await hub.reload()
        assert hub._connections.connectors["licences"] is first
        manifest(
            tmp_path / "systems", text=LICENCES.format(system="licences", path="get", column="mc").replace("LICENCES_URL", "OTHER_URL")
        )
        await hub.reload()
        assert hub._connections.connectors["licences"] is not first
        assert len(hub._retiring) == 1


class Ticking(SystemClock):
    """A clock whose sleep ends when the test says so."""

    def __init__(self) -> None:
        self.asleep = asyncio.Event()
        self.wake = asyncio.Event()

    async def sleep(self, seconds: float) -> None:
        self.asleep.set()
        await self.wake.wait()
        self.wake.clear()

    async def tick(self) -> None:
        await self.asleep.wait()
        self.asleep.clear()
        self.wake.set()
        await self.asleep.wait()


async def test_the_folder_is_watched_and_reloaded_when_it_has_come_to_rest(tmp_path: Path) -> None:
    manifest(tmp_path / "systems")
    clock = Ticking()
    async with Hub.open(config(tmp_path), GIVEN, address="http://127.0.0.1:8000", clock=clock) as hub:
        engine = hub.engine
        watching = asyncio.create_task(hub.watch())
        await clock.tick()
        assert hub.engine is engine
        manifest(tmp_path / "systems", column="another")
        await clock.tick()  # seen, not yet at rest
        assert hub.engine is engine
        await clock.tick()
        assert hub.engine is not engine
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)


@asynccontextmanager
async def watched(home: Path) -> AsyncIterator[tuple[Hub, Ticking]]:
    """A hub that watches its folder."""
    clock = Ticking()
    async with Hub.open(config(home), GIVEN, address="http://127.0.0.1:8000", clock=clock) as hub:
        watching = asyncio.create_task(hub.watch())
        await clock.tick()
        yield hub, clock
        assert not watching.done()
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)


async def rest(clock: Ticking) -> None:
    """Long enough for a change to be seen and to have come to rest."""
    for _ in range(3):
        await clock.tick()


KIND = """\
extend schema @system(name: "kinds", title: "类型", owner: "厅") @rest(base: "${LICENCES_URL}")
"种类\\nA kind"
enum Kind { "甲\\nOne" ONE }
"""
KINDRED = (
    LICENCES.format(system="licences", path="get", column="mc")
    + """\
extend type Licence {
  "种类\\nIts kind"
  kind: Kind @grade(level: L1)
}
"""
)


async def test_files_that_come_and_go_together_are_one_change_and_none_between_sticks(tmp_path: Path) -> None:
    folder = tmp_path / "systems"
    manifest(folder)
    async with watched(tmp_path) as (hub, clock):
        first = hub.engine
        manifest(folder, text=KINDRED)  # of a kind that no file describes yet
        await rest(clock)
        assert hub.engine is first
        manifest(folder, system="kinds", text=KIND)
        manifest(folder, system="more", text=KIND.replace("kinds", "more").replace("Kind", "Other"))
        await rest(clock)
        both = hub.engine
        assert hub.composition.registry.systems.keys() == {"licences", "kinds", "more"}
        (folder / "kinds.graphql").unlink()
        (folder / "more.graphql").unlink()
        await rest(clock)  # what is left names a kind that is gone
        assert hub.engine is both
        manifest(folder)
        await rest(clock)
        assert hub.composition.registry.systems.keys() == {"licences"}
        assert (await post(application(hub), FIELDS)).json == {"data": {"__type": {"name": "Licence"}}}


async def test_a_folder_that_goes_away_leaves_the_last_good_schema_and_is_read_when_it_is_back(tmp_path: Path) -> None:
    folder = tmp_path / "systems"
    manifest(folder)
    async with watched(tmp_path) as (hub, clock):
        engine = hub.engine
        folder.rename(tmp_path / "away")
        await rest(clock)
        assert hub.engine is engine
        (tmp_path / "away").rename(folder)
        manifest(folder, column="another")
        await rest(clock)
        assert hub.engine is not engine


async def test_a_file_that_is_no_text_is_a_fault_like_others(tmp_path: Path) -> None:
    manifest(tmp_path / "systems")
    async with opened(tmp_path) as hub:
        engine = hub.engine
        (tmp_path / "systems" / "other.graphql").write_bytes("证照".encode("gbk"))
        [fault] = [fault for fault in await hub.reload() if fault.is_error]
        assert (fault.file, fault.code, fault.message) == ("systems/other.graphql", "SYNTAX", "The file is not written in UTF-8.")
        assert hub.engine is engine


def test_stamps_see_a_change_of_size_and_a_new_file(tmp_path: Path) -> None:
    manifest(tmp_path / "systems")
    before = stamps(tmp_path)
    manifest(tmp_path / "systems", column="another")
    changed = stamps(tmp_path)
    manifest(tmp_path / "systems", system="more")
    assert len({str(before), str(changed), str(stamps(tmp_path))}) == 3


# --- serving and stopping ------------------------------------------------------------------------------------------------------


async def test_told_to_stop_it_finishes_what_is_in_flight_and_refuses_the_new(tmp_path: Path) -> None:
    manifest(tmp_path / "systems")
    settings = config(tmp_path)
    listening = listen(settings.http)
    address = address_of(listening)
    async with Hub.open(settings, GIVEN, address=address) as hub, aiohttp.ClientSession() as session:
        engine = Held(hub.engine)
        hub.endpoint.engine = engine
        running = server(hub)
        serving = asyncio.create_task(running.serve([listening]))
        old = asyncio.create_task(fetched(session, address))
        await engine.entered.wait()
        running.stop()
        assert await fetched(session, address) == (503, "SHUTTING_DOWN")
        async with session.get(address + "/readyz") as ready:
            assert ready.status == 503
        engine.release.set()
        assert await old == (200, None)
        await serving


async def test_a_signal_drains_and_the_process_goes_on_to_its_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    manifest(tmp_path / "systems")
    settings = config(tmp_path)
    listening = listen(settings.http)
    async with Hub.open(settings, GIVEN, address=address_of(listening)) as hub, aiohttp.ClientSession() as session:
        serving = asyncio.create_task(serve(hub, listening))
        assert await fetched(session, address_of(listening)) == (200, None)
        engine, reloaded, reload = hub.engine, asyncio.Event(), hub.reload

        async def told() -> tuple[Fault, ...]:
            faults = await reload()
            reloaded.set()
            return faults

        monkeypatch.setattr(hub, "reload", told)
        manifest(tmp_path / "systems", column="another")
        signal.raise_signal(signal.SIGHUP)
        await reloaded.wait()
        assert hub.engine is not engine
        signal.raise_signal(signal.SIGTERM)
        await serving
        assert hub.drain.closing


class Held:
    """An engine whose answers wait."""

    def __init__(self, engine: Any) -> None:
        self._engine = engine
        self.entered, self.release = asyncio.Event(), asyncio.Event()
        self.parse: Callable[[str], Any] = engine.parse

    async def execute(self, document: Any, **request: Any) -> Any:
        self.entered.set()
        await self.release.wait()
        return await self._engine.execute(document, **request)


async def fetched(session: aiohttp.ClientSession, address: str) -> tuple[int, str | None]:
    async with session.post(f"{address}/graphql", json={"query": "{ __typename }"}, headers={"accept": "*/*"}) as response:
        body = await response.json(content_type=None)
        return response.status, body["errors"][0]["extensions"]["code"] if "errors" in body else None
