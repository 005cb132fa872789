"""What a case exercises, by name, so that the generator cannot silently stop producing something.

A feature is a function of the case and of what came of it, registered by ``@feature``; a new part of the generator brings its features
along, here or in a module of its own that ``tests.properties.features`` imports at its end.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tests.memory import Received
from tests.properties.engine import Answer
from tests.properties.generator import Case


@dataclass(frozen=True, slots=True)
class Outcome:
    """The engine's answer to a case, the calls it made for it, and its plan as text."""

    answer: Answer
    received: tuple[Received, ...]
    plan: str


Found = Callable[[Case, Outcome], bool]
FEATURES: dict[str, Found] = {}


def feature(name: str) -> Callable[[Found], Found]:
    """Register a function that tells whether a case has the feature ``name``."""

    def register(found: Found) -> Found:
        assert name not in FEATURES, name
        FEATURES[name] = found
        return found

    return register


def features(case: Case, outcome: Outcome) -> set[str]:
    """The names of all that ``case`` exercised."""
    return {name for name, found in FEATURES.items() if found(case, outcome)}


@feature("aliases")
def _aliases(case: Case, outcome: Outcome) -> bool:
    return "_f" in case.operation.text and ": f" in case.operation.text
