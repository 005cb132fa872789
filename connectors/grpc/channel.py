"""One gRPC server: its channel, credentials and limits, and what went wrong in the terms of ``connectors.spi``.

    UNAVAILABLE                                                     down; config where its certificate is not trusted
    DEADLINE_EXCEEDED                                               slow
    UNAUTHENTICATED, PERMISSION_DENIED                              denied
    RESOURCE_EXHAUSTED                                              busy; broken where the answer is over the limit
    NOT_FOUND                                                       missing
    UNIMPLEMENTED                                                   config
    INVALID_ARGUMENT, FAILED_PRECONDITION, OUT_OF_RANGE,
    ALREADY_EXISTS, ABORTED                                         invalid
    all others, what is not HTTP/2                                  broken

Messages are bytes here. Nothing is tried again, which is the engine's, but a read whose connection had broken when it went out.
Must not know what a message means.
"""

from __future__ import annotations

import asyncio
import os
import re
import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

os.environ.setdefault("GRPC_VERBOSITY", "ERROR")  # read when gRPC loads: else it writes onto stderr what callers are told by errors

import grpc  # type: ignore[import-untyped]
from grpc import aio

from connectors.credentials import Auth, fixed, reveal
from connectors.settings import refused
from connectors.spi import Call, ErrorKind, Secret, SourceError
from connectors.tls import Tls, pem

Metadata = tuple[tuple[str, str], ...]
_TARGET = re.compile(r"(?:(grpcs?)://)?((?:[\w.-]+|\[[0-9a-fA-F:.]+\]):\d{1,5})/?")
_NAME = re.compile(r"[0-9a-z_.-]+")
_CODE = grpc.StatusCode
_KINDS: Mapping[Any, tuple[ErrorKind, str]] = {
    _CODE.UNAVAILABLE: ("down", "The source is out of service."),
    _CODE.DEADLINE_EXCEEDED: ("slow", "The source did not answer in time."),
    _CODE.UNAUTHENTICATED: ("denied", "The source refused the hub's credential."),
    _CODE.PERMISSION_DENIED: ("denied", "The source refused the hub's credential."),
    _CODE.RESOURCE_EXHAUSTED: ("busy", "The source is busy."),
    _CODE.NOT_FOUND: ("missing", "The source has nothing of the kind."),
    _CODE.UNIMPLEMENTED: ("config", "The source does not serve this operation."),
    **dict.fromkeys(
        (_CODE.INVALID_ARGUMENT, _CODE.FAILED_PRECONDITION, _CODE.OUT_OF_RANGE, _CODE.ALREADY_EXISTS, _CODE.ABORTED),
        ("invalid", "The source did not accept the request."),
    ),
}
# What gRPC itself says where its status alone does not tell what it saw.
_UNTRUSTED = re.compile(r"CERTIFICATE_VERIFY_FAILED|[Pp]eer name .* is not in peer certificate")
_NOT_HTTP2 = re.compile(r"http1\.x server|Failed parsing HTTP/2")
_TOO_LARGE = re.compile(r"[Mm]essage larger than max")
_PUSHBACK = "grpc-retry-pushback-ms"


class Failure(SourceError):
    """A call that the server or gRPC ended with a status: ``status`` is its name, ``said`` the server's own words for the log."""

    def __init__(self, kind: ErrorKind, message: str, status: str, said: str, *, retry_after: float | None = None, untouched: bool = False):
        super().__init__(kind, message, detail=status, retry_after=retry_after, untouched=untouched)
        self.status = status
        self.said = said


