"""The hub of a measurement, served by its own command with a fresh store, and a caller with a token as any client gets it."""

from __future__ import annotations

import base64
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from http.client import HTTPConnection
from pathlib import Path

import orjson

from bench.processes import Server, command, free_port

HERE = Path(__file__).parent
HUB = str(Path(sys.executable).with_name("hub"))
CONFIG = ["--config", str(HERE / "hub.toml")]


def hub(source: Server) -> AbstractContextManager[tuple[Server, str]]:
    """``serving`` over the one source of ``systems``."""
    return serving(HERE / "systems", {"BENCH_SOURCE_URL": source.url})


@contextmanager
def serving(systems: Path, urls: Mapping[str, str], grade: str = "L2", store: Path | None = None) -> Iterator[tuple[Server, str]]:
    """``hub serve`` over the manifests in ``systems``, whose sources are at ``urls``, and an access token that covers ``grade``.
    ``store`` is the folder below which the store is made (None: where temporary files lie)."""
    with tempfile.TemporaryDirectory(prefix="bench-", dir=store) as name:
        folder, port = Path(name), free_port()
        environment = {
            **urls,
            "HUB_HTTP_PORT": str(port),
            "HUB_STORE_URL": f"sqlite:///{folder}/hub.sqlite",
            "HUB_STORE_KEY_FILE": f"{folder}/hub.key",
        }
        secret = registered("bench", environment, grade)
        words = [HUB, "serve", "--systems", str(systems), *CONFIG]
        with command(words, port, "/readyz", environment, folder / "hub.log") as server:
            yield server, token(server, "bench", secret)


def registered(client: str, environment: dict[str, str], grade: str) -> str:
    """Register a client that may see up to ``grade``; its secret."""
    words = [HUB, "client", "add", client, "--grade", grade, *CONFIG]
    done = subprocess.run(words, env={**os.environ, **environment}, capture_output=True, text=True, check=True)
    return done.stdout.split()[-1]


def token(server: Server, client: str, secret: str) -> str:
    """An access token by client credentials (RFC 6749 §4.4)."""
    connection = HTTPConnection("127.0.0.1", server.port, timeout=30)
    proof = base64.b64encode(f"{client}:{secret}".encode()).decode()
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Authorization": f"Basic {proof}"}
    connection.request("POST", "/oauth/token", "grant_type=client_credentials", headers)
    answer = orjson.loads(connection.getresponse().read())
    connection.close()
    return str(answer["access_token"])
