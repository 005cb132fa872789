"""Systems as connected: who has a connector, and how each is doing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from connectors.spi import Options, SourceError
from hub.connected import Connections, Directory, composed, connect, core_roots, packaged, retired
from hub.environment import Environment
from hub.recorder import Recorded, Recorder
from schema.coordinates import Coordinates
from schema.registry import Registry, System

REST = System("licences", "电子证照库", "省大数据局", "rest", Options({"base": "${URL}"}))
GIVEN = Environment({"URL": "http://127.0.0.1:9"})


def registry(*systems: System) -> Registry:
    return Registry({system.name: system for system in systems}, Coordinates(), {}, {}, {}, {}, {}, {})


def test_the_manifests_that_come_with_the_hub_compose() -> None:
    found = composed(packaged())
    assert found.ok
    assert core_roots(found) == {"Query.hub"}
    assert found.text("credit531x") == (packaged() / "development-reform" / "credit531x.graphql").read_text(encoding="utf-8")


async def test_a_furnished_system_is_connected() -> None:
    made = connect(registry(REST), GIVEN)
    assert (list(made.connectors), made.problems) == (["licences"], {})
    await made.connectors["licences"].close()


@pytest.mark.parametrize(
    ("system", "problem"),
    [
        (REST, "not given: variable URL"),
        (replace(REST, kind="gopher", options=Options()), "no connector is installed for 'gopher'"),
        (replace(REST, options=Options({"bas": "x"})), "unknown setting 'bas'"),
    ],
)
def test_a_system_that_cannot_be_connected_says_why(system: System, problem: str) -> None:
    made = connect(registry(system), Environment())
    assert made.connectors == {}
    assert problem in made.problems["licences"]


async def test_only_what_changed_is_connected_anew() -> None:
    first = connect(registry(REST, replace(REST, name="other")), GIVEN)
    moved = replace(REST, name="other", options=Options({"base": "http://127.0.0.1:8"}))
    second = connect(registry(replace(REST, title="改名"), moved), GIVEN, first)
    assert second.connectors["licences"] is first.connectors["licences"]
    assert retired(first, second) == [first.connectors["other"]]
    assert retired(first, Connections()) == list(first.connectors.values())
    for connector in (*first.connectors.values(), *second.connectors.values()):
        await connector.close()


@pytest.mark.parametrize(
    ("outcomes", "health"),
    [
        ("", "UNKNOWN"),
        ("ok", "OK"),
        ("ok ok down", "DEGRADED"),
        ("ok down down down", "DOWN"),
        ("down down", "DEGRADED"),
        ("down slow broken", "DOWN"),
        ("down down down ok", "DEGRADED"),
        ("down" + " ok" * 20, "OK"),
        ("ok cancelled invalid missing", "OK"),
    ],
)
def test_health_is_read_from_recent_calls(outcomes: str, health: str) -> None:
    recorder = Recorder()
    for outcome in outcomes.split():
        recorder.record(Recorded("licences", "byId", 1, 1, outcome, 0.01))
        recorder.record(Recorded("another", "byId", 1, 1, "down", 0.01))
    [shown] = Directory(Connections({"licences": REST}), recorder).systems()
    assert (shown.name, shown.title, shown.owner, shown.kind, shown.health) == ("licences", "电子证照库", "省大数据局", "rest", health)


async def test_a_system_that_answers_from_what_is_late_is_degraded() -> None:
    made = connect(registry(REST), GIVEN)
    recorder = Recorder()
    recorder.record(Recorded("licences", "byId", 1, 1, "ok", 0.01))
    connector = made.connectors["licences"]
    connector.condition = lambda: SourceError("missing", "A delivery is late.")  # type: ignore[method-assign]
    assert [shown.health for shown in Directory(made, recorder).systems()] == ["DEGRADED"]
    await connector.close()


def test_a_system_without_a_connector_is_down() -> None:
    connections = Connections({"licences": REST}, {}, {"licences": "not given: variable URL"})
    assert [shown.health for shown in Directory(connections, Recorder()).systems()] == ["DOWN"]
