"""What a planted mistake is; they are in ``tests.properties.planted`` and the modules that it gathers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from tests.properties import checks
from tests.properties.generator import Case


@dataclass(frozen=True, slots=True)
class Planted:
    """``wrong`` makes the mistaken function out of the right one, which is ``owner.name``. ``by`` is the property that must notice."""

    story: str
    owner: Any
    name: str
    wrong: Callable[[Any], Any]
    by: Callable[[Case], Awaitable[None]] = checks.same_as_oracle
