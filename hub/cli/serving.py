"""``hub serve``."""

from __future__ import annotations

import os
from pathlib import Path

from rich.console import Console

from hub import app
from hub.cli.shared import configured, with_folder
from hub.environment import environment
from hub.serve import logs
from hub.serve.server import address_of, listen


async def serve(file: Path | None, *, host: str | None, port: int | None, systems: Path | None, reload: bool | None) -> int:
    """Serve until told to stop."""
    config = with_folder(configured(file, http={"host": host, "port": port}, systems={"reload": reload}), systems)
    logs.configure(config.logs.level, config.logs.form)
    listening = listen(config.http)
    address = address_of(listening)
    async with app.Hub.open(config, environment(config, os.environ), address=address) as hub:
        say = Console(stderr=True, highlight=False).print
        say(f"一网枢纽 Yiwang Hub: {address}{config.http.path}  ({len(hub.composition.registry.systems)} 个系统 systems)")
        for system, problem in hub.problems.items():
            say(f"  {system} 未接入 is not connected: {problem}", markup=False)
        await app.serve(hub, listening)
    return 0
