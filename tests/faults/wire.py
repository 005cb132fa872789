"""What lies between the hub and a source over TCP: it passes on what comes, until it is told to misbehave. For every kind with a port."""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path
from typing import Literal

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

Mode = Literal["passes", "hangs", "resets", "drips", "truncated"]
WIRE: frozenset[str] = frozenset({"hangs", "resets", "drips", "truncated"})
"""The faults that a wire can have. Who listens at no address at all ``refuses``: ``tests.connectors.loopback.nobody``."""
_DRIP = 0.02  # seconds between two bytes


@dataclass(slots=True)
class Wire:
    """``port`` is the hub's side. ``mode`` counts from the next bytes on; of an answer that is truncated ``whole`` bytes come."""

    port: int
    mode: Mode = "passes"
    whole: int = 40
    _open: set[asyncio.StreamWriter] = field(default_factory=set)

    async def misbehave(self, mode: Mode) -> None:
        """From now on; for ``There.then``."""
        self.mode = mode

    async def cut(self) -> None:
        """End all connections, as a restart of the source does."""
        for writer in list(self._open):
            _reset(writer)
        await asyncio.sleep(0)


@asynccontextmanager
async def wire(source: int, mode: Mode = "passes", whole: int = 40) -> AsyncIterator[Wire]:
    """A wire to the port ``source`` of loopback."""
    made = Wire(0, mode, whole)
    calls: set[asyncio.Task[None] | None] = set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        calls.add(asyncio.current_task())
        there, into = await asyncio.open_connection("127.0.0.1", source)
        made._open.update((writer, into))
        ways = [asyncio.ensure_future(_up(made, reader, into, writer)), asyncio.ensure_future(_down(made, there, writer))]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            pass  # the wire is taken away; a server's own task that is cancelled is complained of
        finally:
            for way in ways:
                way.cancel()
            for end in (writer, into):
                made._open.discard(end)
                end.close()
        await asyncio.wait(ways)

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        server.close()
        for call in calls - {None}:
            call.cancel()  # type: ignore[union-attr]  # None is not among them
        await asyncio.sleep(0)


async def _up(made: Wire, reader: asyncio.StreamReader, into: asyncio.StreamWriter, back: asyncio.StreamWriter) -> None:
    """What the hub sends."""
    with suppress(ConnectionError):
        while part := await reader.read(65536):
            if made.mode == "resets":
                return _reset(back)
            if made.mode != "hangs":
                into.write(part)
                await into.drain()


async def _down(made: Wire, reader: asyncio.StreamReader, into: asyncio.StreamWriter) -> None:
    """What the source answers."""
    with suppress(ConnectionError):
        while part := await reader.read(65536):
            match made.mode:
                case "drips":
                    for at in range(len(part)):
                        into.write(part[at : at + 1])
                        await into.drain()
                        await asyncio.sleep(_DRIP)
                case "truncated":
                    into.write(part[: made.whole])
                    return await into.drain()
                case "passes" | "resets":  # a server that speaks first does so, and resets at what it is asked
                    into.write(part)
                    await into.drain()


def _reset(writer: asyncio.StreamWriter) -> None:
    """Close with RST instead of FIN."""
    plain: socket.socket = writer.get_extra_info("socket")
    with suppress(OSError):
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


@dataclass(frozen=True, slots=True)
class Certificate:
    """Files in PEM: ``chain`` is shown by a server, and trusted where it signs itself; ``key`` belongs to it."""

    chain: Path
    key: Path

    def server(self) -> ssl.SSLContext:
        """What a server speaks TLS with."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.chain, self.key)
        return context


def certificate(folder: Path, name: str = "127.0.0.1", *, days: tuple[int, int] = (-10, 10)) -> Certificate:
    """A certificate that signs itself, for ``localhost`` and 127.0.0.1, valid within ``days`` from now: (-10, -1) has expired."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    names: list[x509.GeneralName] = [x509.DNSName("localhost"), x509.IPAddress(IPv4Address("127.0.0.1"))]
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + timedelta(days=days[0]))
        .not_valid_after(now + timedelta(days=days[1]))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    found = Certificate(folder / f"{name}.crt", folder / f"{name}.key")
    found.chain.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    found.key.write_bytes(key.private_bytes(*form))
    return found
