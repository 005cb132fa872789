"""What operators and orchestrators ask: ``/healthz`` (the process lives), ``/readyz`` (it can answer), ``/metrics``.

Readiness is a set of named checks, each true or false within two seconds. Must not know what the checks look at.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping

import structlog
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from hub.serve.drain import Drain
from hub.serve.metrics import CONTENT_TYPE, Metrics

Check = Callable[[], Awaitable[bool]]
_SECONDS = 2.0
_HEADERS = {"cache-control": "no-store"}
log = structlog.get_logger("hub.health")


def routes(checks: Mapping[str, Check], drain: Drain, metrics: Metrics | None) -> list[Route]:
    """``metrics`` None: no ``/metrics``."""

    async def alive(_: Request) -> Response:
        return JSONResponse({"status": "ok"}, headers=_HEADERS)

    async def ready(_: Request) -> Response:
        found = {name: await _passed(name, check) for name, check in checks.items()}
        found["accepting"] = not drain.closing
        good = all(found.values())
        return JSONResponse({"status": "ok" if good else "unavailable", "checks": found}, 200 if good else 503, headers=_HEADERS)

    async def counted(_: Request) -> Response:
        assert metrics is not None
        return Response(metrics.text(), headers={**_HEADERS, "content-type": CONTENT_TYPE})

    found = [Route("/healthz", alive, methods=["GET"]), Route("/readyz", ready, methods=["GET"])]
    if metrics is not None:
        found.append(Route("/metrics", counted, methods=["GET"]))
    return found


async def _passed(name: str, check: Check) -> bool:
    try:
        async with asyncio.timeout(_SECONDS):
            return await check()
    except Exception as error:  # the program's border: whatever a check runs into, the answer is "not ready"
        log.warning("check failed", check=name, exc_info=error)
        return False
