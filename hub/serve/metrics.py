"""What the hub counts, in Prometheus' terms: requests, refusals, and per system its calls, errors, latency and batch size.

The engine's sources feed ``call``, the endpoint ``request``; ``/metrics`` prints all of it. Labels are names that manifests or the
code fix, never anything a caller sent. Must not know requests, principals or the engine.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Protocol

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from schema.control import BreakerState, Health

CONTENT_TYPE = CONTENT_TYPE_LATEST
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_KEYS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)


_UP: Mapping[Health, float] = {"OK": 1.0, "DEGRADED": 0.5, "DOWN": 0.0}  # nothing is told of a system that was not asked yet
_OPEN: Mapping[BreakerState, int] = {"CLOSED": 0, "HALF_OPEN": 1, "OPEN": 2}


class Observed(Protocol):
    """A system as it is read when somebody asks for metrics; see ``hub.run.standing``."""

    @property
    def name(self) -> str: ...

    @property
    def up(self) -> Health: ...

    @property
    def refused(self) -> Mapping[str, int]: ...

    @property
    def kept(self) -> Mapping[str, int]: ...

    def breaker_state(self) -> BreakerState: ...


class _Systems(Collector):
    """What is known of systems anyway, read when it is asked for: counting it twice would cost each call."""

    def __init__(self, systems: Callable[[], Iterable[Observed]], cached: Callable[[], int]) -> None:
        self._systems = systems
        self._cached = cached

    def collect(self) -> Iterator[Metric]:
        up = GaugeMetricFamily("hub_system_up", "1: its last calls succeeded; 0.5: some failed; 0: it does not answer.", labels=("system",))
        breaker = GaugeMetricFamily("hub_system_breaker", "0: closed; 1: half-open; 2: open.", labels=("system",))
        unasked = CounterMetricFamily("hub_system_unasked", "Calls that were not made, by reason.", labels=("system", "reason"))
        cache = CounterMetricFamily("hub_system_cache", "Keys and lists by where they came from.", labels=("system", "outcome"))
        for system in self._systems():
            if system.up in _UP:
                up.add_metric((system.name,), _UP[system.up])
            breaker.add_metric((system.name,), _OPEN[system.breaker_state()])
            for reason, count in system.refused.items():
                unasked.add_metric((system.name, reason), count)
            for outcome, count in system.kept.items():
                cache.add_metric((system.name, outcome), count)
        yield from (up, breaker, unasked, cache)
        yield GaugeMetricFamily("hub_cache_bytes", "Answers of sources that are kept.", value=self._cached())


class Metrics:
    """Counters of one hub; each instance has its own registry, so that two hubs in one process do not mix."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._requests = Counter(
            "hub_requests", "Answers given, by HTTP status and kind of operation.", ("status", "kind"), registry=self.registry
        )
        self._seconds = Histogram("hub_request_seconds", "Time to answer one request.", registry=self.registry, buckets=_SECONDS)
        self._codes = Counter("hub_answer_codes", "Answers that hold an error code, by code.", ("code",), registry=self.registry)
        self._in_flight = Gauge("hub_requests_in_flight", "Requests being answered now.", registry=self.registry)
        self._reloads = Counter("hub_schema_reloads", "Compositions after the first, by outcome.", ("outcome",), registry=self.registry)
        self._calls = Counter(
            "hub_system_calls", "Calls to a system, by outcome.", ("system", "relation", "outcome"), registry=self.registry
        )
        self._latency = Histogram(
            "hub_system_seconds", "Time of one call to a system.", ("system",), registry=self.registry, buckets=_SECONDS
        )
        self._batch = Histogram(
            "hub_system_batch_keys", "Keys in one call to a system.", ("system",), registry=self.registry, buckets=_KEYS
        )
        self._rows = Counter("hub_system_rows", "Rows that a system sent.", ("system",), registry=self.registry)
        # Looking a child up by its labels takes a lock and a tuple of strings each time; the hot path keeps them.
        self._by_request: dict[tuple[int, str], Counter] = {}
        self._by_call: dict[tuple[str, str, str], tuple[Counter, Histogram, Histogram, Counter]] = {}

    def request(self, status: int, kind: str, codes: tuple[str, ...], seconds: float) -> None:
        """One answer left: its HTTP status, the operation's kind (empty when none was chosen), its distinct error codes."""
        counter = self._by_request.get((status, kind))
        if counter is None:
            counter = self._by_request[status, kind] = self._requests.labels(str(status), kind or "none")
        counter.inc()
        self._seconds.observe(seconds)
        for code in codes:
            self._codes.labels(code).inc()

    def call(self, system: str, relation: str, outcome: str, seconds: float, keys: int, rows: int) -> None:
        """One call to a system ended. ``outcome`` is ``ok`` or a SourceError's kind; ``keys`` is 0 for a call not by key."""
        found = self._by_call.get((system, relation, outcome))
        if found is None:
            found = self._by_call[system, relation, outcome] = (
                self._calls.labels(system, relation, outcome),
                self._latency.labels(system),
                self._batch.labels(system),
                self._rows.labels(system),
            )
        calls, latency, batch, received = found
        calls.inc()
        latency.observe(seconds)
        if keys:
            batch.observe(keys)
        received.inc(rows)

    def reloaded(self, swapped: bool) -> None:
        """The manifests were composed again: ``swapped`` says whether the new schema took over or was refused."""
        self._reloads.labels("swapped" if swapped else "refused").inc()

    def in_flight(self, count: Callable[[], int]) -> None:
        """Read the number of requests in flight from ``count`` when asked."""
        self._in_flight.set_function(count)

    def watch(self, systems: Callable[[], Iterable[Observed]], cached: Callable[[], int]) -> None:
        """Read how ``systems`` are doing, and how many bytes of answers are ``cached``, when asked."""
        self.registry.register(_Systems(systems, cached))

    def text(self) -> bytes:
        """Everything, in Prometheus' text format (``CONTENT_TYPE``)."""
        return generate_latest(self.registry)
