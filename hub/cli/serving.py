"""``hub serve``: manifests, or a supergraph as it is."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
from rich.console import Console

from hub import app, application
from hub.cli.shared import Fault, configured, with_folder
from hub.config import Config, StoreConfig
from hub.connected import composed
from hub.environment import environment
from hub.serve import logs
from hub.serve.server import address_of, listen
from schema.compose import Composition
from schema.federation.serve import composition


async def serve(file: Path | None, *, host: str | None, port: int | None, systems: Path | None, reload: bool | None) -> int:
    """Serve until told to stop."""
    config = with_folder(configured(file, http={"host": host, "port": port}, systems={"reload": reload}), systems)
    return await _serve(config, composed, None, ("个系统", "systems"))


async def serve_supergraph(
    file: Path | None, supergraph: Path, urls: Sequence[str], *, host: str | None, port: int | None, reload: bool | None
) -> int:
    """Serve a supergraph until told to stop. What is kept is kept for as long as that, unless the configuration says where."""
    config = configured(file, http={"host": host, "port": port}, systems={"reload": reload})
    given = dict(_named(url) for url in urls)

    def composing(place: Path, _: Composition | None) -> Composition:
        return composition(place.read_text(encoding="utf-8"), str(place), given)

    with TemporaryDirectory(prefix="hub-") as folder:
        if config.store == StoreConfig():
            store = StoreConfig(f"sqlite:///{folder}/hub.sqlite", f"{folder}/hub.key")
            config = msgspec.structs.replace(config, store=store)
        try:
            return await _serve(config, composing, supergraph, ("个子图", "subgraphs"))
        except (FileNotFoundError, IsADirectoryError, UnicodeDecodeError):
            raise Fault(f"无法读取 {supergraph}。", f"{supergraph} cannot be read: there is no such file, or it is not text.") from None


def _named(url: str) -> tuple[str, str]:
    """``NAME=URL``. Raises Fault."""
    name, equals, address = url.partition("=")
    if not (name and equals and address):
        raise Fault(f"应写作 NAME=URL: {url}。", f"Write NAME=URL, not {url}.")
    return name, address


async def _serve(config: Config, composing: app.Composing, place: Path | None, what: tuple[str, str]) -> int:
    logs.configure(config.logs.level, config.logs.form)
    listening = listen(config.http)
    address = address_of(listening)
    given = environment(config, os.environ)
    async with app.Hub.open(config, given, address=address, composing=composing, place=place) as hub:
        say = Console(stderr=True, highlight=False).print
        say(f"一网枢纽 Yiwang Hub: {address}{config.http.path}  ({len(hub.composition.registry.systems)} {what[0]} {what[1]})")
        for system, problem in hub.problems.items():
            say(f"  {system} 未接入 is not connected: {problem}", markup=False)
        await application.serve(hub, listening)
    return 0
