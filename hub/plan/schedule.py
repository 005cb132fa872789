"""After planning: in which order steps may run, and what each step's systems may take of the time there is. Pure.

A *unit* is what runs as one: a step, or the fetches that share their calls. It may start when all the units it needs are done, whatever
else is still under way: there are no waves.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from hub.plan.merge import needs
from hub.plan.model import Fetch, Figures, Scan, Step, Unit, Write, own_fetches


def schedule(steps: Sequence[Step], groups: Sequence[Sequence[int]], timeout: Callable[[str], float]) -> tuple[Unit, ...]:
    """The units of ``steps``, in the order of their first steps. ``timeout`` is what a system may take for one call, in seconds."""
    member = {number: tuple(group) for group in groups for number in group}
    units = list(dict.fromkeys(member.get(step.id, (step.id,)) for step in steps))
    unit_of = {number: place for place, numbers in enumerate(units) for number in numbers}
    by_id = {step.id: step for step in steps}
    above = [{unit_of[n] for number in numbers for n in needs(by_id[number])} for numbers in units]
    feeds: list[list[int]] = [[] for _ in units]
    for place, needed in enumerate(above):
        for other in needed:
            feeds[other].append(place)
    seconds = [max(_seconds(by_id[number], timeout) for number in numbers) for numbers in units]
    below = _longest(feeds, seconds)
    return tuple(
        Unit(tuple(by_id[n] for n in numbers), len(above[place]), tuple(feeds[place]), seconds[place], below[place])
        for place, numbers in enumerate(units)
    )


def _seconds(step: Step, timeout: Callable[[str], float]) -> float:
    own = timeout(step.binding.system) if isinstance(step, Fetch | Scan | Write | Figures) else 0.0
    return own + sum(timeout(fetch.binding.system) for fetch in own_fetches(step))


def _longest(feeds: Sequence[Sequence[int]], seconds: Sequence[float]) -> Mapping[int, float]:
    """Of each unit, the seconds along the longest chain of units that need it. Without recursion, since chains may be long."""
    found: dict[int, float] = {}
    way = list(range(len(feeds)))
    while way:
        unknown = [other for other in feeds[way[-1]] if other not in found]
        if unknown:
            way += unknown
        else:
            place = way.pop()
            found[place] = max((seconds[other] + found[other] for other in feeds[place]), default=0.0)
    return found


def budget(unit: Unit, remaining: float) -> float:
    """How many of the ``remaining`` seconds ``unit`` may take.

    Its systems' own timeout, if that leaves the units below it theirs; otherwise what remains is divided along the longest chain in
    the proportion of the timeouts, so that a slow system at the top cannot use up the time of all that depend on it.
    """
    if not unit.seconds:
        return remaining
    return min(unit.seconds, remaining * unit.seconds / (unit.seconds + unit.below))
