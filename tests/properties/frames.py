"""Putting the frames of an answer in parts together again, as a client would, and comparing them with the answer in one piece."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import orjson

from hub.run.deferred import in_parts
from tests.properties.engine import Answer, document, engine, run_engine
from tests.properties.generator import Case
from tests.worlds import World


async def frames(world: World, text: str, variables: Mapping[str, Any], denied: frozenset[str] = frozenset()) -> list[Any]:
    """All frames of an answer, in order."""
    first = await in_parts(engine(world, denied), document(world.schema, text), variables=variables)
    found = [orjson.loads(first.body)]
    while first.rest is not None and (part := await first.rest.next()) is not None:
        found.append(orjson.loads(part.body))
    return found


def _at(data: Any, path: list[Any]) -> Any:
    for step in path:
        data = data[step]
    return data


def _fill(into: Any, given: Any) -> None:
    """Deep, since two deferred fragments may both go below one object."""
    for key, value in given.items():
        if isinstance(value, dict) and isinstance(into.get(key), dict):
            _fill(into[key], value)
        else:
            assert key not in into or into[key] == value, key
            into[key] = value


def merged(some: list[Any]) -> tuple[Any, list[Any], list[tuple[list[Any], list[Any]]]]:
    """Data, errors, and the paths of what could not be given, each with why."""
    first, *later = some
    data, errors = first.get("data"), list(first.get("errors", ()))
    open_ = {one["id"]: one["path"] for one in first.get("pending", ())}
    lost = []
    assert [one.get("hasNext") for one in some] == ([True] * len(later) + [False] if later else [None])
    for frame in later:
        open_ |= {one["id"]: one["path"] for one in frame.get("pending", ())}
        for one in frame.get("incremental", ()):
            _fill(_at(data, [*open_[one["id"]], *one.get("subPath", ())]), one["data"])
            errors += one.get("errors", ())
        for one in frame.get("completed", ()):
            path = open_.pop(one["id"])
            if "errors" in one:
                lost.append((path, one["errors"]))
    assert not open_, "a part was announced and never came"
    return data, errors, lost


def _nulled(data: Any, path: list[Any]) -> list[Any]:
    """Where on the way down ``path`` the answer in one piece is null."""
    for length, step in enumerate(path):
        if data is None:
            return path[:length]
        data = data[step]
    assert data is None, ("what could not be given is there", path)
    return path


def _counted(errors: list[Any], nulled: list[list[Any]]) -> Counter[Any]:
    outside = (one for one in errors if not any(one["path"][: len(path)] == path for path in nulled))
    return Counter((tuple(one["path"]), one["extensions"]["code"]) for one in outside)


def _within(some: Any, plain: Any, path: list[Any], nulled: list[list[Any]]) -> bool:
    """Whether ``plain`` says all that ``some`` says, or is null where something that came later has made it so."""
    if plain is None and path in nulled:
        return True
    if isinstance(some, dict) and isinstance(plain, dict):
        return all(key in plain and _within(value, plain[key], [*path, key], nulled) for key, value in some.items())
    if isinstance(some, list) and isinstance(plain, list) and len(some) == len(plain):
        return all(_within(one, other, [*path, at], nulled) for at, (one, other) in enumerate(zip(some, plain, strict=True)))
    return bool(some == plain)


def same_in_parts(some: list[Any], plain: Answer) -> bool:
    """Whether the case was answered in parts; what its parts make is ``plain``. What could not be given takes away its own group alone:
    there the answer in one piece is null, above the reason that was told, and may say more of what came with it."""
    data, errors, lost = merged(some)
    if not lost:
        assert data == plain.data, some
        assert _counted(errors, []) == plain.errors, some
        return len(some) > 1
    nulled = [_nulled(plain.data, one["path"]) for _, why in lost for one in why]
    assert _within(data, plain.data, [], nulled), some
    assert _counted(errors, nulled) <= plain.errors, some
    return len(some) > 1


async def in_frames(case: Case) -> bool:
    """Compare the case in parts and in one piece, in data, errors and calls; whether it was in parts."""
    asked = case.operation
    one, other = case.build(), case.build()
    plain = await run_engine(one, asked.text, asked.variables, case.denied)
    some = await frames(other, asked.text, asked.variables, case.denied)
    calls, wanted = Counter(map(repr, other.received)), Counter(map(repr, one.received))
    assert calls <= wanted if len(some) == 1 else calls == wanted  # where nothing is left to tell nothing more is asked
    return same_in_parts(some, plain)
