"""What the control-plane fields need of whoever runs them: who is asking, and which systems there are.

Protocols and plain data only, so that this package needs neither storage nor authorisation. The executing program hands both over as the
context of an operation: an object with the attributes, or a mapping with the keys, ``principal`` and ``directory``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Protocol, runtime_checkable

from schema.coordinates import Grade

Health = Literal["OK", "DEGRADED", "DOWN", "UNKNOWN"]
BreakerState = Literal["CLOSED", "HALF_OPEN", "OPEN"]


@dataclass(frozen=True, slots=True)
class Failure:
    """The last call that failed. ``code`` is that of the error registry, ``relation`` what was asked."""

    at: datetime
    code: str
    relation: str


@dataclass(frozen=True, slots=True)
class Change:
    """From ``at`` on it was so; ``reason`` is the code of the failure that made it so, or empty."""

    at: datetime
    health: Health
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Condition:
    """Why a system's health is what it is. ``history`` are the last changes, the latest first."""

    since: datetime | None = None
    reason: str = ""
    last_failure: Failure | None = None
    last_success: datetime | None = None
    breaker: BreakerState = "CLOSED"
    history: tuple[Change, ...] = ()


@runtime_checkable
class Caller(Protocol):
    """Who is asking. ``audience`` is anonymous, app, partner or operator; ``id`` is empty for an anonymous caller."""

    @property
    def id(self) -> str: ...

    @property
    def audience(self) -> str: ...

    @property
    def scopes(self) -> frozenset[str]: ...

    @property
    def ceiling(self) -> Grade: ...


class SystemInfo(Protocol):
    """One connected system as it is shown. ``kind``, ``health`` and ``condition`` are for operators."""

    @property
    def name(self) -> str: ...

    @property
    def title(self) -> str: ...

    @property
    def owner(self) -> str: ...

    @property
    def kind(self) -> str: ...

    @property
    def health(self) -> Health: ...

    @property
    def condition(self) -> Condition: ...


@runtime_checkable
class Directory(Protocol):
    """The connected systems, sorted by name, with their present health."""

    def systems(self) -> Sequence[SystemInfo]: ...


def caller(context: object) -> Caller:
    """Who is asking, out of an operation's context. Raises LookupError if the program did not say."""
    found = _part(context, "principal")
    if not isinstance(found, Caller):
        raise LookupError("the operation's context has no principal")
    return found


def directory(context: object) -> Directory:
    """The directory of systems, out of an operation's context. Raises LookupError if the program did not give one."""
    found = _part(context, "directory")
    if not isinstance(found, Directory):
        raise LookupError("the operation's context has no directory")
    return found


def _part(context: object, name: str) -> Any:
    return context.get(name) if isinstance(context, Mapping) else getattr(context, name, None)
