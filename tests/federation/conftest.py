"""Tests that need the libraries from npm run under ``make test-npm`` (``pytest -m npm``)."""

from __future__ import annotations

import pytest


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if "npm" not in config.option.markexpr:
        for item in items:
            if item.get_closest_marker("npm") is not None:
                item.add_marker(pytest.mark.skip(reason="run by make test-npm"))
