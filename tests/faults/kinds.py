"""The kinds that the faults are tried on: the columns of docs/faults.md, in order."""

from __future__ import annotations

from tests.faults.asking import Kind
from tests.faults.rest import REST

KINDS: tuple[Kind, ...] = (REST,)
