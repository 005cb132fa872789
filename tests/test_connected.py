"""Systems as connected: who has a connector, and how each is doing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from connectors.spi import Options, Relation, Secret, SourceError
from hub.connected import Connections, Directory, composed, connect, core_roots, opened, packaged, retired
from hub.environment import Environment
from hub.errors import kind_code
from hub.run.standing import Standings
from schema.control import Condition, Failure
from schema.coordinates import Coordinates
from schema.registry import Registry, System
from tests.contract.test_memory import Memory, MemorySettings
from tests.properties.engine import StillClock

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


async def test_a_connector_that_gathers_is_told_what_it_will_be_asked() -> None:
    told: list[str] = []

    class Gathering(Memory):
        async def open(self, relations: Sequence[Relation]) -> None:
            told.extend(one.name for one in relations)
            raise SourceError("down", "not yet")

    found = composed(packaged()).registry
    settings = MemorySettings("", Secret(""))
    await opened(Connections(found.systems, {"credit531x": Gathering(settings), "licences": Memory(settings)}), found)
    assert told == ["byUscc"]


async def test_only_what_changed_is_connected_anew() -> None:
    first = connect(registry(REST, replace(REST, name="other")), GIVEN)
    moved = replace(REST, name="other", options=Options({"base": "http://127.0.0.1:8"}))
    second = connect(registry(replace(REST, title="改名"), moved), GIVEN, first)
    assert second.connectors["licences"] is first.connectors["licences"]
    assert retired(first, second) == [first.connectors["other"]]
    assert retired(first, Connections()) == list(first.connectors.values())
    for connector in (*first.connectors.values(), *second.connectors.values()):
        await connector.close()


def test_the_directory_tells_how_each_system_is_doing_and_why() -> None:
    standings = Standings(StillClock())
    standing = standings.of(REST)
    for outcome in ("ok", "slow"):
        standing.over(standing.admit(), "byId", outcome, 60.0)
    directory = Directory(Connections({"licences": REST}), standings)
    [shown] = directory.systems()
    assert (shown.name, shown.title, shown.owner, shown.kind, shown.health) == ("licences", "电子证照库", "省大数据局", "rest", "DEGRADED")
    assert (shown.condition.reason, shown.condition.breaker, shown.condition.since) == ("SYSTEM_SLOW", "CLOSED", StillClock().now())
    assert shown.condition.last_failure == Failure(StillClock().now(), "SYSTEM_SLOW", "byId")
    assert [(change.health, change.reason) for change in shown.condition.history] == [("DEGRADED", "SYSTEM_SLOW"), ("OK", "")]
    assert directory.counts() == {"DEGRADED": 1}


async def test_a_system_that_answers_from_what_is_late_is_degraded() -> None:
    made = connect(registry(REST), GIVEN)
    standings = Standings(StillClock())
    standing = standings.of(REST)
    standing.over(standing.admit(), "byId", "ok", 60.0)
    connector = made.connectors["licences"]
    connector.condition = lambda: SourceError("missing", "A delivery is late.")  # type: ignore[method-assign]
    [shown] = Directory(made, standings).systems()
    assert (shown.health, shown.condition.reason) == ("DEGRADED", kind_code("missing"))
    await connector.close()


def test_a_system_without_a_connector_is_down() -> None:
    connections = Connections({"licences": REST}, {}, {"licences": "not given: variable URL"})
    [shown] = Directory(connections, Standings(StillClock())).systems()
    assert (shown.health, shown.condition.reason) == ("DOWN", "SYSTEM_CONFIG")


def test_a_system_that_was_not_asked_yet_is_unknown() -> None:
    [shown] = Directory(Connections({"licences": REST}), Standings(StillClock())).systems()
    assert (shown.health, shown.condition) == ("UNKNOWN", Condition())
