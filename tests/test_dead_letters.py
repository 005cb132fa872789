"""``hub dead-letters``: counts, reasons and places of what could not be taken, and never a value."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from connectors.spi import Field, Options, Relation
from connectors.streams.messages import Batch, Message, Topic
from connectors.streams.store import Dead, Keep, Store
from hub.cli.aside import REASONS, form
from tests.house.files import ROOT
from tests.introspect.shell import elsewhere, run

__all__ = ["elsewhere"]

PERMITS = Relation(
    "permits", (Field("id", "nr"), Field("level", "dj", "int")), native=Options({"path": "permits.news", "type": "Permit", "key": ["nr"]})
)


@pytest.fixture
def kept(elsewhere: Path) -> Iterator[Store]:
    """What a hub keeps of the system ``permits``, in the folder where it would; the hub is running still."""
    store = Store(Path("var/systems/permits/stream.sqlite"), Keep(), 10_000)
    bodies = [
        b'{"nr": "a1", "dj": 1}',
        '{"xm": "张三", "sfzh": "330106199001011234", "dj": 2}'.encode(),
        b'{"nr": "a2", "dj": "L7", "ok": true}',
        b"<html>13800000000</html>",
        b'{"nr": "%s"}' % (b"x" * 10_000),
    ]
    store.apply(store.keep(Topic.of(PERMITS)), Batch([Message(body, at=1_700_000_000.0 + at) for at, body in enumerate(bodies)]), 0)
    yield store
    store.close()


@pytest.mark.usefixtures("kept")
def test_they_are_counted_and_told_why_and_where(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("dead-letters") == 0
    assert capsys.readouterr().out == (
        "permits permits.news (Permit): 4 messages put aside, 1 taken, last heard 2023-11-15 06:13:24+08:00\n"
    )
    assert run("dead-letters", "permits", "--most", "3") == 0
    told = capsys.readouterr().out
    assert re.findall(r"│ (2023\S+ \S+) +│ (\w+) +│ (\S*) +│ +(\d+) │", told) == [
        ("2023-11-15 06:13:24+08:00", "TOO_LARGE", "", "10010"),
        ("2023-11-15 06:13:23+08:00", "NOT_JSON", "", "24"),
        ("2023-11-15 06:13:22+08:00", "WRONG_TYPE", "dj", "36"),
    ]
    assert "类型不符" in told
    assert "and 1 more: --most 4" in told


@pytest.mark.usefixtures("kept")
def test_contents_are_shown_by_their_form_alone(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("dead-letters", "permits", "--show") == 0
    told = capsys.readouterr().out
    assert '{"xm": "字字", "sfzh": "999999999999999999", "dj": "9"}' in told
    assert '{"nr": "x9", "dj": "x9", "ok": true}' in told
    assert "<xxxx>99999999999</xxxx>" in told
    assert not any(value in told for value in ("张三", "3301", "138", "L7"))


def test_what_is_not_there_is_said(elsewhere: Path, kept: Store, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("dead-letters", "weather") == 1
    assert "Nothing is kept of a stream weather in" in capsys.readouterr().err
    Path("hub.toml").write_text('[systems]\ndata = "elsewhere"\n', encoding="utf-8")
    assert run("dead-letters") == 0
    assert "No stream has been read yet" in capsys.readouterr().out
    (elsewhere / "elsewhere" / "broken").mkdir(parents=True)
    (elsewhere / "elsewhere" / "broken" / "stream.sqlite").write_text("no database, though it is long enough for one" * 9)
    assert run("dead-letters", "broken") == 1
    assert "cannot be read: DatabaseError." in capsys.readouterr().err


@given(
    st.recursive(
        st.text(max_size=9) | st.integers(), lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.just("n"), inner), max_leaves=9
    )
)
def test_no_letter_and_no_digit_of_a_value_is_left(value: object) -> None:
    body = json.dumps({"n": value}, ensure_ascii=False).encode()
    told = form(Dead(0.0, "NO_KEY", "", len(body), body))
    assume(not told.endswith("…"))  # cut
    assert {c for leaf in leaves(json.loads(told)) for c in leaf if c.isalnum()} <= {"9", "x", "字"}


def leaves(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    else:
        for inner in value.values() if isinstance(value, dict) else value:
            yield from leaves(inner)


def test_each_reason_has_a_meaning() -> None:
    source = (ROOT / "connectors" / "streams" / "messages.py").read_text(encoding="utf-8")
    assert {*re.findall(r'"([A-Z][A-Z_0-9]{3,})"', source)} - {"DELETED"} == {*REASONS}
