"""``hub check --live``: every source is asked what it has, and manifests are compared with that. Nothing is read but descriptions and
the first page of lists."""

from __future__ import annotations

import asyncio
import os
from dataclasses import replace
from pathlib import Path

from hub.app import BadManifests
from hub.cli.shared import counted
from hub.cli.trial import authored
from hub.connected import composed, connect
from hub.environment import environment
from hub.introspect.live import Finding, compare, finding
from schema.compose import load_systems
from schema.reach import all_bindings


async def check(file: Path | None, folder: Path | None) -> int:
    """Exit code 1 when something differs or a system cannot be asked. Raises BadManifests: they are to be in order first."""
    config, place = authored(file, folder)
    composition = composed(place)
    if not composition.ok:
        raise BadManifests(composition.faults)
    registry = composition.registry
    manifests = {each.name: each for each in load_systems(place)}
    bindings = {name: [each for each in all_bindings(registry) if each.system == name] for name in registry.systems}
    connections = connect(registry, replace(environment(config, os.environ), manifests=place))
    try:
        asked = [name for name in registry.systems if name in connections.connectors]
        results = await asyncio.gather(*(compare(manifests[name], bindings[name], connections.connectors[name]) for name in asked))
    finally:
        await asyncio.gather(*(each.close() for each in connections.connectors.values()))
    found: dict[str, list[Finding]] = dict(zip(asked, results, strict=True))
    for name, problem in connections.problems.items():
        found[name] = [finding(manifests[name], None, "NOT_CONNECTED", f"{name}: {problem}.")]
    for name in sorted(found):
        for each in found[name]:
            print(each)
        if not found[name]:
            only = " (it tells nothing of itself: try its calls by `hub try`)" if registry.systems[name].kind == "rest" else ""
            print(f"{name}: as its manifest says{only}")
    count = sum(len(each) for each in found.values())
    print(f"{counted(len(found), 'system')}, {counted(count, 'difference')}")
    return 1 if count else 0
