"""What the tests of introspection share: codes that pass their checks, and a manifest that is asked as soon as it is written."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from connectors.kinds import KINDS
from hub.cli.trial import trial
from hub.connected import composed, connect
from hub.environment import Environment
from hub.introspect.canon import Canon, canon
from hub.introspect.found import Found
from hub.introspect.propose import propose
from hub.introspect.write import manifest
from schema.canonical import canonical
from schema.compose import Composition, compose, parse_manifest
from schema.faults import format_fault
from schema.identifiers import complete_licence_id, complete_uscc, organisation_code

USCCS = tuple(complete_uscc(f"91330100{organisation_code(f'MA2{i:05d}')}") for i in range(6))
LICENCES = tuple(complete_licence_id(f"{USCCS[0]}001", USCCS[1], f"S{i:05d}") for i in range(4))


def empty() -> Composition:
    """The canonical schema alone."""
    return compose(canonical(), [], kinds=set(KINDS))


def standard() -> Canon:
    return canon(empty())


def written(found: Found, name: str = "water", before: Canon | None = None, **said: str) -> str:
    """The manifest that is proposed for a source."""
    return manifest(propose(found, before or standard(), name=name, **said))


def faults(text: str) -> list[str]:
    """The errors of a manifest that stands alone."""
    whole = compose(canonical(), [parse_manifest(text, "new.graphql")], kinds=set(KINDS))
    return [format_fault(fault) for fault in whole.faults if fault.is_error]


async def answered(folder: Path, query: str, variables: Mapping[str, str]) -> dict[str, Any]:
    """What a folder of manifests answers to its author."""
    composition = composed(folder)
    assert composition.ok, [format_fault(fault) for fault in composition.faults]
    async with trial(composition, connect(composition.registry, Environment(variables))) as tried:
        return await tried.ask(query)
