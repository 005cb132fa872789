"""All properties run in virtual time: a machine that stands still for a while must not look like a system that does."""

from __future__ import annotations

from asyncio import AbstractEventLoop
from collections.abc import Callable

from tests.virtual import VirtualLoop


def pytest_asyncio_loop_factories() -> dict[str, Callable[[], AbstractEventLoop]]:
    """The one loop that pytest-asyncio makes for tests of this folder."""
    return {"virtual": VirtualLoop}
