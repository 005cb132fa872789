"""Who is asking. A principal is what remains of a verified token: plain data, no token, no request.

Must not know HTTP, storage or GraphQL.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from schema.coordinates import Grade


class Audience(StrEnum):
    """The kinds of callers: nobody in particular, a front-end app, a partner province, an operator of the hub."""

    ANONYMOUS = "anonymous"
    APP = "app"
    PARTNER = "partner"
    OPERATOR = "operator"


@dataclass(frozen=True, slots=True)
class Principal:
    """``ceiling`` is the highest grade the client may see, before scopes. ``id`` is the client id; empty for anonymous."""

    id: str = ""
    audience: Audience = Audience.ANONYMOUS
    scopes: frozenset[str] = frozenset()
    ceiling: Grade = Grade.L1


ANONYMOUS = Principal()
