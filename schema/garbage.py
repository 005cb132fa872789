"""The collector of cycles, kept out of work that makes many objects which all stay."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def collector_paused() -> Iterator[None]:
    """Within, nobody looks for cycles. A thousand manifests are millions of nodes that all stay; to walk them again and again while they
    are read took more time than to read them."""
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
