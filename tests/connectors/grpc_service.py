"""A gRPC server on loopback, in the test's own loop, that tells what it is by server reflection."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

from grpc import aio  # type: ignore[import-untyped]
from grpc_reflection.v1alpha import reflection  # type: ignore[import-untyped]

from demo.proto import Proto

Methods = Mapping[str, Callable[[Any, Any], Any]]


@asynccontextmanager
async def serving(
    proto: Proto,
    methods: Mapping[str, Methods],
    *,
    credentials: Any = None,
    reflects: bool = True,
    pool: Any = None,
    most: int | None = None,
    port: int = 0,
) -> AsyncIterator[str]:
    """``127.0.0.1:PORT`` while the methods, by service, are served there; over TLS with ``credentials``, then as ``localhost:PORT``.

    It says of itself what is in ``pool``, if that is not the protocol's own, and takes no more than ``most`` calls at once.
    """
    server = aio.server(options=[("grpc.so_reuseport", 0)], maximum_concurrent_rpcs=most)
    if reflects:
        reflection.enable_server_reflection(proto.services, server, pool or proto.pool)
    for service, functions in methods.items():
        server.add_generic_rpc_handlers((proto.handler(service, functions),))
    address = f"127.0.0.1:{port}"
    port = server.add_insecure_port(address) if credentials is None else server.add_secure_port(address, credentials)
    await server.start()
    try:
        yield f"127.0.0.1:{port}" if credentials is None else f"localhost:{port}"
    finally:
        await server.stop(None)
