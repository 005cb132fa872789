"""What operators and orchestrators ask: ``/healthz`` (the process lives), ``/readyz`` (it can answer), ``/metrics``.

Readiness is a set of named checks, each true or false within two seconds. Must not know what the checks look at.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, get_args

import structlog
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from hub.serve.drain import Drain
from hub.serve.metrics import CONTENT_TYPE, Metrics
from schema.control import Health

Check = Callable[[], Awaitable[bool]]
_SECONDS = 2.0
_HEADERS = {"cache-control": "no-store"}
log = structlog.get_logger("hub.health")


def routes(
    checks: Mapping[str, Check], drain: Drain, metrics: Metrics | None, systems: Callable[[], Mapping[Health, int]] | None = None
) -> list[Route]:
    """``metrics`` None: no ``/metrics``. ``systems`` counts the connected systems by health: these are told, without names, and decide
    nothing, since the hub answers whatever it can."""

    async def alive(_: Request) -> Response:
        return JSONResponse({"status": "ok"}, headers=_HEADERS)

    async def ready(_: Request) -> Response:
        found = {name: await _passed(name, check) for name, check in checks.items()}
        found["accepting"] = not drain.closing
        good = all(found.values())
        said: dict[str, Any] = {"status": "ok" if good else "unavailable", "checks": found}
        if systems is not None:
            counts = systems()
            said["systems"] = {state: counts.get(state, 0) for state in get_args(Health)}
        return JSONResponse(said, 200 if good else 503, headers=_HEADERS)

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