class Channel:
    """Opened by the first call, closed by ``close``. Raises SourceError (config) for an address or credential that is none."""

    def __init__(
        self, target: str, auth: Auth, headers: Mapping[str, str | Secret], *, tls: Tls | None, beside: str, max_bytes: int
    ) -> None:
        found = _TARGET.fullmatch(target.strip())
        if found is None:
            raise refused("'target' is no address of a gRPC service; write host:port, or grpcs://host:port where it speaks TLS")
        if found[1] == "grpc" and tls is not None:
            raise refused("'target' says grpc://, which is without TLS, and there is 'tls'; write grpcs://")
        self.target = found[2]
        self.max_bytes = max_bytes
        self._credentials = _credentials(tls, beside) if found[1] == "grpcs" or tls is not None else None
        if auth.kind in ("OAUTH2", "HMAC") or auth.query:
            raise refused("a gRPC call takes auth of kind API_KEY with 'header', BASIC or BEARER")
        shown, _ = fixed(auth)
        self._metadata = _metadata({**{name: reveal(value) for name, value in headers.items()}, **shown})
        self.hidden = frozenset(name.lower() for name in (*shown, *(name for name, value in headers.items() if isinstance(value, Secret))))
        self._channel: Any = None
        self._closed = False

    def metadata(self, call: Call, more: Mapping[str, str] | None = None) -> Metadata:
        """What goes with a call. Raises SourceError (config)."""
        own = {"x-request-id": call.request_id} if call.request_id else {}
        return (*self._metadata, *_metadata({**own, **(more or {})}))

    async def unary(self, method: str, body: bytes, call: Call, metadata: Metadata, *, once: bool = False) -> bytes:
        """One answer. ``once``: the call changes something; it goes out over a connection that stands, so that one that never went out is
        told from one of which nobody knows, and is never sent again. Raises SourceError."""
        channel = await self._open()
        if once:
            await self._stands(channel, call)
        stood = self._is_ready()
        for again in (not once and stood, False):
            try:
                async with self._ended(channel.unary_unary(f"/{method}"), body, call, metadata) as running:
                    return bytes(await running)
            except Failure as error:
                if not again or not self._broke(error):
                    raise
        raise AssertionError("either an answer or an error")

    async def stream(self, method: str, body: bytes, call: Call, metadata: Metadata) -> AsyncGenerator[bytes, None]:
        """The answers of a method that sends several. Raises SourceError."""
        channel = await self._open()
        seen = False
        for again in (self._is_ready(), False):
            try:
                async with self._ended(channel.unary_stream(f"/{method}"), body, call, metadata) as running:
                    async for answer in running:
                        seen = True
                        yield bytes(answer)
                return
            except Failure as error:
                if seen or not again or not self._broke(error):
                    raise

    async def close(self) -> None:
        self._closed = True
        channel, self._channel = self._channel, None
        if channel is not None:
            await channel.close()

    def _is_ready(self) -> bool:
        return self._channel is not None and self._channel.get_state() is grpc.ChannelConnectivity.READY

    def _broke(self, error: Failure) -> bool:
        """Whether a connection that stood ended under a call, as it does when a server that is idle restarts: then what reads goes out
        again, once, over a new one. A server that says itself that it is unavailable keeps its connection."""
        return error.status == "UNAVAILABLE" and not self._is_ready()

    @asynccontextmanager
    async def _ended(self, method: Any, body: bytes, call: Call, metadata: Metadata) -> AsyncIterator[Any]:
        """A call under way, cancelled where it is left before its end; what goes wrong with it in the terms of ``connectors.spi``."""
        running = None
        try:
            running = method(body, timeout=_left(call), metadata=metadata)
            yield running
        except aio.AioRpcError as error:
            raise failure(error) from None  # its text names hosts
        except aio.UsageError:
            raise _closed() from None
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
            raise _closed() from None  # nobody cancelled: so gRPC ends what is under way when a channel is closed
        finally:
            if running is not None:
                running.cancel()

    async def _stands(self, channel: Any, call: Call) -> None:
        """Returns when there is a connection. Raises SourceError, of which nothing has reached the source."""
        try:
            async with asyncio.timeout_at(call.deadline):
                state = channel.get_state(try_to_connect=True)
                while state is not grpc.ChannelConnectivity.READY:
                    if state in (grpc.ChannelConnectivity.TRANSIENT_FAILURE, grpc.ChannelConnectivity.SHUTDOWN):
                        raise SourceError("down", "The source cannot be reached.", detail=state.name, untouched=True)
                    await channel.wait_for_state_change(state)
                    state = channel.get_state(try_to_connect=True)
        except TimeoutError:
            raise SourceError("slow", "The source did not answer in time.", untouched=True) from None

    async def _open(self) -> Any:
        """The channel. One that could not connect waits before it tries again, and until then tells whoever asks of what was: it gives way
        to a new one, which tries at once. How often that is worth it is the engine's to know, by its breaker."""
        if self._closed:
            raise _closed(untouched=True)
        old = self._channel
        if old is not None and old.get_state() is not grpc.ChannelConnectivity.TRANSIENT_FAILURE:
            return old
        options = [
            ("grpc.max_receive_message_length", self.max_bytes),
            ("grpc.enable_retries", 0),  # the engine knows what may come again
            ("grpc.service_config_disable_resolution", 1),
            ("grpc.enable_http_proxy", 0),
            ("grpc.use_local_subchannel_pool", 1),  # systems at one address share no connection, nor how it failed
        ]
        if self._credentials is None:
            made = aio.insecure_channel(self.target, options=options)
        else:
            made = aio.secure_channel(self.target, self._credentials, options=options)
        self._channel = made
        if old is not None:
            await old.close()
        return made


