"""An engine over a folder of manifests for one command: no store, no HTTP, closed on leaving."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from auth.principal import Audience, Principal
from hub.cli.shared import configured, with_folder
from hub.clock import SystemClock
from hub.config import Config
from hub.connected import Connections, Directory, core_roots
from hub.folders import manifests_folder
from hub.recorder import Recorder
from hub.run.engine import Engine
from hub.run.sources import Sources
from hub.run.standing import Standings
from schema.compose import Composition
from schema.coordinates import Grade


def authored(file: Path | None, systems: Path | None) -> tuple[Config, Path]:
    """The configuration, and the folder an author works on: as given or configured, else ./systems, else what comes with the hub.

    Raises BadConfig.
    """
    config = with_folder(configured(file), systems)
    own = Path("systems")
    if not config.systems.folder and any(own.rglob("*.graphql")):
        config = with_folder(config, own)
    return config, manifests_folder(config)


@dataclass(frozen=True, slots=True)
class Trial:
    """What a command asks. The caller may see everything: it is the author, on the author's machine."""

    composition: Composition
    engine: Engine
    connections: Connections
    recorder: Recorder

    async def ask(self, query: str, variables: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """The answer as parsed JSON."""
        rows = self.composition.registry.coordinates.values()
        scopes = frozenset(scope for row in rows for alternative in row.scopes for scope in alternative)
        author = Principal("author", Audience.OPERATOR, scopes, Grade.L4)
        answer = await self.engine.execute(self.engine.parse(query), variables=variables, principal=author)
        found: dict[str, Any] = orjson.loads(answer.body)
        return found


@asynccontextmanager
async def trial(composition: Composition, connections: Connections) -> AsyncIterator[Trial]:
    """Over these connectors, which are closed on leaving; systems that the deployment does not furnish have none, as in service."""
    recorder = Recorder()
    try:
        standings = Standings(SystemClock())
        sources = Sources(composition.registry.systems, connections.connectors, SystemClock(), recorder, standings=standings)
        engine = Engine(
            composition.schema,
            composition.registry,
            sources,
            core_roots=core_roots(composition),
            directory=Directory(connections, standings),
        )
        yield Trial(composition, engine, connections, recorder)
    finally:
        await asyncio.gather(*(connector.close() for connector in connections.connectors.values()))
