"""Which coordinates a principal may see. Pure: a principal and coordinate rows in, names out. Reads no storage, no clock, no schema.

Effective right = what the ceiling allows and what the scopes allow. A field is denied when its grade is above the ceiling, or when
it names scopes and none of its alternatives is wholly held. A caller without a token sees L1 fields that ask for no scope.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256

from auth.access import Rows
from auth.principal import Audience, Principal
from schema.coordinates import AUTHENTICATED, Coordinate, Grade

EXPLAIN_SCOPE = "hub:explain"
SYSTEMS_SCOPE = "hub:systems"
OPERATING = frozenset({EXPLAIN_SCOPE, SYSTEMS_SCOPE})  # scopes for those who run the hub; no field asks for them
_NO_SCOPES: frozenset[str] = frozenset()


def denied(principal: Principal, coordinates: Iterable[Coordinate]) -> frozenset[str]:
    """Names (``Type.field``) of those coordinates that the principal may not see."""
    anonymous = principal.audience is Audience.ANONYMOUS
    ceiling = Grade.L1 if anonymous else principal.ceiling
    held = _NO_SCOPES if anonymous else principal.scopes | {AUTHENTICATED}
    return frozenset(
        row.name for row in coordinates if row.grade > ceiling or (row.scopes and not any(need <= held for need in row.scopes))
    )


def all_rows(principal: Principal) -> Rows:
    """The rules that rows must pass for a principal: none, until agreements give some."""
    return {}


def explains(principal: Principal) -> bool:
    """May see plans of its own queries. Systems are named in them only if it ``names_systems``."""
    return _operates(principal, EXPLAIN_SCOPE)


def names_systems(principal: Principal) -> bool:
    """May see which systems answer what."""
    return _operates(principal, SYSTEMS_SCOPE)


def _operates(principal: Principal, scope: str) -> bool:
    return principal.audience is Audience.OPERATOR or (principal.audience is not Audience.ANONYMOUS and scope in principal.scopes)


def fingerprint(mask: frozenset[str]) -> str:
    """A short stable name of a set of denied coordinates: equal for equal masks, on every replica. For keys of plan caches."""
    return sha256("\n".join(sorted(mask)).encode()).hexdigest()[:16] if mask else "open"
