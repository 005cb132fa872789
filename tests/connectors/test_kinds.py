"""The table of kinds: what is there, what is missing and how to get it."""

from __future__ import annotations

import builtins
import sys
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest

from connectors import kinds
from connectors.kinds import KINDS, connect, load
from connectors.spi import Secret, SourceError


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_loads_and_knows_its_name(kind: str) -> None:
    assert load(kind).kind == kind


async def test_a_connector_is_made_of_a_manifests_words() -> None:
    connector = connect("rest", {"base": "http://dept.example", "limits": {"timeout": "2s"}}, system="dept")
    assert (connector.kind, connector.system, connector.settings.base) == ("rest", "dept", "http://dept.example")
    await connector.close()


async def test_a_connector_that_keeps_things_gets_a_folder_of_its_system(tmp_path: Path) -> None:
    connector = connect("files", {"base": str(tmp_path / "out")}, system="dept", data=tmp_path / "data")
    assert connector.settings.data == str(tmp_path / "data" / "dept")
    await connector.close()
    connector = connect("rest", {"base": "http://dept.example"}, system="dept", data=tmp_path / "data")
    await connector.close()


def test_an_unknown_kind_names_the_nearest() -> None:
    with pytest.raises(SourceError, match=r"no connector is installed for 'graphq' \(did you mean 'graphql'\?\)"):
        load("graphq")


def installed(monkeypatch: pytest.MonkeyPatch, **points: str) -> None:
    found = [EntryPoint(name, value, kinds.GROUP) for name, value in points.items()]
    monkeypatch.setattr(kinds, "entry_points", lambda group: found)


def test_for_a_kind_of_the_hub_nobody_looks_at_what_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kinds, "entry_points", lambda group: pytest.fail("hundreds of systems are connected, one after the other"))
    assert load("graphql").kind == "graphql"


def test_a_package_adds_a_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    installed(monkeypatch, memory="tests.contract.test_memory:Memory")
    assert load("memory").kind == "memory"


def test_a_package_cannot_replace_a_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    installed(monkeypatch, rest="tests.contract.test_memory:Memory")
    assert load("rest").__name__ == "RestConnector"


@pytest.mark.parametrize(
    ("value", "word"),
    [
        ("no_such_package:Mine", "needs the package 'no_such_package'"),
        ("connectors.spi:Mine", "not where its package says"),
        ("connectors.spi:Page", "is no Connector"),
        ("connectors.paths:steps", "is no Connector"),
    ],
)
def test_a_package_that_is_wrong(monkeypatch: pytest.MonkeyPatch, value: str, word: str) -> None:
    installed(monkeypatch, mine=value)
    with pytest.raises(SourceError, match=word) as caught:
        load("mine")
    assert caught.value.kind == "config"


@pytest.mark.parametrize(
    ("url", "driver", "extra"),
    [("mysql://h/d", "asyncmy", "mysql"), ("mariadb://h/d", "asyncmy", "mysql"), ("postgresql://h/d", "psycopg", "postgres")],
)
def test_a_missing_driver_says_what_to_install(monkeypatch: pytest.MonkeyPatch, url: str, driver: str, extra: str) -> None:
    really = builtins.__import__

    def without(name: str, *rest: Any, **more: Any) -> Any:
        if name.partition(".")[0] == driver:
            raise ModuleNotFoundError(f"No module named '{driver}'", name=driver)
        return really(name, *rest, **more)

    for module in [name for name in sys.modules if name.partition(".")[0] == driver]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(SourceError) as caught:
        connect("sql", {"url": Secret(url)})
    assert str(caught.value) == f"the driver '{driver}' is not installed: pip install 'yiwang-hub[{extra}]'"
