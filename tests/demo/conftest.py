"""All departments, started once for all tests that ask for them, and small clients of their protocols."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio

import demo
from connectors.spi import Secret
from demo.facts import World
from demo.seed import world
from demo.supervisor import Departments
from hub.environment import Environment

SYSTEMS = Path(demo.__file__).parent.parent / "systems"


def given(departments: Departments) -> Environment:
    """What the departments say of themselves, for the manifests that come with the hub."""
    said = departments.environment()
    variables = {name: value for name, value in said.items() if "." not in name}
    return Environment(variables, {name: Secret(value) for name, value in said.items() if "." in name}, manifests=SYSTEMS)


@pytest.fixture(scope="session")
def truth() -> World:
    return world()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def running() -> AsyncIterator[Departments]:
    async with Departments() as departments:
        yield departments


@pytest_asyncio.fixture(loop_scope="session")
async def departments(running: Departments) -> Departments:
    """The running departments, each without a fault and counting from zero."""
    await running.reset()
    return running


@pytest_asyncio.fixture(loop_scope="session")
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as session:
        yield session
