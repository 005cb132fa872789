"""An S3-compatible store for tests: moto's server, a process of its own that is gone afterwards."""

from __future__ import annotations

import http.client
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from time import sleep

from tests.connectors.loopback import free

_NUMBERS = count()
_SIGNED = {"Authorization": "AWS4-HMAC-SHA256 Credential=hub/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0"}


@dataclass(frozen=True, slots=True)
class Bucket:
    """A bucket of its own."""

    port: int
    name: str

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def put(self, key: str, content: bytes) -> None:
        """An object is there as a whole or not at all."""
        _asked(self.port, "PUT", f"/{self.name}/{key}", content)

    def delete(self, key: str) -> None:
        _asked(self.port, "DELETE", f"/{self.name}/{key}")


def bucket(port: int) -> Bucket:
    """A new one in the store at ``port``."""
    name = f"dept-{next(_NUMBERS)}"
    _asked(port, "PUT", f"/{name}")
    return Bucket(port, name)


@contextmanager
def store() -> Iterator[int]:
    """The port of a store that answers."""
    port = free()
    words = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(600):
            try:
                _asked(port, "GET", "/moto-api/")
                break
            except ConnectionRefusedError:
                assert process.poll() is None, "the store ended by itself"
                sleep(0.05)  # until it listens
        yield port
    finally:
        process.kill()
        process.wait()


def _asked(port: int, method: str, path: str, body: bytes = b"") -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.request(method, path, body, _SIGNED)
        answer = connection.getresponse()
        assert answer.read() is not None
        assert answer.status < 300, (method, path, answer.status)
    finally:
        connection.close()
