"""Small estates, one for each behaviour that federation has."""

from __future__ import annotations

from tests.federation.estates import keys

ESTATES = (*keys.ESTATES,)
