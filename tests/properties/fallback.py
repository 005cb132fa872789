"""One field in several systems: who tells of it, who falls silent, and what follows for the answer whatever the engine does."""

from __future__ import annotations

import random
from collections.abc import Mapping

from schema.registry import Resolve
from tests.bound import lookup, scan
from tests.memory import Faults
from tests.properties.engine import run_engine
from tests.worlds import World, world

IDS = tuple("abcdef")


FAILS = object()  # what a system tells that fails


def shared_field(rng: random.Random, policy: Resolve) -> tuple[World, list[Mapping[str, object]]]:
    """One field in some systems, which know some of the entities each and fail for some. Also what each tells of whom, best first."""
    count = rng.randint(2, 4)
    names = [f"s{number}" for number in range(count)]
    bindings = [lookup(name, "T", "id", {"id": "id", "f": "f"}, priority=-number) for number, name in enumerate(names)]
    known = [{key: f"{name} {key}" for key in IDS if rng.random() < 0.7} for name in names]
    rows = {name: {"T": [{"id": key, "f": value} for key, value in some.items()]} for name, some in zip(names, known, strict=True)}
    rows["index"] = {"T": [{"id": key} for key in IDS]}
    made = world(
        "type Query { all: [T!] } type T { id: ID! f: String }",
        [scan("index", "T", {"id": "id"}), *bindings],
        rows,
        keys={"T": ["id"]},
        policies={"T.f": policy},
    )
    tell: list[Mapping[str, object]] = []
    for name, some in zip(names, known, strict=True):
        down = rng.random() < 0.3
        broken = {key for key in IDS if rng.random() < 0.3}
        made.systems[name].faults = Faults(
            down={"T.by.id": "down"} if down else {}, keys={("T.by.id", (key,)): "busy" for key in sorted(broken)}
        )
        tell.append({key: FAILS if down or key in broken else some.get(key) for key in IDS})
    return made, tell


def due(policy: Resolve, told: list[object]) -> object:
    """What is told of one entity in the end: a value, None, or that it failed. After a failure no record is no answer."""
    failed = False
    for one in told:
        if one is FAILS:
            failed = True
        elif one is not None or (policy is Resolve.FALLBACK_ON_ERROR and not failed):
            return one
    return FAILS if failed else None


async def fallbacks_hold(rng: random.Random, policy: Resolve) -> None:
    """P22: no null where a system that may be asked can tell, an error where nobody can and one has failed; and nobody is asked for what a
    better one has told."""
    there, tell = shared_field(rng, policy)
    found = await run_engine(there, "{ all { id f } }", {})
    failed = {path[1] for path, _ in found.errors}
    shown = {one["id"]: FAILS if at in failed else one["f"] for at, one in enumerate(found.data["all"])}
    assert shown == {key: due(policy, [some[key] for some in tell]) for key in IDS}
    sent = {call.system: {key[0] for other in there.calls(call.system) for key in other.keys} for call in there.received}
    for number, some in enumerate(tell[:-1]):  # whom the better one could tell of, nobody else is asked for
        assert not sent.get(f"s{number + 1}", set()) & {key for key, one in some.items() if one not in (None, FAILS)}
