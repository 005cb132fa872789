"""What the hub keeps of one system between calls: places, pace, breaker and health. It outlives a change of manifests that leaves the
system as it was.

Here a call is let through or refused without asking. Knows no connectors, no plans and nothing of what is asked.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from connectors.spi import SourceError
from hub.clock import Clock
from hub.run.breaker import Breaker
from hub.run.bulkhead import Bulkhead
from hub.run.health import Change, Health
from hub.run.pace import Pace
from schema.control import BreakerState
from schema.control import Health as State
from schema.registry import System

COUNTING = 0.25  # of its own time a call must have had before being slow counts against a system


class Unasked(SourceError):
    """The hub did not ask: the system is left alone, or its rate leaves no room. Asking again at once would be of no use."""


class Standing:
    """Of one system. ``refused`` counts the calls that were not made, by reason; ``kept`` keys and lists: a ``hit`` was served from the
    cache, a ``miss`` was asked for, ``stale`` is what stood in while the system did not answer."""

    def __init__(self, system: System, clock: Clock, health: Health | None = None) -> None:
        self.system = system
        self.limits = system.limits
        self.places = Bulkhead(self.limits.concurrency)
        self.breaker = Breaker(self.limits.breaker)
        self.health = health or Health(clock)
        self.refused: Counter[str] = Counter()
        self.kept: Counter[str] = Counter()
        self._clock = clock
        self._pace = Pace(self.limits.rate) if self.limits.rate else None
        self._door = Bulkhead(1)  # where calls wait for the pace, by turns

    @property
    def name(self) -> str:
        return self.system.name

    @property
    def up(self) -> State:
        """How it is doing."""
        return self.health.state

    @property
    def paced(self) -> bool:
        """Whether its calls have to keep to a rate."""
        return self._pace is not None

    def breaker_state(self) -> BreakerState:
        return self.breaker.state(self._clock.monotonic())

    def check(self) -> None:
        """Raises Unasked while the system is left alone."""
        if self.breaker.refuses(self._clock.monotonic()):
            raise self._alone()

    def admit(self) -> int:
        """The breaker's era for a call that goes out now. Raises Unasked."""
        era = self.breaker.admit(self._clock.monotonic())
        if not era:
            raise self._alone()
        return era

    def turn(self, caller: str, deadline: float) -> AbstractAsyncContextManager[None]:
        """A place for one call of ``caller``, to be entered once. Raises Unasked on entering when the rate leaves none by ``deadline``."""
        if self._pace is None:
            return self.places.place(caller)
        return self._paced(self._pace, caller, deadline)

    @asynccontextmanager
    async def _paced(self, pace: Pace, caller: str, deadline: float) -> AsyncIterator[None]:
        ahead = self._door.ahead(caller) + (not self._door.free)
        if pace.earliest(self._clock.monotonic(), ahead) >= deadline:
            raise self._busy()
        async with self._door.place(caller):  # whoever is in the door begins next, so nobody is asked before its turn
            await self.places.enter(caller)
            try:
                now = self._clock.monotonic()
                at = pace.earliest(now)
                if at >= deadline:
                    raise self._busy()
                if at > now:
                    await self._clock.sleep(at - now)
                pace.begin(max(at, self._clock.monotonic()))
            except BaseException:
                self.places.leave()
                raise
        try:
            yield
        finally:
            self.places.leave()

    def over(self, era: int, relation: str, outcome: str, seconds: float) -> Change | None:
        """A call is over that was admitted; it had ``seconds``. ``outcome`` is ``ok``, ``cancelled`` or a SourceError's kind. How the
        system's health has changed by it."""
        now = self._clock.monotonic()
        hurried = outcome == "slow" and seconds < COUNTING * self.limits.timeout  # its caller had no more time: nobody's fault
        if hurried or outcome == "cancelled":
            self.breaker.done(era, now, None)
            return None
        self.breaker.done(era, now, outcome in ("down", "slow"))
        return self.health.called(relation, outcome, self.breaker.state(now) != "CLOSED")

    def _alone(self) -> Unasked:
        self.refused["breaker"] += 1
        return Unasked("down", "the system is left alone for a while", source=self.system.name, untouched=True)

    def _busy(self) -> Unasked:
        self.refused["rate"] += 1
        return Unasked("busy", "its rate leaves no room before the deadline", source=self.system.name)


class Standings:
    """Of all systems; one instance for as long as the program runs."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._known: dict[str, Standing] = {}

    def of(self, system: System) -> Standing:
        """That of ``system``; a new one where it is reached or limited otherwise than before."""
        known = self._known.get(system.name)
        same = known is not None and (known.system.kind, known.system.options) == (system.kind, system.options)
        if known is None or not same or known.limits != system.limits:
            known = Standing(system, self._clock, known.health if known is not None and same else None)
            self._known[system.name] = known
        return known

    def get(self, name: str) -> Standing | None:
        return self._known.get(name)

    def __iter__(self) -> Iterator[Standing]:
        return iter(self._known.values())
