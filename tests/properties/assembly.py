"""The ways in which an answer can be put together, each forced on any case: rows as dicts or structs, at once or in slices."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import msgspec
import orjson
import pytest

from hub.run import generated, positions, slices
from tests.properties.engine import engine, run_engine, told
from tests.properties.generator import Case

COLUMNS = (generated, "SMALL", -1)  # no code is generated


@contextmanager
def forced(*settings: tuple[object, str, int]) -> Iterator[None]:
    """``owner.name`` set to a value for a while."""
    with pytest.MonkeyPatch.context() as patch:
        for owner, name, value in settings:
            patch.setattr(owner, name, value)
        yield


async def answered(case: Case) -> bytes:
    """The bytes of the answer, from a world of its own."""
    asked = engine(case.build(), case.denied)
    return (await asked.execute(asked.parse(case.operation.text), variables=case.operation.variables)).body


async def same_bytes(case: Case) -> None:
    """P26: bytes read and written again are the same bytes, and their data those of the answer as values."""
    body = await answered(case)
    read = orjson.loads(body)
    assert msgspec.json.encode(read) == body
    found = await run_engine(case.build(), case.operation.text, case.operation.variables, case.denied)
    assert msgspec.json.encode(read.get("data")) == msgspec.json.encode(found.data), await told(case, found)


async def same_rows(case: Case) -> None:
    """P26: rows as dicts and rows as structs give the same bytes."""
    with forced(COLUMNS, (positions, "MANY", 10**9)):
        dicts = await answered(case)
    with forced(COLUMNS, (positions, "MANY", 0)):
        structs = await answered(case)
    assert dicts == structs, f"{dicts!r}\n{structs!r}\n{await told(case)}"


async def same_in_slices(case: Case) -> None:
    """P26: in slices, however small, an answer has the same bytes."""
    with forced(COLUMNS):
        whole = await answered(case)
    for size in (1, 3):
        with forced((generated, "SMALL", -1), (generated, "LARGE", -1), (slices, "LARGE", -1), (slices, "SLICE", size)):
            assert await answered(case) == whole, await told(case)


async def same_generated(case: Case) -> None:
    """P26: generated code, however large the answer, gives the same bytes as columns do."""
    with forced(COLUMNS):
        columns = await answered(case)
    with forced((generated, "SMALL", 10**9), (generated, "RUNS", 1)):
        assert await answered(case) == columns, await told(case)
