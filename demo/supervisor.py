"""``Departments``: all simulated departments as processes, started together, told what to do, and never left behind.

Each ends with whoever started it: on leaving the context, and also when that process is killed, since their lifeline (standard
input) then ends. Must not know what the departments hold.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import secrets
import signal
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import aiohttp

from demo.department import KEY_VARIABLE, PASSWORD_VARIABLE, SYSTEMS
from demo.faults import How, Mode
from demo.seed import ENTERPRISES, SEED

CREDIT_SECRET = "credit531x.key"
TAKEAWAY_SECRET = "takeawayOnline.key"
FUND_USER, FUND_SECRET = "socialFundWithholding.user", "socialFundWithholding.password"
ISSUE_SECRETS = ("serviceIssueList.user", "serviceIssueList.password")
PERMITS_TOKEN = "dischargePermits.token"
ISSUE_HOST_KEY = "SERVICE_ISSUE_LIST_HOST_KEY"
URL_VARIABLES: Mapping[str, str] = {
    "legalEntityRegister": "LEGAL_ENTITY_REGISTER_URL",
    "eLicenceLibrary": "E_LICENCE_LIBRARY_URL",
    "credit531x": "CREDIT531X_URL",
    "internetPlusSupervision": "INTERNET_PLUS_SUPERVISION_URL",
    "marketEnforcementCore": "MARKET_ENFORCEMENT_CORE_URL",
    "adminPermitCatalogue": "ADMIN_PERMIT_CATALOGUE_URL",
    "fairOnline": "FAIR_ONLINE_URL",
    "registrationGazette": "REGISTRATION_GAZETTE_URL",
    "socialFundWithholding": "SOCIAL_FUND_WITHHOLDING_URL",
    "serviceIssueList": "SERVICE_ISSUE_LIST_URL",
    "dischargePermits": "DISCHARGE_PERMITS_URL",
    "takeawayOnline": "TAKEAWAY_ONLINE_ADDRESS",
}
"""System -> the variable of its manifest that holds where it is."""

ROOT = str(Path(__file__).resolve().parent.parent)  # where ``demo`` is imported from
START_SECONDS = 30.0
END_SECONDS = 5.0


class DepartmentFailed(RuntimeError):
    """A department did not start, or did not do as it was told."""


@dataclass(frozen=True, slots=True)
class Running:
    """One department's process; ``alive`` as far as this supervisor ended it."""

    system: str
    url: str
    control: str
    pid: int
    alive: bool = True


@dataclass(frozen=True, slots=True)
class Asked:
    """What a department was asked since the last reset: requests and keys, by endpoint (a path, a table, a root field) and in all."""

    calls: int
    keys: int
    endpoints: Mapping[str, tuple[int, int]]


