"""``hub doctor``: what a deployment or an author's machine has and lacks. Looks, changes nothing, shows no secret."""

from __future__ import annotations

import os
import platform
import socket
import stat
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Literal

import aiohttp
from sqlalchemy.exc import SQLAlchemyError
from yarl import URL

import hub
from hub.cli.shared import counted
from hub.cli.trial import authored
from hub.config import BadConfig, Config, find
from hub.connected import composed
from hub.environment import Environment, environment, fill
from hub.store.faults import StoreFault
from hub.store.store import Store

State = Literal["ok", "note", "FAIL"]
_PATIENCE = 2.0  # seconds for a hub to say how it is
_PARTS = ("graphql-core", "strawberry-graphql", "sqlalchemy", "starlette", "aiohttp", "authlib")
_DRIVERS = {
    "psycopg": "PostgreSQL, extra 'postgres'",
    "asyncmy": "MySQL and MariaDB, extra 'mysql'",
    "oracledb": "Oracle, extra 'oracle'",
    "zeep": "SOAP, extra 'soap'",
    "grpc": "gRPC, extra 'grpc'",
    "yaml": "OpenAPI in YAML, extra 'add'",
}


@dataclass(frozen=True, slots=True)
class Line:
    """One thing looked at. FAIL has to be mended before the hub can serve; a note is something that one system or tool lacks."""

    state: State
    what: str
    said: str


async def doctor(file: Path | None, systems: Path | None) -> int:
    """Exit code 1 when something has to be mended, 2 when the configuration cannot be read."""
    lines = list(_program())
    try:
        config, place = authored(file, systems)
    except BadConfig as error:
        for line in [*lines, *(Line("FAIL", "config", str(fault)) for fault in error.faults)]:
            _show(line)
        return 2
    used = find(file, os.environ)
    lines.append(Line("ok", "config", str(used) if used else "no hub.toml: the defaults"))
    lines += _systems(place, environment(config, os.environ))
    lines += [line async for line in _store(config)]
    lines += await _port(config)
    for line in lines:
        _show(line)
    failed = sum(line.state == "FAIL" for line in lines)
    print(f"{failed} to be mended, {counted(sum(line.state == 'note' for line in lines), 'note')}")
    return 1 if failed else 0


def _show(line: Line) -> None:
    print(f"{line.state:<5} {line.what:<10} {line.said}")


def _program() -> Iterator[Line]:
    yield Line("ok", "hub", f"{hub.__version__} in {Path(hub.__file__).parent}")
    yield Line("ok", "python", f"{platform.python_version()} on {platform.system()} {platform.machine()}")
    found = []
    for name in _PARTS:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            yield Line("FAIL", "packages", f"{name} is not installed")
    yield Line("ok", "packages", ", ".join(found))
    for name, what in _DRIVERS.items():
        try:
            import_module(name)
        except ImportError:
            yield Line("note", "packages", f"{name} is not installed ({what})")


def _systems(place: Path, given: Environment) -> Iterator[Line]:
    composition = composed(place)
    errors = sum(fault.is_error for fault in composition.faults)
    if errors:
        yield Line("FAIL", "manifests", f"{counted(errors, 'error')} below {place}: see hub check")
        return
    yield Line(
        "ok", "manifests", f"{counted(len(composition.registry.systems), 'system')} below {place}, epoch {composition.registry.epoch}"
    )
    for name, system in composition.registry.systems.items():
        missing = fill(system.options, given).missing
        if missing:
            yield Line("note", "system", f"{name} is not connected; not given: {', '.join(missing)}")
        else:
            yield Line("ok", "system", f"{name}: address{' and secrets are' if _has_secrets(system.options) else ' is'} given")


def _has_secrets(options: object) -> bool:
    return "secret" in repr(options)


async def _store(config: Config) -> AsyncIterator[Line]:
    url, key = config.store_url(), config.at(config.store.key_file)
    if _is_new(url):
        yield Line("ok", "store", "SQLite, not there yet: hub serve makes it")
        return
    mode = _mode(key)
    if mode is None:
        yield Line("note", "key file", f"there is no {config.store.key_file}: hub serve makes one")
        return
    if mode & 0o077:
        yield Line("FAIL", "key file", f"others may read it (mode {mode:o}): chmod 600 {config.store.key_file}")
        return
    yield Line("ok", "key file", f"mode {mode:o}")
    try:
        store = Store.open(url, key)
        try:
            at, current = await store.revision(), await store.is_current()
        finally:
            await store.close()
    except (StoreFault, SQLAlchemyError, OSError, ModuleNotFoundError) as error:
        yield Line("FAIL", "store", f"cannot be read: {type(error).__name__}")
        return
    late = "" if current else ": hub serve or hub migrate brings it up to date"
    yield Line("ok" if current else "note", "store", f"revision {at or 'base'}{late}")


def _is_new(url: str) -> bool:
    """Whether the store is a file that is not there yet."""
    return url.startswith("sqlite") and not os.path.exists(url.partition(":///")[2].partition("?")[0])


def _mode(file: Path) -> int | None:
    try:
        return stat.S_IMODE(file.stat().st_mode)
    except OSError:
        return None


async def _port(config: Config) -> list[Line]:
    host, port = config.http.host, config.http.port
    if port == 0:
        return [Line("ok", "port", "any that is free")]
    try:
        with socket.create_server((host, port)):
            return [Line("ok", "port", f"{host}:{port} is free")]
    except OSError as error:
        running = await _running(host, port)
        return running or [Line("FAIL", "port", f"{host}:{port} cannot be listened on: {error.strerror}")]


async def _running(host: str, port: int) -> list[Line]:
    """What a hub says of itself that listens there already; nothing where it is no hub."""
    try:
        url, patience = URL.build(scheme="http", host=host, port=port, path="/readyz"), aiohttp.ClientTimeout(total=_PATIENCE)
        async with aiohttp.ClientSession(timeout=patience) as session, session.get(url) as answer:
            said = await answer.json()
        checks, systems = dict(said["checks"]), dict(said.get("systems", {}))
    except (aiohttp.ClientError, OSError, TimeoutError, ValueError, TypeError, KeyError):
        return []
    lines = [Line("ok", "port", f"a hub answers at {host}:{port}")]
    failed = sorted(name for name, passed in checks.items() if not passed)
    if failed:
        lines.append(Line("FAIL", "hub", f"it is not ready: {', '.join(failed)}"))
    counts = ", ".join(f"{count} {state}" for state, count in systems.items() if count)
    if counts:
        ill = systems.get("DOWN") or systems.get("DEGRADED")
        why = "; operators see which and why: { hub { systems { name health healthReason } } }" if ill else ""
        lines.append(Line("note" if ill else "ok", "health", f"systems: {counts}{why}"))
    return lines
