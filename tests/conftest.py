"""What every test lives under: no network but loopback, the collector as it was, and hypothesis without time limits on a busy machine.

Must not know any part of the hub.
"""

from __future__ import annotations

import gc
import ipaddress
import os
import socket
import sys
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import settings

# The same examples each time, so that a red run is the change's own; ``HUB_EXAMPLES`` looks for new ones (tests/properties).
settings.register_profile("house", deadline=None, print_blob=True, derandomize="HUB_EXAMPLES" not in os.environ)
settings.load_profile("house")


# Servers that some tests use if they are there, and where they are looked for.
SERVERS = {
    "HUB_TEST_POSTGRES": "postgresql://postgres@127.0.0.1:5432/postgres",
    "HUB_TEST_MYSQL": "mysql://root@127.0.0.1:3306/test",
    "HUB_TEST_NATS": "nats://127.0.0.1:4222",
    "HUB_TEST_MQTT": "mqtt://127.0.0.1:1883",
    "HUB_TEST_AMQP": "amqp://guest@127.0.0.1:5672",
}


def pytest_report_header() -> list[str]:
    """One line a server: its address, without password, and whether it answers."""
    lines = []
    for name, default in SERVERS.items():
        parts = urlsplit(os.environ.get(name, default))
        host, port = parts.hostname or "127.0.0.1", parts.port or urlsplit(default).port
        try:
            socket.create_connection((host, port), timeout=2).close()
            state = "answers"
        except OSError:
            state = "not there, its tests are skipped"
        lines.append(f"{name}: {parts.scheme}://{host}:{port} ({state})")
    return lines


class Outside(RuntimeError):
    """A test tried to leave this machine."""


def loopback_only(event: str, arguments: tuple[Any, ...]) -> None:
    """An audit hook (PEP 578): a connection to any address but loopback fails the test that makes it."""
    if event not in ("socket.connect", "socket.sendto") or not isinstance(arguments[1], tuple):
        return
    host = str(arguments[1][0])
    try:
        inside = host in ("localhost", "") or ipaddress.ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        inside = False
    if not inside:
        raise Outside(f"a test connects to {host}; tests use loopback alone")


sys.addaudithook(loopback_only)


_settled = [0]  # how many objects were there when all was last looked through


@pytest.fixture(autouse=True)
def collector_as_it_was() -> Iterator[None]:
    """The collector looks through what a test makes, and not through all that was there before it: the schemas of thousands of tests, which
    took seconds each time, so that somebody's real timer went off in it. A hub that serves settles its memory; not for the next test."""
    before = gc.get_threshold()
    gc.freeze()
    yield
    gc.set_threshold(*before)


@pytest.fixture(autouse=True, scope="module")
def nothing_lies_about() -> Iterator[None]:
    """What tests left behind goes when a module is over, if it has become as much as all else."""
    yield
    gc.freeze()
    if gc.get_freeze_count() > 2 * _settled[0]:
        gc.unfreeze()
        gc.collect()
        gc.freeze()
        _settled[0] = gc.get_freeze_count()


def pytest_sessionfinish() -> None:
    """pytest looks through everything once more for what was never closed or awaited."""
    gc.unfreeze()
