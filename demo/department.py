"""``python -m demo.department NAME``: one simulated department as a process of its own.

It prints one line of JSON, ``{system, url, control, pid}``, when it is ready and serves until SIGTERM. Several names give several
processes, one each, that share the work of starting: the world is made and the libraries are loaded once, before they part.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
from functools import partial
from importlib import import_module
from typing import Any

from demo.facts import World
from demo.faults import Faults, Tally
from demo.native import TABLES
from demo.seed import ENTERPRISES, SEED, world
from demo.service import Door, WebDoor, serve

SYSTEMS = (
    "legalEntityRegister",
    "eLicenceLibrary",
    "credit531x",
    "internetPlusSupervision",
    "marketEnforcementCore",
    "adminPermitCatalogue",
    "fairOnline",
    "registrationGazette",
    "socialFundWithholding",
    "serviceIssueList",
    "dischargePermits",
    "takeawayOnline",
)
# The API key of credit531x and takeawayOnline, the password of serviceIssueList, the token of dischargePermits.
KEY_VARIABLE = "DEMO_CREDIT531X_KEY"
DEFAULT_KEY = "demo-credit531x-key"
PASSWORD_VARIABLE = "DEMO_SOCIAL_FUND_PASSWORD"  # of the user ``hub`` at socialFundWithholding
DEFAULT_PASSWORD = "demo-social-fund-password"


def door(system: str, truth: World, faults: Faults, tally: Tally) -> Door:
    """The department's own protocol over its part of the world."""
    protocol = load(system)
    if system in TABLES:
        return protocol.MysqlDoor(protocol.Database(TABLES[system], truth), faults, tally)  # type: ignore[no-any-return]
    if system == "fairOnline":
        return WebDoor(protocol.fair_online(truth, faults, tally), "/graphql")
    if system == "credit531x":
        return WebDoor(protocol.credit_platform(truth, faults, tally, os.environ.get(KEY_VARIABLE) or DEFAULT_KEY))
    if system == "serviceIssueList":
        key = os.environ.get(KEY_VARIABLE) or DEFAULT_KEY
        return protocol.SftpDoor(partial(protocol.deliveries, truth), faults, tally, key)  # type: ignore[no-any-return]
    if system == "dischargePermits":
        return protocol.NatsDoor(truth, faults, tally, os.environ.get(KEY_VARIABLE) or DEFAULT_KEY)  # type: ignore[no-any-return]
    if system == "takeawayOnline":
        return protocol.GrpcDoor(truth, faults, tally, os.environ.get(KEY_VARIABLE) or DEFAULT_KEY)  # type: ignore[no-any-return]
    if system == "registrationGazette":
        return WebDoor(protocol.gazette(truth, faults, tally))
    if system == "socialFundWithholding":
        return WebDoor(protocol.social_fund(truth, faults, tally, os.environ.get(PASSWORD_VARIABLE) or DEFAULT_PASSWORD), protocol.PATH)
    if system == "eLicenceLibrary":
        return WebDoor(protocol.licence_library(truth, faults, tally))
    return WebDoor(protocol.supervision(truth, faults, tally))


def load(system: str) -> Any:
    """The module of the department's protocol. Loaded when asked for, so that a process has the libraries of its own only."""
    own = {
        "dischargePermits": "demo.stream",
        "fairOnline": "demo.graph",
        "registrationGazette": "demo.gazette",
        "serviceIssueList": "demo.files",
        "socialFundWithholding": "demo.soap",
        "takeawayOnline": "demo.rpc",
    }
    return import_module("demo.mysql" if system in TABLES else own.get(system, "demo.rest"))


def main(arguments: list[str] | None = None) -> int:
    """Exit code 0 after SIGTERM; 2 for wrong arguments; 1 when a port is taken."""
    parser = argparse.ArgumentParser(prog="python -m demo.department", description="模拟部门系统 One simulated department, or several.")
    parser.add_argument("names", nargs="+", choices=SYSTEMS, metavar="NAME", help=", ".join(SYSTEMS))
    parser.add_argument("--port", type=int, default=0, help="port of its protocol (0: any; with one name only)")
    parser.add_argument("--control-port", type=int, default=0, help="port of its control URL (0: any; with one name only)")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--enterprises", type=int, default=ENTERPRISES)
    parser.add_argument("--lifeline", action="store_true", help="end when standard input ends, so as never to outlive who started it")
    options = parser.parse_args(arguments)
    if len(options.names) > 1 and (options.port or options.control_port):
        parser.error("--port and --control-port are for one department")
    truth = world(options.seed, options.enterprises)
    if "dischargePermits" in options.names:
        try:
            load("dischargePermits").server()
        except OSError as error:
            print(error, file=sys.stderr)
            return 1
    if len(options.names) == 1:
        return _run(options.names[0], truth, options)
    return _part(options.names, truth, options)


def _run(system: str, truth: World, options: argparse.Namespace) -> int:
    async def run() -> None:
        faults, tally = Faults(), Tally()
        await serve(
            system,
            door(system, truth, faults, tally),
            faults,
            tally,
            port=options.port,
            control_port=options.control_port,
            lifeline=options.lifeline,
        )

    try:
        asyncio.run(run())
    except OSError as error:
        print(f"{system}: {error}", file=sys.stderr)
        return 1
    return 0


def _part(names: list[str], truth: World, options: argparse.Namespace) -> int:
    """Fork one process per name; end when all of them have, handing SIGTERM and SIGINT on."""
    for name in names:
        load(name)
    children: list[int] = []
    for name in names:
        child = os.fork()
        if child == 0:
            os._exit(_run(name, truth, options))
        children.append(child)

    def hand_on(signum: int, _frame: object) -> None:
        for pid in children:
            os.kill(pid, signum)

    for signum in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signum, hand_on)
    code = 0
    while children:
        pid, status = os.wait()
        children.remove(pid)
        code = code or max(os.waitstatus_to_exitcode(status), 0)  # a department killed on purpose is no failure
    return code


if __name__ == "__main__":
    sys.exit(main())
