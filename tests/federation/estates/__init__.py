"""Small estates, one for each behaviour that federation has."""

from __future__ import annotations

from tests.federation.estates import differing, interfaces, keys, provides, requires, rights, whole

ESTATES = (*keys.ESTATES, *requires.ESTATES, *provides.ESTATES, *interfaces.ESTATES, *differing.ESTATES, *whole.ESTATES, *rights.ESTATES)
