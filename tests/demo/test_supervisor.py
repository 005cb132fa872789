"""Departments are processes: they start together, die alone, come back on their ports, and never outlive who started them."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from pathlib import Path

import aiohttp
import pytest

from demo import department
from demo.department import SYSTEMS
from demo.seed import FIXTURES
from demo.supervisor import URL_VARIABLES, DepartmentFailed, Departments, exists

ROOT = Path(department.__file__).parent.parent
PAIR = ("eLicenceLibrary", "credit531x")


async def gone(pids: list[int]) -> bool:
    """Whether all of them end within ten seconds."""
    for _ in range(1000):
        if not any(exists(pid) for pid in pids):
            return True
        await asyncio.sleep(0.01)
    return False


async def licences(url: str) -> int:
    async with aiohttp.ClientSession() as session, session.get(f"{url}/api/zz/list?czr={FIXTURES[0][0]}") as response:
        return len((await response.json())["data"])


async def test_a_killed_department_refuses_and_a_restarted_one_answers_at_the_same_place() -> None:
    async with Departments(PAIR, enterprises=10) as departments:
        url, pid = departments.url("eLicenceLibrary"), departments.pids()["eLicenceLibrary"]
        assert await licences(url) == 4

        await departments.kill("eLicenceLibrary")
        assert not exists(pid)
        assert list(departments.pids()) == ["credit531x"]
        assert list(await departments.calls()) == ["credit531x"]
        with pytest.raises(aiohttp.ClientConnectorError):
            await licences(url)
        await departments.kill("eLicenceLibrary")

        await departments.restart("eLicenceLibrary")
        assert departments.url("eLicenceLibrary") == url
        assert await licences(url) == 4
        assert (await departments.calls())["eLicenceLibrary"].calls == 1

        pids = [*departments.pids().values(), pid]
        assert pids[0] != pid
    assert not any(exists(one) for one in pids)


async def test_a_running_department_can_be_restarted() -> None:
    async with Departments(PAIR[:1], enterprises=10) as departments:
        before = departments.pids()
        await departments.fault("eLicenceLibrary", "hang")
        await departments.restart("eLicenceLibrary")

        assert departments.pids() != before
        assert await licences(departments.url("eLicenceLibrary")) == 4


async def test_all_twelve_say_where_they_are_and_leave_nothing_behind() -> None:
    async with Departments(enterprises=10) as departments:
        environment = departments.environment()
        pids = departments.pids()
        assert list(pids) == list(SYSTEMS) == [entry["system"] for entry in departments.listing()]
        assert len(set(pids.values())) == 12
        assert os.getpid() not in pids.values()
        assert environment.keys() == {
            *URL_VARIABLES.values(),
            "credit531x.key",
            "takeawayOnline.key",
            "socialFundWithholding.user",
            "socialFundWithholding.password",
            "serviceIssueList.user",
            "serviceIssueList.password",
            "SERVICE_ISSUE_LIST_HOST_KEY",
            "dischargePermits.token",
        }
        assert {entry["url"] for entry in departments.listing()} <= set(environment.values())
        assert all("127.0.0.1" in departments.url(system) for system in SYSTEMS)
    assert not any(exists(pid) for pid in pids.values())
    assert departments.pids() == {}


def test_the_variables_are_those_that_the_manifests_name() -> None:
    named = {
        line.split("${")[1].split("}")[0]
        for manifest in (ROOT / "systems").rglob("*.graphql")
        for line in manifest.read_text(encoding="utf-8").splitlines()
        if "${" in line and not line.lstrip().startswith("#")
    }

    assert set(URL_VARIABLES.values()) <= named


async def test_an_error_within_the_context_ends_them_too() -> None:
    async def fail_within() -> None:
        async with Departments(PAIR[:1], enterprises=10) as departments:
            pids.extend(departments.pids().values())
            raise LookupError("mine")

    pids: list[int] = []
    with pytest.raises(LookupError, match="mine"):
        await fail_within()
    assert len(pids) == 1
    assert not any(exists(pid) for pid in pids)


async def test_they_end_when_their_starter_is_killed(tmp_path: Path) -> None:
    script = (
        "import asyncio, json\n"
        "from demo.supervisor import Departments\n"
        "async def main():\n"
        f"    async with Departments({PAIR!r}, enterprises=10) as departments:\n"
        "        await departments.restart('eLicenceLibrary')\n"
        "        print(json.dumps(departments.pids()), flush=True)\n"
        "        await asyncio.Event().wait()\n"
        "asyncio.run(main())\n"
    )
    starter = await asyncio.create_subprocess_exec(
        sys.executable, "-c", script, stdout=asyncio.subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(ROOT)}
    )
    assert starter.stdout is not None
    pids = list(json.loads(await starter.stdout.readline()).values())
    assert all(exists(pid) for pid in pids)

    starter.kill()
    await starter.wait()
    assert await gone(pids)


async def test_one_department_by_hand_says_where_it_is_and_ends_on_sigterm() -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "demo.department", "eLicenceLibrary", "--enterprises", "10", stdout=asyncio.subprocess.PIPE, cwd=ROOT
    )
    assert process.stdout is not None
    ready = json.loads(await process.stdout.readline())
    assert (ready["system"], ready["pid"]) == ("eLicenceLibrary", process.pid)
    assert await licences(ready["url"]) == 4

    process.send_signal(signal.SIGTERM)
    assert await process.wait() == 0
    assert await process.stdout.read() == b""


async def test_a_taken_port_is_said_and_not_waited_for(capfd: pytest.CaptureFixture[str]) -> None:
    async with Departments(PAIR[:1], enterprises=10) as departments:
        port = departments.url("eLicenceLibrary").rsplit(":", 1)[1]
        other = Departments(PAIR[:1], enterprises=10)
        other._world = (*other._world, "--port", port)
        with pytest.raises(DepartmentFailed, match="ended while starting: eLicenceLibrary"):
            await other.__aenter__()
    assert "eLicenceLibrary: [Errno" in capfd.readouterr().err


@pytest.mark.parametrize("arguments", [["nowhere"], [], [*PAIR, "--port", "1"]])
def test_arguments_that_make_no_sense_are_refused(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as refused:
        department.main(arguments)
    assert refused.value.code == 2
    assert "usage: python -m demo.department" in capsys.readouterr().err
