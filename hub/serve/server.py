"""The HTTP server: uvicorn on a socket of ours, stopped by draining. Must not know what it serves."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import structlog
import uvicorn
from starlette.types import ASGIApp

from hub.config import BadConfig, ConfigFault, Http
from hub.serve.drain import Drain

log = structlog.get_logger("hub.server")


class Server(uvicorn.Server):
    """uvicorn, but told to stop it drains first: new requests are refused and the old finish, within the configured time.

    A second signal stops at once. ``limit`` is how large a message on a WebSocket may be, in bytes.
    """

    def __init__(self, app: ASGIApp, http: Http, drain: Drain, limit: int = 1_000_000) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                lifespan="off",
                ws="websockets-sansio",
                ws_max_size=limit,
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=bool(http.proxies),
                forwarded_allow_ips=list(http.proxies),
                timeout_graceful_shutdown=1,
            )
        )
        self._http = http
        self._drain = drain
        self._draining: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    async def serve(self, sockets: list[socket.socket] | None = None) -> None:
        self._loop = asyncio.get_running_loop()
        await super().serve(sockets)

    def handle_exit(self, sig: int, frame: Any) -> None:
        """Called by the signal; does not kill the process by it afterwards, as uvicorn would."""
        if self._draining is not None:
            self.force_exit = self.should_exit = True
        elif self._loop is not None:
            self._loop.call_soon_threadsafe(self.stop)

    def stop(self) -> None:
        """Begin to drain."""
        if self._draining is None:
            self._drain.close()
            self._draining = asyncio.ensure_future(self._drained())

    async def _drained(self) -> None:
        try:
            log.info("draining", in_flight=self._drain.in_flight)
            if not await self._drain.finished(self._http.drain):
                log.warning("stopped with requests in flight", in_flight=self._drain.in_flight)
        finally:
            self.should_exit = True


def listen(http: Http) -> socket.socket:
    """A socket that listens where the configuration says. Raises BadConfig when the address cannot be had."""
    family = socket.AF_INET6 if ":" in http.host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((http.host, http.port))
    except OSError as error:
        listening.close()
        reason = error.strerror or str(error)
        raise BadConfig(
            [ConfigFault("-", "http.port", f"无法监听 {http.host}:{http.port}。", f"Cannot listen on {http.host}:{http.port}: {reason}.")]
        ) from None
    listening.listen(2048)
    listening.setblocking(False)
    return listening


def address_of(listening: socket.socket) -> str:
    """The URL of a listening socket, as a caller on this machine would write it."""
    host, port = listening.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
