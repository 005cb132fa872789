"""Ask engine and oracle at once: a story shows the engine's answer, and the two have to agree."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.properties.engine import engine, run_engine, run_oracle
from tests.worlds import World


@dataclass(frozen=True, slots=True)
class Told:
    """``errors`` are (path, code) pairs, sorted."""

    data: Any
    errors: list[tuple[str, str]]


async def ask(there: World, text: str, variables: Mapping[str, Any] | None = None, denied: frozenset[str] = frozenset()) -> Told:
    """The engine's answer, which must be the oracle's; ``there.received`` then holds the engine's calls alone."""
    wanted = await run_oracle(there, text, variables or {}, denied)
    there.received.clear()
    found = await run_engine(there, text, variables or {}, denied)
    assert (found.text, found.errors) == (wanted.text, wanted.errors), (wanted.text, wanted.errors)
    return Told(found.data, sorted((".".join(map(str, path)), code) for path, code in found.errors.elements()))


def asked(there: World, system: str) -> list[tuple[str, tuple[tuple[Any, ...], ...]]]:
    """The calls of one system: relation and keys, in order."""
    return [(call.relation, call.keys) for call in there.calls(system)]


def plan(there: World, text: str) -> str:
    """The plan as people read it."""
    made = engine(there)
    return made.explain(made.parse(text))
