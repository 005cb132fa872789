"""The interface: paths, columns, the default negotiation, values that do not show."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.paths import ABSENT, read_all, reader, steps
from connectors.spi import Ask, Caller, Condition, Field, Options, Order, Page, Relation, Secret, SourceError, identity, split

FIELDS = (Field("uscc", "a"), Field("name", "b"), Field("level", "c", "int"))
RELATION = Relation("r", FIELDS, where=Options({"name": ["EQ"], "level": ["EQ", "GE"]}), order=("name",), limit=True, total=True)


@pytest.mark.parametrize(
    ("path", "way"),
    [
        ("a", ("a",)), ("a.b", ("a", "b")), ("a[0].b", ("a", 0, "b")), ("[1]", (1,)), ("a[0][1]", ("a", 0, 1)), ("$", ()), ("", ()),
        ("$.a", ("a",)),
        ("企业.名称", ("企业", "名称")), ("... on Shop.name", ("name",)),
        ("owner.... on Shop.name", ("owner", "name")), ("a-b.c d", ("a-b", "c d")),
    ],
)  # fmt: skip
def test_a_path_is_steps(path: str, way: tuple[str | int, ...]) -> None:
    assert steps(path) == way


@pytest.mark.parametrize("path", ["a..b", "a.", "a[x]", "a[", "]", ".a", "a[0"])
def test_what_is_no_path_is_refused(path: str) -> None:
    with pytest.raises(ValueError, match="path"):
        steps(path)


values = st.recursive(
    st.none() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=8,
)


@given(st.lists(values, max_size=4), st.lists(st.sampled_from(["a", "b", 0, 1]), min_size=1, max_size=3))
def test_reading_all_is_reading_each(rows: list[Any], way: list[str | int]) -> None:
    path = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in way).removeprefix(".")
    assert read_all(path, rows) == [reader(path)(row) for row in rows] == [plainly(row, way) for row in rows]


def plainly(value: Any, way: list[str | int]) -> Any:
    for step in way:
        there = step in value if isinstance(value, dict) else isinstance(value, list) and isinstance(step, int) and step < len(value)
        value = value[step] if there else None
    return value


@given(st.lists(values, max_size=4), st.lists(st.sampled_from(["a", "b", 0, 1]), min_size=1, max_size=3))
def test_what_lacks_a_name_is_told_from_what_has_null_there(rows: list[Any], way: list[str | int]) -> None:
    """Asked for what is always there, each value is what it is otherwise, or absent: where an object on the way lacks the name."""
    path = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in way).removeprefix(".")
    found = read_all(path, rows, always=True)
    assert found == [reader(path, always=True)(row) for row in rows]
    for value, row in zip(found, rows, strict=True):
        before = [plainly(row, way[:at]) for at in range(len(way))]
        lacks = any(isinstance(one, dict) and isinstance(step, str) and step not in one for one, step in zip(before, way, strict=True))
        assert value is ABSENT if lacks else value == plainly(row, way)


def test_a_column_that_is_always_there_shows_where_it_is_not() -> None:
    fields = (Field("n", "x.n", always=True), Field("m", "x.m"))
    page = Page.of([{"x": {"n": 1}}, {"x": {"n": None}}, {"x": {}}, {"x": None}, {}], fields)
    assert page.columns == {"n": [1, None, ABSENT, None, ABSENT], "m": [None] * 5}


def test_rows_become_columns() -> None:
    fields = (Field("k", ""), Field("n", "x.n"), Field("own", "$"))
    page = Page.of([{"x": {"n": 1}}, {}], fields, key=("K",), total=9)
    assert (page.columns, page.size, page.total) == ({"k": ["K", "K"], "n": [1, None], "own": [{"x": {"n": 1}}, {}]}, 2, 9)


@pytest.mark.parametrize(
    ("ask", "done", "rest"),
    [
        (Ask("r", ("uscc",), where=(Condition("name", "EQ", "x"),), limit="n"), "name n", ""),
        (Ask("r", ("uscc",), where=(Condition("name", "IN", "x"),), limit="n"), "", "name n"),
        (
            Ask("r", ("uscc",), where=(Condition("name", "EQ", "x"), Condition("uscc", "EQ", "y")), limit="n", total=True),
            "name",
            "uscc n total",
        ),
        (Ask("r", ("uscc",), order=(Order("name"),), limit="n", total=True), "by-name n total", ""),
        (Ask("r", ("uscc",), order=(Order("level"),), limit="n", total=True), "total", "by-level n"),
        (Ask("r", ("uscc",), by=("uscc",), limit="n", total=True), "", "n total"),
    ],
)
def test_what_is_declared_is_pushed_and_the_rest_is_handed_back(ask: Ask, done: str, rest: str) -> None:
    plan = split(ask, RELATION)
    assert (words(plan.ask), words(plan.rest)) == (done, rest)
    assert {one.name for one in plan.fields} == {"uscc", *(c.field for c in plan.rest.where), *(o.field for o in plan.rest.order)}


def words(ask: Ask) -> str:
    parts = [*(c.field for c in ask.where), *(f"by-{o.field}" for o in ask.order), ask.limit or "", "total" if ask.total else ""]
    return " ".join(part for part in parts if part)


def test_a_secret_does_not_show() -> None:
    secret = Secret("4711")
    assert "4711" not in f"{secret} {secret!r} {Options({'k': secret})!r} {[secret]}"
    assert (secret.reveal(), secret == Secret("4711"), secret == Secret("4712")) == ("4711", True, False)


def test_options_are_frozen_and_hashable() -> None:
    one, two = Options({"a": [1, {"b": 2}], "c": {"d": None}}), Options({"c": {"d": None}, "a": [1, {"b": 2}]})
    assert one == two
    assert hash(one) == hash(two)
    assert one["a"] == (1, Options({"b": 2}))


@pytest.mark.parametrize(("kind", "again"), [("busy", True), ("down", True), ("slow", True), ("broken", False), ("config", False)])
def test_what_may_be_asked_again(kind: Any, again: bool) -> None:
    assert SourceError(kind, "m").retryable is again


def test_a_caller_prints_as_its_id_and_differs_by_what_it_showed() -> None:
    one, other = Caller("a", Secret("t1")), Caller("a", Secret("t2"))
    assert (str(one), f"{one!r}", one == other == "a") == ("a", "'a'", True)
    assert len({identity(one), identity(other), identity("a"), identity(Caller("a"))}) == 3