def failure(error: Any) -> Failure:
    """What an error of a call stands for."""
    status, said = error.code(), str(error.details() or "")
    kind, message = _KINDS.get(status, ("broken", "The source failed."))
    if status is _CODE.UNAVAILABLE and _UNTRUSTED.search(said):
        kind, message = "config", "The certificate of the source is not trusted."
    elif status is _CODE.UNAVAILABLE and _NOT_HTTP2.search(said):
        kind, message = "broken", "The source does not speak HTTP/2."
    elif status is _CODE.RESOURCE_EXHAUSTED and _TOO_LARGE.search(said):
        kind, message = "broken", "The source's answer is too large."
    after = next((value for name, value in error.trailing_metadata() or () if name == _PUSHBACK), "")
    wait = int(after) / 1000 if isinstance(after, str) and after.isdecimal() else None
    return Failure(kind, message, status.name, said, retry_after=wait)


def _closed(*, untouched: bool = False) -> SourceError:
    return SourceError("down", "The connection to the source is closed.", untouched=untouched)


def _left(call: Call) -> float | None:
    """Seconds until the deadline. Raises SourceError where it has passed."""
    if call.deadline is None:
        return None
    left = call.deadline - asyncio.get_running_loop().time()
    if left <= 0:
        raise SourceError("slow", "The source did not answer in time.", untouched=True)
    return left


def _metadata(given: Mapping[str, str]) -> Metadata:
    for name, value in given.items():
        if not _NAME.fullmatch(name.lower()) or name.lower().startswith("grpc-") or name.lower().endswith("-bin"):
            raise refused(f"'{name}' cannot be the name of metadata")
        if not value.isascii() or not value.isprintable():
            raise refused(f"the value of header '{name}' cannot be sent")
    return tuple((name.lower(), value) for name, value in given.items())


def _credentials(tls: Tls | None, beside: str) -> Any:
    """Trust in what ``tls`` names, else in what this machine trusts. Raises SourceError (config)."""
    if tls is not None and tls.old:
        raise refused("gRPC does not speak TLS 1.0 and 1.1: leave out 'tls.old'")
    shown = pem(tls or Tls(), beside)
    trusted = shown.ca or "".join(ssl.DER_cert_to_PEM_cert(one) for one in ssl.create_default_context().get_ca_certs(binary_form=True))
    return grpc.ssl_channel_credentials(trusted.encode() or None, shown.key.encode() or None, shown.certificate.encode() or None)
