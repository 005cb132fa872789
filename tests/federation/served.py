"""A hub over a supergraph, for as long as a test needs it. The one place here that knows how a hub is started."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest

# Query, variables and the caller's scopes (None: anonymous) -> the response.
Ask = Callable[[str, Mapping[str, Any], tuple[str, ...] | None], Awaitable[dict[str, Any]]]


@asynccontextmanager
async def hub(supergraph: str, urls: Mapping[str, str]) -> AsyncIterator[Ask]:
    """A hub that serves ``supergraph`` (its text) with its subgraphs at ``urls``, by the names that ``join__Graph`` gives them."""
    if supergraph:
        pytest.fail(f"supergraphs are not read yet ({sorted(urls)})")
    yield unanswered


async def unanswered(query: str, variables: Mapping[str, Any], scopes: tuple[str, ...] | None) -> dict[str, Any]:
    """Nothing."""
    return {"data": None}
