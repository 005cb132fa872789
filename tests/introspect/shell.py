"""Runs ``hub`` in this process, from a folder of its own."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from hub.cli import app


def run(*arguments: str) -> int:
    """The exit code."""
    found = app(list(arguments), result_action="return_value")
    assert isinstance(found, int)
    return found


async def ran(*arguments: str) -> int:
    """The same from a test that serves meanwhile: the command has a loop of its own."""
    return await asyncio.to_thread(run, *arguments)


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to work in, without settings of this machine."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    for name in [name for name in os.environ if name.startswith("HUB_")]:
        monkeypatch.delenv(name)
    return tmp_path
