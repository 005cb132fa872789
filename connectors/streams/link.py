"""Where a stream is and how the hub shows who it is: the address of ``@stream`` taken apart, and what its driver is.

Must not know any protocol beyond its name.
"""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass
from importlib import import_module
from typing import Protocol
from urllib.parse import unquote, urlsplit

from connectors.http import Auth
from connectors.settings import refused
from connectors.spi import Secret
from connectors.streams.messages import Batch, Position, Words

BATCH = 256  # messages at a time, at most
JOINING = 5.0  # seconds that a connection may take to be made

# Scheme -> (module, port, whether by TLS).
_SCHEMES = {
    "nats": ("nats", 4222, False),
    "tls": ("nats", 4222, True),
    "mqtt": ("mqtt", 1883, False),
    "mqtts": ("mqtt", 8883, True),
    "amqp": ("amqp", 5672, False),
    "amqps": ("amqp", 5671, True),
    "kafka": ("kafka", 9092, False),
    "kafkas": ("kafka", 9092, True),
}


@dataclass(frozen=True, slots=True)
class Link:
    """One broker. ``path`` is what stands after the host, decoded: AMQP's virtual host. ``hosts`` are all of them, for Kafka."""

    protocol: str
    hosts: tuple[tuple[str, int], ...]
    tls: ssl.SSLContext | None
    path: str
    user: str | None
    password: Secret | None
    token: Secret | None

    @property
    def host(self) -> str:
        return self.hosts[0][0]

    @property
    def port(self) -> int:
        return self.hosts[0][1]


class Protocol_(Protocol):
    """What a module of a protocol gives."""

    async def topics(self, link: Link) -> list[str]:
        """Connect; the names of what is there, where the broker tells. Raises SourceError."""

    def watch(self, link: Link, words: Words, identity: str, durable: bool, position: Position) -> AsyncIterator[Batch]:
        """Join a topic after ``position``. ``identity`` is the hub's name there. Not ``durable``: nothing is kept, so nothing may be taken
        from others: a look alone. The iterator ends or raises SourceError when the connection breaks."""


def link(url: str, auth: Auth) -> Link:
    """Raises SourceError (config)."""
    try:
        parts = urlsplit(url)
        scheme = parts.scheme
        if scheme not in _SCHEMES:
            raise refused("The address of the stream has to begin with nats://, mqtt://, amqp:// or kafka://, or with s for TLS.")
        if "@" in parts.netloc or parts.query or parts.fragment:
            raise refused("The address of the stream holds more than a place; credentials belong into 'auth'.")
        protocol, port, secure = _SCHEMES[scheme]
        hosts = tuple(_place(one, port) for one in parts.netloc.split(",")) if parts.netloc else ()
    except ValueError:
        raise refused("The address of the stream is not a URL.") from None
    if not hosts or not all(host for host, _ in hosts):
        raise refused("The address of the stream names no host.")
    if len(hosts) > 1 and protocol != "kafka":
        raise refused("The address of the stream names several hosts.")
    user, password, token = _credentials(auth)
    if token is not None and protocol != "nats":
        raise refused("auth of kind BEARER is for NATS; take BASIC")
    return Link(protocol, hosts, ssl.create_default_context() if secure else None, unquote(parts.path[1:]), user, password, token)


def load(protocol: str) -> Protocol_:
    """The module that speaks ``protocol``. Raises SourceError (config) where its driver is not installed, naming what to do."""
    try:
        return import_module(f"connectors.streams.{protocol}")
    except ModuleNotFoundError as error:
        raise refused(f"the driver '{error.name}' is not installed: pip install 'yiwang-hub[{protocol}]'") from None


def _place(text: str, port: int) -> tuple[str, int]:
    parts = urlsplit(f"//{text}")
    return parts.hostname or "", parts.port or port


def _credentials(auth: Auth) -> tuple[str | None, Secret | None, Secret | None]:
    """(user, password, token)."""
    if auth.kind == "NONE":
        return None, None, None
    secret = auth.password or auth.token or auth.secret
    if secret is None:
        raise refused(f"auth of kind {auth.kind} needs a secret")
    if auth.kind == "BASIC":
        return auth.user.reveal() if isinstance(auth.user, Secret) else auth.user, secret, None
    if auth.kind == "BEARER":
        return None, None, secret
    raise refused("auth of a stream is of kind BASIC or BEARER")
