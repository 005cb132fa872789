"""``hub dev``: a hub for the author of manifests, on this machine alone. Changes of the manifests are taken over while it runs.

Its store lies in a temporary folder, and it hands out one token that may see everything; with ``--mock`` no system is asked.
"""

from __future__ import annotations

import base64
import os
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import orjson
from rich.console import Console

from auth.principal import Audience
from hub import app, application
from hub.app import BadManifests
from hub.cli.shared import Fault, counted
from hub.cli.trial import authored, trial
from hub.config import Config, Http, LogsConfig, StoreConfig, SystemsConfig
from hub.connected import Connections, composed, connect
from hub.environment import Environment, environment
from hub.mocks import Mocked, connect_mocks, mocked
from hub.serve import logs
from hub.serve.server import address_of, listen
from schema.compose import load_systems
from schema.coordinates import Grade
from schema.registry import Registry


async def develop(file: Path | None, folder: Path | None, *, mock: bool, ask: str | None, port: int) -> int:
    """Serve until told to stop; with ``ask`` answer one question and leave: 1 when the answer has errors."""
    config, place = authored(file, folder)
    given = replace(environment(config, os.environ), manifests=place)
    return await _once(place, given, mock, ask) if ask is not None else await _serve(config, place, given, mock, port)


def connections_of(place: Path, registry: Registry, given: Environment, mock: bool, before: Connections | None = None) -> Connections:
    """Connectors of the systems, or mocks made from the manifests as they lie there now."""
    if not mock:
        return connect(registry, given, before)
    rows: dict[str, Mocked] = {each.name: mocked(each, place) for each in load_systems(place)}
    for each in rows.values():
        for problem in each.problems:
            print(problem, file=sys.stderr)
    return connect_mocks(registry, rows)


async def _once(place: Path, given: Environment, mock: bool, ask: str) -> int:
    composition = composed(place)
    if not composition.ok:
        raise BadManifests(composition.faults)
    connections = connections_of(place, composition.registry, given, mock)
    for system, problem in connections.problems.items():
        print(f"{system} is not connected: {problem}", file=sys.stderr)
    async with trial(composition, connections) as tried:
        answer = await tried.ask(_question(ask))
    sys.stdout.buffer.write(orjson.dumps(answer, option=orjson.OPT_INDENT_2) + b"\n")
    sys.stdout.flush()
    return 1 if "errors" in answer else 0


def _question(ask: str) -> str:
    """A query as it is, or the file that holds one."""
    if "{" in ask:
        return ask
    try:
        return Path(ask).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Fault(f"无法读取 {ask}。", f"Cannot read {ask}: {error}.") from None


async def _serve(config: Config, place: Path, given: Environment, mock: bool, port: int) -> int:
    logs.configure("warning", "text")
    show = Console(highlight=False, soft_wrap=True)
    with tempfile.TemporaryDirectory(prefix="hub-dev-") as home:
        own = _configured(config, place, Path(home), port)

        def connecting(registry: Registry, given: Environment, before: Connections | None) -> Connections:
            return connections_of(place, registry, given, mock, before)

        listening = listen(own.http)
        address = address_of(listening)
        async with app.Hub.open(own, given, address=address, connecting=connecting) as hub:
            bearer = await _token(hub)
            said = "mocked" if mock else "connected"
            show.print(
                f"{counted(len(hub.composition.registry.systems), 'system')}, {said}; changes below {place} are taken over", markup=False
            )
            for system, problem in hub.problems.items():
                show.print(f"  {system} is not connected: {problem}", markup=False)
            show.print(f"GraphQL {address}{own.http.path}\npage    {address}/explorer\ntoken   {bearer}", markup=False)
            await application.serve(hub, listening)
    return 0


def _configured(config: Config, place: Path, home: Path, port: int) -> Config:
    """The author's own configuration, with what is kept in ``home`` and the manifests watched."""
    return msgspec.structs.replace(
        config,
        http=Http(port=port),
        logs=LogsConfig(level="warning", form="text"),
        systems=SystemsConfig(folder=str(place.absolute()), reload=True),
        store=StoreConfig(url="sqlite:///hub.sqlite", key_file="hub.key"),
        home=home,
    )


async def _token(hub: app.Hub) -> str:
    """A token that may see everything. It ends with this hub, whose keys are thrown away."""
    known = app.scopes(hub.composition.registry.coordinates)
    secret = await hub.store.add_client("author", "author", Audience.OPERATOR, Grade.L4, known)
    basic = base64.b64encode(f"author:{secret}".encode()).decode()
    answer: Any = await hub.tokens.token({"grant_type": "client_credentials", "scope": " ".join(known)}, f"Basic {basic}")
    return str(answer.body["access_token"])
