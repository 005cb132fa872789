"""Who is asking. A principal is what remains of a verified token: plain data, no request.

Must not know HTTP, storage or GraphQL.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from connectors.spi import Caller, Secret
from schema.coordinates import Grade


class Audience(StrEnum):
    """The kinds of callers: nobody in particular, a front-end app, a partner province, an operator of the hub."""

    ANONYMOUS = "anonymous"
    APP = "app"
    PARTNER = "partner"
    OPERATOR = "operator"


@dataclass(frozen=True, slots=True)
class Principal:
    """``ceiling`` is the highest grade the client may see, before scopes. ``id`` is the client id; empty for anonymous. ``credential``
    is the token itself, for systems that are asked in the caller's own name; it decides nothing here, and does not print."""

    id: str = ""
    audience: Audience = Audience.ANONYMOUS
    scopes: frozenset[str] = frozenset()
    ceiling: Grade = Grade.L1
    credential: Secret | None = field(default=None, compare=False, repr=False)

    @property
    def caller(self) -> Caller:
        """As whom sources may be asked."""
        return Caller(self.id, self.credential)


ANONYMOUS = Principal()
