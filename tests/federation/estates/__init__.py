"""Small estates, one for each behaviour that federation has."""

from __future__ import annotations

from tests.federation.estates import keys, provides, requires

ESTATES = (*keys.ESTATES, *requires.ESTATES, *provides.ESTATES)
