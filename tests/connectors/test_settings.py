"""Settings are read strictly, and a fault names its place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import pytest

from connectors.settings import read, word
from connectors.spi import Options, Secret, SourceError


@dataclass(frozen=True, slots=True)
class Door:
    kind: Literal["WOOD", "STEEL"] = "WOOD"
    key: Secret | None = None


@dataclass(frozen=True, slots=True)
class House:
    name: str
    max_rooms: int = 3
    height: float = 2.5
    heated: bool = False
    door: Door = field(default_factory=Door)
    doors: tuple[Door, ...] = ()
    labels: Mapping[str, str | Secret] = field(default_factory=dict)
    extra: Options = field(default_factory=Options)
    anything: Any = None
    url: Secret = field(default=Secret(""), metadata={"plain": True})


def test_words_become_fields() -> None:
    key = Secret("k")
    house = read(
        House,
        Options({
            "name": "h", "maxRooms": 4, "height": 3, "heated": True, "door": {"kind": "STEEL", "key": key}, "doors": [{}, {"key": key}],
            "labels": {"a": "b", "c": key}, "extra": {"x": [1]}, "anything": 7, "url": "sqlite://",
        }),
    )  # fmt: skip
    assert house == House(
        "h", 4, 3.0, True, Door("STEEL", key), (Door(), Door(key=key)), {"a": "b", "c": key}, Options({"x": [1]}), 7, Secret("sqlite://")
    )


def test_a_list_of_names_and_values_is_a_mapping() -> None:
    assert read(House, {"name": "h", "labels": [{"name": "a", "value": "1"}]}).labels == {"a": "1"}


def test_null_is_not_given() -> None:
    assert read(House, {"name": "h", "maxRooms": None}).max_rooms == 3


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({}, "setting 'name' is missing"),
        ({"name": "h", "maxroms": 1}, "unknown setting 'maxroms' (did you mean 'maxRooms'?)"),
        ({"name": "h", "max_rooms": 1}, "unknown setting 'max_rooms' (did you mean 'maxRooms'?)"),
        ({"name": "h", "door": {"kee": 1}}, "unknown setting 'door.kee' (did you mean 'key'?)"),
        ({"name": "h", "doors": [{}, {"kind": "GLASS"}]}, "setting 'doors[1].kind' takes one of WOOD, STEEL"),
        ({"name": "h", "door": {"kind": "STEAL"}}, "setting 'door.kind' takes one of WOOD, STEEL (did you mean 'STEEL'?)"),
        ({"name": 1}, "setting 'name' has to be of type str"),
        ({"name": "h", "maxRooms": True}, "setting 'maxRooms' has to be of type int"),
        ({"name": "h", "heated": 1}, "setting 'heated' has to be of type bool"),
        ({"name": "h", "door": "open"}, "setting 'door' has to be an object"),
        ({"name": "h", "labels": "x"}, "setting 'labels' has to be an object"),
        ({"name": "h", "extra": "x"}, "setting 'extra' has to be an object"),
        ({"name": "h", "labels": {"a": 1}}, "setting 'labels.a' has to be of type str"),
        ({"name": "h", "door": {"key": "credit531x.key"}}, "setting 'door.key' is a secret that was not resolved"),
        ({"name": "h", "url": 1}, "setting 'url' is a secret that was not resolved"),
    ],
)
def test_a_fault_names_its_place(data: dict[str, Any], message: str) -> None:
    with pytest.raises(SourceError) as caught:
        read(House, data)
    assert (caught.value.kind, str(caught.value)) == ("config", message)


@pytest.mark.parametrize(("name", "shown"), [("base", "base"), ("max_bytes", "maxBytes"), ("key_type", "keyType")])
def test_words_are_written_as_in_a_manifest(name: str, shown: str) -> None:
    assert word(name) == shown
