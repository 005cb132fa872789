"""Whatever a source calls its things, what is written passes its check as it is; on the province's own names nothing is taken wrongly."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.connected import composed, packaged
from hub.introspect.canon import canon
from hub.introspect.found import Column, ColumnType, Found, Param, Relation
from hub.introspect.guess import best
from hub.introspect.terms import terms
from schema.reach import all_bindings
from tests.introspect.small import LICENCES, USCCS, faults, standard, written

CANON = standard()
PROVINCE = composed(packaged())

known = [word for term in terms() for word in (*term.chinese[:1], term.initials[0], term.name)]
odd = ("id", "Query", "__x", "a b", "hub", "名 称", "1", "x.y")
names = st.one_of(st.sampled_from(known), st.text(min_size=1, max_size=8), st.sampled_from(odd))
samples = st.one_of(
    st.just(()), st.just(USCCS), st.just(LICENCES), st.just(("20240131", "20240201")), st.just((1, 2**40)), st.just(("是", "否")),
    st.just(('["a"]', "[]")), st.lists(st.one_of(st.none(), st.text(max_size=5), st.integers()), max_size=4).map(tuple),
)  # fmt: skip
plain = st.builds(
    Column, path=names, type=st.sampled_from(get_args(ColumnType)), nullable=st.booleans(), comment=st.one_of(st.just(""), names),
    samples=samples, many=st.booleans(), unique=st.booleans(), texts=st.lists(st.text(max_size=3), max_size=2).map(tuple),
)  # fmt: skip


def distinct(columns: Any) -> Any:
    return columns.map(lambda found: tuple({each.path: each for each in found}.values()))


nested = st.builds(Column, path=names, type=st.just("object"), many=st.booleans(), inside=distinct(st.lists(plain, min_size=1, max_size=3)))


@st.composite
def tables(draw: Any) -> Found:
    found = {}
    for name in draw(st.lists(names, min_size=1, max_size=3, unique=True)):
        columns = draw(distinct(st.lists(plain, min_size=1, max_size=6)))
        key = tuple(each.path for each in draw(st.lists(st.sampled_from(columns), max_size=2, unique=True)))
        found[name] = Relation(name, columns, draw(names), key)
    return Found("sql", tuple(found.values()), draw(names), {"url": "${X_URL}"})


@st.composite
def calls(draw: Any) -> Found:
    kind = draw(st.sampled_from(["rest", "graphql"]))
    found = {}
    letters = st.from_regex(r"[a-z][a-zA-Z]{0,6}", fullmatch=True)
    inputs = st.one_of(st.sampled_from(["uscc", "usccs", "tyshxydm", "id", "ids", "zzbs"]), letters)
    params = st.builds(Param, name=inputs, required=st.booleans(), many=st.booleans(), comment=st.one_of(st.just(""), names))
    row = st.sampled_from(["Row", "Thing", "Enterprise", ""])
    for name in draw(st.lists(letters, min_size=1, max_size=4, unique=True)):
        columns = draw(distinct(st.lists(st.one_of(plain, nested), min_size=1, max_size=5)))
        taken = tuple({each.name: each for each in draw(st.lists(params, max_size=2))}.values())
        place: dict[str, Any] = {"field": name}
        if kind == "rest":
            place = {"path": f"/{name}", "method": "GET", "at": draw(st.sampled_from(["", "data.list"])), "query": [p.name for p in taken]}
        found[name] = Relation(name, columns, draw(names), params=taken, many=draw(st.booleans()), row=draw(row), place=place)
    source = {"base": "${X_URL}"} if kind == "rest" else {"url": "${X_URL}"}
    return Found(kind, tuple(found.values()), draw(names), source)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(tables())
def test_whatever_a_database_holds_the_manifest_passes(found: Found) -> None:
    assert faults(written(found, "sys", CANON)) == []


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(calls())
def test_whatever_a_service_offers_the_manifest_passes(found: Found) -> None:
    assert faults(written(found, "sys", CANON)) == []


def test_a_call_by_the_key_of_what_no_query_leads_to_is_no_link() -> None:
    row = Column("统一社会信用代码", "text")
    asked = Param("usccs", False, False, "检查编号")
    found = Found("rest", (Relation("a", (row,), params=(asked,), row="Row", place={"path": "/a", "method": "GET", "query": ["usccs"]}),))
    assert faults(written(replace(found, source={"base": "${X_URL}"}), "sys", CANON)) == []


def test_beside_the_provinces_systems_it_passes_as_well() -> None:
    columns = tuple(Column(path, "text", samples=USCCS if path == "TYSHXYDM" else ()) for path in ("TYSHXYDM", "QYMC", "xyxf_url", "LXDH"))
    found = Found("sql", (Relation("T_FRXX", columns, key=("TYSHXYDM",)),), source={"url": "${X_URL}"})
    assert faults(written(found, "copy", canon(PROVINCE))) == []


def own_names() -> dict[tuple[str, str], dict[str, str]]:
    """(system, type) → the column a manifest binds → the canonical field, as people wrote it for the province's systems."""
    found: dict[tuple[str, str], dict[str, str]] = {}
    for binding in all_bindings(PROVINCE.registry):
        if binding.type in CANON.types:
            known = {each.name for each in CANON.types[binding.type].fields}
            own = {each.path: each.name for each in binding.relation.fields if each.path and each.name in known}
            found.setdefault((binding.system, binding.type), {}).update(own)
    return found


@pytest.mark.parametrize(("place", "truth"), own_names().items(), ids=lambda each: ".".join(each) if isinstance(each, tuple) else None)
def test_by_names_alone_nothing_is_taken_wrongly(place: tuple[str, str], truth: dict[str, str]) -> None:
    columns = tuple(Column(path, "text") for path in truth)
    bound, _ = best(columns, CANON.types[place[1]])
    assert {path: guess.target.name for path, guess in bound.items() if guess.target.name != truth[path]} == {}


def test_by_names_alone_most_are_found() -> None:
    every = right = 0
    for (_, entity), truth in own_names().items():
        bound, maybe = best(tuple(Column(path, "text") for path in truth), CANON.types[entity])
        right += sum({**maybe, **bound}[path].target.name == field for path, field in truth.items() if path in bound or path in maybe)
        every += len(truth)
    assert right / every > 0.7, f"{right} of {every}"
