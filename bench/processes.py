"""Server processes of a measurement: started, found ready, asked for the processor time they used, ended.

Processor time is read from ``/proc`` (seconds, user and system, all threads), so measurements need Linux.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path

_TICK = os.sysconf("SC_CLK_TCK")
_PATIENCE = 60.0  # seconds until a server has to be ready


@dataclass(frozen=True, slots=True)
class Server:
    """A process that answers on ``port`` of loopback."""

    name: str
    pid: int
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def cpu(self) -> float:
        """Seconds of processor time so far."""
        words = Path(f"/proc/{self.pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        return (int(words[11]) + int(words[12])) / _TICK

    def memory(self) -> int:
        """Resident bytes."""
        return int(Path(f"/proc/{self.pid}/statm").read_text(encoding="utf-8").split()[1]) * os.sysconf("SC_PAGE_SIZE")


def announce() -> socket.socket:
    """Inside a server process: a listening socket on a free port, its number printed for whoever started the process."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=256)
    print(listener.getsockname()[1], flush=True)
    return listener


def free_port() -> int:
    """A port that was free a moment ago, for servers that want to be told one."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


@contextmanager
def module(name: str, *arguments: str) -> Iterator[Server]:
    """Run ``python -m name``, which announces its port, for the length of the block."""
    with subprocess.Popen([sys.executable, "-m", name, *arguments], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            port = process.stdout.readline().strip()
            if not port.isdigit():
                raise RuntimeError(f"{name} did not start")
            yield Server(name, process.pid, int(port))
        finally:
            process.terminate()


@contextmanager
def command(words: list[str], port: int, ready: str, environment: Mapping[str, str], log: Path) -> Iterator[Server]:
    """Run a command that serves on ``port`` until the path ``ready`` answers 200; its output goes to ``log``."""
    with log.open("wb") as out, subprocess.Popen(words, stdout=out, stderr=out, env={**os.environ, **environment}) as process:
        server = Server(Path(words[0]).name, process.pid, port)
        try:
            until = time.monotonic() + _PATIENCE
            while not _ready(port, ready):
                if process.poll() is not None or time.monotonic() > until:
                    raise RuntimeError(f"{' '.join(words)} did not get ready:\n{log.read_text(encoding='utf-8')[-2000:]}")
                time.sleep(0.05)
            yield server
        finally:
            process.terminate()


def _ready(port: int, path: str) -> bool:
    connection = HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()
