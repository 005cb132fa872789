"""What a case exercises, by name, so that the generator cannot silently stop producing something.

Functions registered by ``@tells`` look at a case and at what came of it and yield names of those that they are registered for. A new
part of the generator brings its features along: here, or in a module of its own that is named in ``MORE``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib import import_module

from tests.properties.engine import Ran
from tests.properties.generator import Case

MORE = ("tests.properties.seen", "tests.properties.happened")  # modules that register features

Teller = Callable[[Case, Ran], Iterator[str]]
FEATURES: dict[str, Teller] = {}


def tells(*names: str) -> Callable[[Teller], Teller]:
    """Register a function that yields those of ``names`` that a case has."""

    def register(teller: Teller) -> Teller:
        assert not FEATURES.keys() & set(names), names
        FEATURES.update(dict.fromkeys(names, teller))
        return teller

    return register


def features(case: Case, ran: Ran) -> set[str]:
    """The names of all that ``case`` exercised. Raises KeyError for a name that is not registered."""
    found: set[str] = set()
    for teller in dict.fromkeys(FEATURES.values()):
        for name in teller(case, ran):
            assert FEATURES[name] is teller, name
            found.add(name)
    return found


for _module in MORE:
    import_module(_module)
