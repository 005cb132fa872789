"""The estates behind the reference gateway from npm: ``python -m tests.federation.reference [NAME...]``.

So an estate is proven by other people's planner before ours is asked: the same answers as the monolith, with the requests that it says.
Where the hub needs fewer than the reference gateway makes, the case says so by ``reference``.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from tests.federation.compose import HERE, installed, node
from tests.federation.estate import Case, Estate, running
from tests.federation.estates import ESTATES


@asynccontextmanager
async def gateway() -> AsyncIterator[Any]:
    """A function that asks the reference gateway: supergraph, urls, query, variables -> response."""
    installed()
    process = await asyncio.create_subprocess_exec(
        *node().node(), str(HERE / "gateway.mjs"), stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, limit=2**24
    )
    assert process.stdin is not None
    assert process.stdout is not None
    writer, reader = process.stdin, process.stdout

    async def ask(**given: Any) -> dict[str, Any]:
        writer.write(json.dumps(given).encode() + b"\n")
        return dict(json.loads(await reader.readline()))

    try:
        yield ask
    finally:
        writer.close()
        await process.wait()


async def differences(ask: Any, estate: Estate, case: Case) -> list[str]:
    """What is not as the case says."""
    async with running(estate) as there:
        for name in case.down:
            there.subgraphs[name].down = True
        answer = await ask(supergraph=estate.composed(), urls=dict(there.urls), query=case.query, variables=dict(case.variables))
        expected = there.monolith(case.query, case.variables)
        calls = there.calls()
        found = []
        if answer.get("data") != expected["data"]:
            found += [f"answers {json.dumps(answer, ensure_ascii=False)}", f"monolith {json.dumps(expected, ensure_ascii=False)}"]
        if calls != (case.reference or case.calls):
            found.append(f"calls {calls}, not {dict(case.reference or case.calls)}")
        if found:
            found += [f"{name}: {asked.document} {asked.variables}" for name, one in there.subgraphs.items() for asked in one.asked]
        return found


async def main(*names: str) -> int:
    """Exit code 1 when anything differs."""
    failed = 0
    async with gateway() as ask:
        for estate in ESTATES:
            if names and estate.name not in names:
                continue
            for number, case in enumerate(estate.cases):
                found = [] if case.unlike else await differences(ask, estate, case)
                state = "\n  ".join(["differs", *found]) if found else case.unlike or "ok"
                print(f"{estate.name}-{case.title or number}: {state}")
                failed += bool(found)
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(asyncio.run(main(*sys.argv[1:])))
