"""Kafka as far as it can be tried without a server: nobody there, nobody who answers, and where reading goes on."""

from __future__ import annotations

from pathlib import Path

import pytest

from connectors.spi import SourceError
from connectors.streams.kafka import place
from connectors.streams.messages import Position
from tests.connectors.loopback import nobody
from tests.connectors.messages import connected, permits, rows


async def test_nobody_there_is_down(tmp_path: Path) -> None:
    asked = permits("permits")
    async with connected(f"kafka://127.0.0.1:{nobody()},127.0.0.1:{nobody()}", tmp_path, asked) as connector:
        for ask in (rows(connector, asked), connector.describe()):
            with pytest.raises(SourceError, match="cannot be reached") as caught:
                await ask
            assert (caught.value.kind, caught.value.untouched) == ("down", True)
            assert "127.0.0.1" not in f"{caught.value} {caught.value.detail}"


def test_a_topic_that_is_new_is_read_from_its_beginning() -> None:
    found = place("permits", Position(), {0: 0, 1: 7}, {0: 5, 1: 9})
    assert (found.following, found.missed) == ({0: 0, 1: 7}, False)
    assert found.origin.startswith("permits ")


def test_each_partition_goes_on_after_what_was_kept_of_it() -> None:
    found = place("permits", Position("permits 1", {"0": 3}), {0: 0, 1: 0}, {0: 5, 1: 2})
    assert (found.origin, found.following, found.missed) == ("permits 1", {0: 4, 1: 0}, False)


def test_what_the_topic_no_longer_holds_is_missed() -> None:
    found = place("permits", Position("permits 1", {"0": 3}), {0: 9}, {0: 12})
    assert (found.origin, found.following, found.missed) == ("permits 1", {0: 9}, True)


@pytest.mark.parametrize("ends", [{0: 2}, {1: 9}])
def test_a_topic_that_ends_before_what_was_read_was_made_anew(ends: dict[int, int]) -> None:
    found = place("permits", Position("permits 1", {"0": 3}), dict.fromkeys(ends, 0), ends)
    assert found.origin != "permits 1"
    assert (found.following, found.missed) == (dict.fromkeys(ends, 0), False)
