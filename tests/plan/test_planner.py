"""What is planned, as the text that people read: which systems, by which keys, after which steps."""

from __future__ import annotations

from textwrap import dedent

import pytest

from hub.clock import SystemClock
from hub.plan import draft
from hub.plan.operation import Unplannable
from hub.run.engine import Engine
from hub.run.sources import Sources
from tests.bound import Lies, link, lookup, obj, scan
from tests.worlds import World, world

SDL = """
type Query { firm(uscc: ID!): Firm  firms(first: Int, after: String): FirmConnection }
type FirmConnection { nodes: [Firm!]! pageInfo: PageInfo! totalCount: Int }
type PageInfo { hasNextPage: Boolean! endCursor: String }
type Firm { uscc: ID! name: String score: Score archiveNo: ID boxes: Int parent: Firm licences: [Licence!] }
type Score { points: Int grade: String }
type Licence { id: ID! title: String holder: Firm item: Item }
type Item { code: ID! name: String }
"""


def department_world() -> World:
    firm: dict[str, Lies | str] = {"uscc": "code", "name": "mc", "parent": obj("Firm", {"uscc": "sj"})}
    licence: dict[str, Lies | str] = {"id": "id", "title": "t", "holder": obj("Firm", {"uscc": "czr"}), "item": obj("Item", {"code": "sx"})}
    bindings = [
        lookup("register", "Firm", "uscc", firm, anchor=True),
        scan("register", "Firm", firm),
        lookup("credit", "Firm", "uscc", {"uscc": "code", "score": obj("Score", {"points": "p", "grade": "g"})}),
        lookup("archive", "Firm", "uscc", {"uscc": "code", "archiveNo": "old"}),
        lookup("vault", "Firm", "archiveNo", {"archiveNo": "no", "boxes": "n"}, max_keys=1),
        link("library", "Firm.licences", "Licence", {"uscc": "czr"}, licence, max_keys=50),
        lookup("permits", "Item", "code", {"code": "bm", "name": "mc"}, anchor=True),
    ]
    keys: dict[str, list[tuple[str, ...] | str]] = {"Firm": ["uscc", "archiveNo"], "Licence": ["id"], "Item": ["code"]}
    return world(SDL, bindings, {}, keys=keys, roots={"Query.firm": ("Firm", {"uscc": "uscc"})})


def plan_of(document: str) -> str:
    there = department_world()
    engine = Engine(there.schema, there.registry, Sources(there.registry.systems, there.connectors, SystemClock()))
    return engine.explain(engine.parse(document))


def test_one_enterprise_from_several_systems_in_one_wave() -> None:
    assert plan_of('{ firm(uscc: "A") { name score { points } } }') == dedent(
        """\
        plan of the query: 2 systems, 2 calls at least
         1 arguments  firm
         2 fetch      register  Firm by uscc <- 1.uscc  [name]  up to 100 keys a call
         3 fetch      credit    Firm by uscc <- 1.uscc  [score.grade, score.points]  up to 100 keys a call"""
    )


def test_a_key_of_one_system_leads_to_the_next() -> None:
    assert plan_of('{ firm(uscc: "A") { boxes } }').splitlines()[2:] == [
        " 2 fetch      register  Firm by uscc <- 1.uscc  []  up to 100 keys a call",
        " 3 fetch      archive   Firm by uscc <- 1.uscc  [archiveNo]  up to 100 keys a call",
        " 4 fetch      vault     Firm by archiveNo <- 3.archiveNo  [boxes]  one key a call  after 3",
    ]


def test_a_list_is_a_layer_and_references_below_it_are_looked_up_together() -> None:
    assert plan_of('{ firm(uscc: "A") { licences { title item { name } } } }').splitlines()[3:] == [
        " 3 fetch      library   Firm.licences by uscc <- 1.uscc  [item.code, title]  up to 50 keys a call",
        " 4 expand     3  all",
        " 5 fetch      permits   Item by code <- 4.item.code  [name]  up to 100 keys a call  after 4",
    ]


def test_two_root_fields_share_their_calls() -> None:
    text = plan_of('{ a: firm(uscc: "A") { name } b: firm(uscc: "B") { name } }')
    assert text.splitlines()[0] == "plan of the query: 1 system, 1 call at least"
    assert text.endswith("[name]  up to 100 keys a call  with 2")


def test_what_is_denied_is_not_planned() -> None:
    there = department_world()
    engine = Engine(
        there.schema,
        there.registry,
        Sources(there.registry.systems, there.connectors, SystemClock()),
        policy=lambda principal, rows: frozenset({"Firm.score"}),
    )
    text = engine.explain(engine.parse('{ firm(uscc: "A") { name score { points } } }'))
    assert "credit" not in text
    assert text.endswith("not answered: Firm.score (FORBIDDEN)")


def test_a_plan_past_its_bound_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(draft, "MAX_STEPS", 3)
    with pytest.raises(Unplannable, match="more than 3 steps"):
        plan_of('{ a: firm(uscc: "A") { name } b: firm(uscc: "B") { name } }')