class Departments:
    """``async with Departments() as departments: ...``. Raises DepartmentFailed when one does not start within 30 seconds."""

    def __init__(self, systems: Iterable[str] = SYSTEMS, *, seed: int = SEED, enterprises: int = ENTERPRISES) -> None:
        self.systems = tuple(systems)
        self._world: tuple[str, ...] = ("--seed", str(seed), "--enterprises", str(enterprises), "--lifeline")
        self._key = secrets.token_hex(16)
        self._running: dict[str, Running] = {}
        self._processes: list[asyncio.subprocess.Process] = []
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        try:
            await self._start(self.systems)
        except BaseException:
            await self._end()
            raise
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=END_SECONDS))
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._session is not None:
            await self._session.close()
        await self._end()

    def url(self, system: str) -> str:
        """Where the department is asked, by its own protocol. Stays the same over ``kill`` and ``restart``."""
        return self._running[system].url

    def control(self, system: str) -> str:
        """The department's control URL."""
        return self._running[system].control

    def environment(self) -> dict[str, str]:
        """The variables that the manifests name, with their values, and the secrets, which have a point in their names."""
        found = {URL_VARIABLES[system]: self.url(system) for system in self.systems}
        if "credit531x" in self._running:
            found[CREDIT_SECRET] = self._key
        if "takeawayOnline" in self._running:
            found[TAKEAWAY_SECRET] = self._key
        if "socialFundWithholding" in self._running:
            found |= {FUND_USER: "hub", FUND_SECRET: self._key}
        if "dischargePermits" in self._running:
            found[PERMITS_TOKEN] = self._key
        if "serviceIssueList" in self._running:
            from demo.files import USER, public_host_key

            found |= dict(zip(ISSUE_SECRETS, (USER, self._key), strict=True))
            found[ISSUE_HOST_KEY] = public_host_key(self._key)
        return found

    def pids(self) -> dict[str, int]:
        """The process of each department that was not killed."""
        return {system: self._running[system].pid for system in self.systems if self._running[system].alive}

    def listing(self) -> list[dict[str, Any]]:
        """``{system, pid, url}`` of each, in the order they were named: for the ready file."""
        return [{"system": system, "pid": self._running[system].pid, "url": self.url(system)} for system in self.systems]

    async def kill(self, system: str) -> None:
        """End the department's process at once (SIGKILL); its port then refuses connections."""
        await self._end_one(system, signal.SIGKILL)

    async def restart(self, system: str) -> None:
        """Start the department anew on the same ports, with a new process, no fault and no counts."""
        await self._end_one(system, signal.SIGTERM)
        running = self._running[system]
        await self._start((system,), "--port", _port(running.url), "--control-port", _port(running.control))

    async def fault(self, system: str, mode: str, *, seconds: float | None = None, how: str | None = None) -> None:
        """Tell a department to be ``ok``, ``slow``, ``wrong``, ``hang`` or ``dead`` (``demo.faults.Mode``).

        ``seconds`` is for slow (3 by default), ``how`` for wrong: html, columns or text. Raises ValueError for other words.
        """
        told = {"mode": Mode(mode).value, "seconds": seconds, "how": None if how is None else How(how).value}
        await self._tell(system, "POST", "/fault", told)

    async def calls(self) -> dict[str, Asked]:
        """What each department that runs was asked since the last reset."""
        alive = list(self.pids())
        reports = await asyncio.gather(*(self._tell(system, "GET", "/calls") for system in alive))
        return {
            system: Asked(report["calls"], report["keys"], {name: (n["calls"], n["keys"]) for name, n in report["endpoints"].items()})
            for system, report in zip(alive, reports, strict=True)
        }

    async def reset(self) -> None:
        """Every department that runs: no fault, and counting from zero."""
        for system in self.pids():
            await self.fault(system, "ok")
            await self._tell(system, "POST", "/reset")

    async def _tell(self, system: str, method: str, path: str, body: Any = None) -> Any:
        if self._session is None:
            raise DepartmentFailed("the departments are not running")
        async with self._session.request(method, self.control(system) + path, json=body) as response:
            if response.status != 200:
                raise DepartmentFailed(f"{system}: {method} {path} answered {response.status}")
            return await response.json()

    async def _start(self, systems: tuple[str, ...], *options: str) -> None:
        path = os.pathsep.join(filter(None, (ROOT, os.environ.get("PYTHONPATH"))))
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "demo.department",
            *systems,
            *self._world,
            *options,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": path, KEY_VARIABLE: self._key, PASSWORD_VARIABLE: self._key},
            start_new_session=True,  # an interrupt typed at the hub is not theirs: they end when the hub has drained
        )
        self._processes.append(process)
        assert process.stdout is not None
        try:
            async with asyncio.timeout(START_SECONDS):
                for _ in systems:
                    line = await process.stdout.readline()
                    if not line:
                        raise DepartmentFailed(f"a department ended while starting: {', '.join(systems)}")
                    ready = Running(**json.loads(line))
                    self._running[ready.system] = ready
        except TimeoutError:
            raise DepartmentFailed(f"not ready within {START_SECONDS:.0f} seconds: {', '.join(systems)}") from None

    async def _end_one(self, system: str, signum: int) -> None:
        running = self._running[system]
        if not running.alive:
            return
        self._running[system] = replace(running, alive=False)
        with contextlib.suppress(ProcessLookupError):
            os.kill(running.pid, signum)
        for tries in range(int(END_SECONDS / 0.005)):
            if not exists(running.pid):
                return
            if tries == 400:  # two seconds: it had its chance
                os.kill(running.pid, signal.SIGKILL)
            await asyncio.sleep(0.005)
        raise DepartmentFailed(f"{system}: process {running.pid} does not end")

    async def _end(self) -> None:
        """End everything that was started: ask, then insist."""
        for process in self._processes:
            if process.stdin is not None:
                process.stdin.close()
        try:
            async with asyncio.timeout(END_SECONDS):
                await asyncio.gather(*(process.wait() for process in self._processes))
        except TimeoutError:
            for process in self._processes:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)  # its own session, so its own group
            await asyncio.gather(*(process.wait() for process in self._processes))
        self._running = {system: replace(running, alive=False) for system, running in self._running.items()}


def exists(pid: int) -> bool:
    """Whether there is such a process."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def _port(url: str) -> str:
    return url.split("//", 1)[1].rsplit(":", 1)[1].split("/", 1)[0]
