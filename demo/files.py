"""政务服务问题清单: a department that delivers files: every quarter a CSV in GB18030, fetched from it by SFTP. Must not know the hub.

``SftpDoor`` is the protocol: a folder that may be listed and read by one user with a password; nothing can be written to it. What lies
there follows the present fault: a page of HTML, other names of columns, or text where dates are due. A door that hangs takes requests
and never answers.
"""

from __future__ import annotations

import csv
import hashlib
import io
import os
import tempfile
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Any

import asyncssh
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from demo.facts import World
from demo.faults import HTML, Cut, Faults, How, Tally, nonsense
from demo.native import ISSUE_COLUMNS, issue_row
from demo.service import HOST

USER = "hub"
Deliveries = Callable[[How | None], Mapping[str, bytes]]


def deliveries(truth: World, how: How | None) -> Mapping[str, bytes]:
    """The files of the last two quarters of 2021 by name; the newer one has all that the older one has."""
    found = {}
    for quarter, months in (("2021Q3", 9), ("2021Q4", 12)):
        columns = [f"x_{name}" if how is How.COLUMNS else name for name in ISSUE_COLUMNS]
        rows = [issue_row(issue) for issue in truth.service_issues if issue.found_on.month <= months]
        if how is How.TEXT:
            rows = [[nonsense(value.replace("/", "")) if "/" in value else value for value in row] for row in rows]
        text = io.StringIO(newline="")
        csv.writer(text).writerows([columns, *rows])
        found[f"wtqd-{quarter}.csv"] = (HTML if how is How.HTML else text.getvalue()).encode("gb18030")
    return found


def host_key(seed: str) -> Ed25519PrivateKey:
    """The server's key: the same seed always gives the same one, so that whoever starts the department knows it."""
    return Ed25519PrivateKey.from_private_bytes(hashlib.sha256(f"host key of {seed}".encode()).digest())


def public_host_key(seed: str) -> str:
    """As known_hosts has it: ``ssh-ed25519 AAAA…``."""
    return host_key(seed).public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()


class SftpDoor:
    """The door of a department that delivers files. ``key`` is the password, and the seed of the server's own key."""

    def __init__(self, made: Deliveries, faults: Faults, tally: Tally, key: str) -> None:
        self._made = made
        self._faults = faults
        self._tally = tally
        self._key = key
        self._folder = tempfile.TemporaryDirectory(prefix="hub-demo-sftp-")
        self._written: How | str | None = ""
        self._acceptor: asyncssh.SSHAcceptor | None = None
        self._connections: set[asyncssh.SSHServerConnection] = set()

    async def open(self, port: int) -> int:
        private = host_key(self._key).private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())
        self._acceptor = await asyncssh.listen(
            HOST,
            port,
            server_host_keys=[asyncssh.import_private_key(private)],
            server_factory=lambda: _Welcome(self._key, self._connections),
            sftp_factory=lambda channel: _Shelf(channel, self),
            allow_scp=False,
            encoding=None,
        )
        return int(self._acceptor.get_port())

    async def shut(self) -> None:
        if self._acceptor is not None:
            self._acceptor.close()
            self._acceptor = None
        for connection in list(self._connections):
            connection.abort()
        self._connections.clear()

    def url(self, port: int) -> str:
        return f"sftp://{HOST}:{port}/"

    @property
    def folder(self) -> str:
        return self._folder.name

    async def asked(self, endpoint: str) -> None:
        """One request: counted, held up as the fault says, and what lies there as the fault says. Raises Cut."""
        self._tally.add(endpoint, 0)
        how = await self._faults.gate()
        if how != self._written:
            self._lay(how)

    def _lay(self, how: How | None) -> None:
        """A few small files, each put in its place at once."""
        for name, content in self._made(how).items():
            aside = Path(self.folder, f".{name}")
            aside.write_bytes(content)
            os.replace(aside, Path(self.folder, name))
        self._written = how


class _Welcome(asyncssh.SSHServer):
    """Lets one user in."""

    def __init__(self, key: str, connections: set[asyncssh.SSHServerConnection]) -> None:
        self._key = key
        self._connections = connections
        self._own: asyncssh.SSHServerConnection | None = None

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self._own = conn
        self._connections.add(conn)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._own is not None:
            self._connections.discard(self._own)

    def password_auth_supported(self) -> bool:
        return True

    def validate_password(self, username: str, password: str) -> bool:
        return username == USER and password == self._key


class _Shelf(asyncssh.SFTPServer):
    """The folder of one connection, read only."""

    def __init__(self, channel: asyncssh.SSHServerChannel[bytes], door: SftpDoor) -> None:
        super().__init__(channel, chroot=door.folder.encode())
        self._door = door

    async def _asked(self, endpoint: str) -> None:
        try:
            await self._door.asked(endpoint)
        except Cut:
            self.connection.abort()
            raise asyncssh.SFTPConnectionLost("cut") from None

    async def scandir(self, path: bytes) -> AsyncIterator[asyncssh.SFTPName]:
        await self._asked("LIST")
        async for name in super().scandir(path):
            yield name

    async def open(self, path: bytes, pflags: int, attrs: asyncssh.SFTPAttrs) -> object:
        if pflags & ~asyncssh.FXF_READ:
            raise asyncssh.SFTPPermissionDenied("nothing is written here")
        await self._asked(f"GET {os.path.basename(path).decode()}")
        found: Any = super().open(path, pflags, attrs)
        return found
