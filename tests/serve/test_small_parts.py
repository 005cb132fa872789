"""Draining, health, metrics: the parts around the endpoint."""

from __future__ import annotations

import asyncio

import pytest
from starlette.applications import Starlette

from connectors.spi import Options, SourceError
from hub.clock import SystemClock
from hub.run.standing import Standings
from hub.serve import health
from hub.serve.drain import Drain
from hub.serve.metrics import Metrics
from schema.registry import Breaker, Limits, System
from tests.serve.small import Seen, ask


async def get(app: Starlette, path: str) -> Seen:
    seen = await ask(app, "GET", path)
    assert seen is not None
    return seen


async def true() -> bool:
    return True


async def false() -> bool:
    return False


async def broken() -> bool:
    raise OSError("no such database")


async def never() -> bool:
    await asyncio.Event().wait()
    return True


def app(drain: Drain | None = None, metrics: Metrics | None = None, **checks: health.Check) -> Starlette:
    return Starlette(routes=list(health.routes(checks, drain or Drain(), metrics)))


async def test_alive_whatever_else() -> None:
    drain = Drain()
    drain.close()
    seen = await get(app(drain, store=false), "/healthz")
    assert (seen.status, seen.json) == (200, {"status": "ok"})


async def test_ready_when_all_checks_pass() -> None:
    seen = await get(app(store=true, schema=true), "/readyz")
    assert (seen.status, seen.json["checks"]) == (200, {"store": True, "schema": True, "accepting": True})


async def test_not_ready_when_a_check_fails_or_breaks() -> None:
    seen = await get(app(schema=true, store=broken, other=false), "/readyz")
    assert (seen.status, seen.json["checks"]) == (503, {"schema": True, "store": False, "other": False, "accepting": True})
    assert b"database" not in seen.body


async def test_the_connected_systems_are_counted_without_names_and_decide_nothing() -> None:
    there = Starlette(routes=list(health.routes({"store": true}, Drain(), None, lambda: {"DOWN": 3, "OK": 1})))
    seen = await get(there, "/readyz")
    assert (seen.status, seen.json["systems"]) == (200, {"OK": 1, "DEGRADED": 0, "DOWN": 3, "UNKNOWN": 0})


async def test_a_check_that_hangs_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "_SECONDS", 0.01)
    assert (await get(app(store=never), "/readyz")).status == 503


async def test_not_ready_while_draining() -> None:
    drain = Drain()
    drain.close()
    seen = await get(app(drain, store=true), "/readyz")
    assert (seen.status, seen.json["checks"]["accepting"]) == (503, False)


async def test_metrics_tell_of_each_system() -> None:
    metrics = Metrics()
    metrics.call("credit531x", "byUscc", "ok", 0.02, 40, 38)
    metrics.call("credit531x", "byUscc", "down", 2.0, 40, 0)
    metrics.reloaded(False)
    metrics.in_flight(lambda: 3)
    seen = await get(app(metrics=metrics), "/metrics")
    text = seen.body.decode()
    assert seen.headers["content-type"].startswith("text/plain")
    for line in (
        'hub_system_calls_total{outcome="ok",relation="byUscc",system="credit531x"} 1.0',
        'hub_system_calls_total{outcome="down",relation="byUscc",system="credit531x"} 1.0',
        'hub_system_seconds_count{system="credit531x"} 2.0',
        'hub_system_batch_keys_bucket{le="50.0",system="credit531x"} 2.0',
        'hub_system_rows_total{system="credit531x"} 38.0',
        'hub_schema_reloads_total{outcome="refused"} 1.0',
        "hub_requests_in_flight 3.0",
    ):
        assert line in text


async def test_metrics_can_be_switched_off() -> None:
    assert (await get(app(), "/metrics")).status == 404


async def test_drain_waits_for_what_is_in_flight() -> None:
    drain = Drain()
    assert drain.enter()
    drain.close()
    assert not drain.enter()
    assert not await drain.finished(0)
    drain.leave()
    assert await drain.finished(1)


async def test_drain_of_nothing_is_done_at_once() -> None:
    drain = Drain()
    drain.close()
    assert await drain.finished(0.5)


async def test_metrics_tell_how_systems_are_doing() -> None:
    standing = Standings(SystemClock()).of(System("licences", "", "", "rest", Options(), limits=Limits(breaker=Breaker(failures=1))))
    metrics = Metrics()
    metrics.watch(lambda: [standing], lambda: 4096)
    assert "hub_system_up{" not in metrics.text().decode()
    standing.over(standing.admit(), "byId", "down", 1.0)
    with pytest.raises(SourceError):
        standing.check()
    standing.kept.update(hit=3, miss=1)
    text = metrics.text().decode()
    for line in (
        'hub_system_up{system="licences"} 0.0',
        'hub_system_breaker{system="licences"} 2.0',
        'hub_system_unasked_total{reason="breaker",system="licences"} 1.0',
        'hub_system_cache_total{outcome="hit",system="licences"} 3.0',
        "hub_cache_bytes 4096.0",
    ):
        assert line in text
