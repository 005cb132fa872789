"""Every fault of every kind: one question through the engine and the real connector, and what the caller sees of it.

The expected cells are data (``Kind.sees``), and docs/faults.md shows them; here they are proved. Real time passes, but little of it.
"""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from tests.faults.asking import RIGHT, ROWS, Kind, There, ask, composed, hub, judged
from tests.faults.faults import NAMES
from tests.faults.graphql import GRAPHQL
from tests.faults.http import VALID
from tests.faults.kinds import KINDS
from tests.faults.rest import REST
from tests.faults.soap import SOAP_KIND

CELLS = [(kind, fault) for kind in KINDS for fault in NAMES if kind.reason(fault) is None]


@pytest.fixture(scope="module", autouse=True)
def unhurried() -> None:
    """The system under test has 0.4 seconds, in which the whole province's schema must not be composed."""
    for kind in KINDS:
        composed(kind.manifest)


@pytest.mark.parametrize(("kind", "fault"), CELLS, ids=[f"{kind.name}-{fault}" for kind, fault in CELLS])
async def test_the_caller_sees_a_coded_error_or_the_right_answer(
    kind: Kind, fault: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with capture_logs() as logs:
        async with kind.serve(fault, tmp_path) as there:
            engine = hub(kind, there)
            try:
                if there.then is not None:
                    assert judged(await ask(engine), there) == RIGHT, "it is well at first"
                    await there.then()
                saw = judged(await ask(engine), there)
            finally:
                await engine.sources.close()
    assert saw == kind.sees[fault]
    told = str(logs) + "".join(record.getMessage() for record in caplog.records if not record.name.startswith("asyncio"))
    assert "connector raised" not in told, "an error of a driver came through as it was"
    assert [hidden for hidden in (there.secret, *(row["bt"] for row in ROWS)) if hidden in told] == [], told
    await nobody_is_left()


@pytest.mark.parametrize("kind", [REST, SOAP_KIND, GRAPHQL], ids=lambda kind: kind.name)
async def test_a_certificate_that_has_not_expired_is_taken(kind: Kind, tmp_path: Path) -> None:
    async with kind.serve(VALID, tmp_path) as there:
        engine = hub(kind, there)
        try:
            assert judged(await ask(engine), there) == RIGHT
        finally:
            await engine.sources.close()


async def nobody_is_left() -> None:
    """What the question set going has ended: no task is stuck."""
    for _ in range(50):
        left = asyncio.all_tasks() - {asyncio.current_task()}
        if not left:
            return
        await asyncio.wait(left, timeout=0.02)
    raise AssertionError(f"still there: {left}")


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_each_fault_has_a_cell_or_a_reason(kind: Kind) -> None:
    assert {*kind.sees} | {fault for fault in NAMES if kind.reason(fault)} == {*NAMES}
    assert [fault for fault in kind.sees if kind.reason(fault)] == []
    assert {*kind.never} <= {*NAMES}
    assert all(kind.never.values())


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b'{"data": {"a": {"name": "\xe4\xbc\x81\xe4\xb8\x9aa", "fileLevel": 2}}}', "in truth"),
        (b'{"data": {"a": {"name": null}}}', "in truth"),
        (b'{"data": {}, "errors": [{"path": ["a", "fileNo"], "extensions": {"code": "E42"}}]}', "E42"),
        (b'{"data": {}, "errors": [{"message": "127.0.0.1 is down"}]}', "127.0.0.1"),
    ],
    ids=["a wrong value", "a neighbour that is gone", "an unknown code", "a place"],
)
def test_what_no_fault_excuses_is_noticed(body: bytes, why: str) -> None:
    with pytest.raises(AssertionError, match=why):
        judged(body, There())
