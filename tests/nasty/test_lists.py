"""Lists that must not leak, gap or repeat: rows that may not be seen, fields that may not be asked by, pages under equal values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auth.access import Rows, Rule
from hub.clock import SystemClock
from hub.run.cursors import Cursors
from hub.run.engine import Engine
from hub.run.sources import Sources
from tests.bound import Lies, leaf, link, lookup, obj, scan
from tests.properties import examples
from tests.worlds import World, world

SDL = """
type Query {
  firm(uscc: ID!): Firm
  licence(id: ID!): Licence
  firms(filter: FirmFilter, orderBy: [FirmOrder!], first: Int, after: String): FirmConnection
  allFirms: [Firm!]
}
enum Grade { A B C }
type Firm {
  uscc: ID! name: String division: String grade: Grade
  parent: Firm
  licences(filter: LicenceFilter, orderBy: [LicenceOrder!], first: Int, after: String): LicenceConnection
}
type Licence { id: ID! title: String level: Int holder: Firm }
type FirmConnection { edges: [FirmEdge!]! nodes: [Firm!]! pageInfo: PageInfo! totalCount: Int }
type FirmEdge { cursor: String! node: Firm! }
type LicenceConnection { nodes: [Licence!]! pageInfo: PageInfo! totalCount: Int }
type PageInfo { hasNextPage: Boolean! hasPreviousPage: Boolean! startCursor: String endCursor: String }
input TextCondition { eq: String in: [String!] prefix: String isNull: Boolean }
input GradeCondition { eq: Grade in: [Grade!] }
input LevelCondition { eq: Int lt: Int ge: Int }
input FirmFilter { name: TextCondition division: TextCondition grade: GradeCondition }
input LicenceFilter { level: LevelCondition title: TextCondition }
enum Direction { ASC DESC }
enum FirmOrderField { NAME GRADE }
enum LicenceOrderField { LEVEL }
input FirmOrder { field: FirmOrderField! direction: Direction = ASC }
input LicenceOrder { field: LicenceOrderField! direction: Direction = ASC }
"""
FIRMS: list[dict[str, Any]] = [
    {"code": "A", "mc": "same", "xz": "3301", "sj": "B"},
    {"code": "B", "mc": "same", "xz": "3302", "sj": None},
    {"code": "C", "mc": "same", "xz": "3301", "sj": "A"},
    {"code": "D", "mc": None, "xz": "3301", "sj": None},
    {"code": "E", "mc": "other", "xz": None, "sj": "B"},
]
GRADES = [{"code": code, "dj": grade} for code, grade in zip("ABCDE", "AABCB", strict=True)]
LICENCES = [{"id": f"{code}{n}", "t": f"t{n}", "czr": code, "lv": n % 2} for code in "ABC" for n in range(4)]
HANGZHOU: Rows = {"Firm": (Rule("division", "PREFIX", "3301"),)}
GRADE_A: Rows = {"Firm": (Rule("grade", "EQ", "A"),)}
PAGE = "{ nodes { uscc } totalCount pageInfo { hasNextPage endCursor } }"


def there(firms: Sequence[Mapping[str, Any]] = FIRMS, able: Mapping[str, Any] | None = None, **can: Any) -> World:
    firm: dict[str, Lies | str] = {"uscc": "code", "name": "mc", "division": "xz", "parent": obj("Firm", {"uscc": "sj"})}
    licence: dict[str, Lies | str] = {"id": "id", "title": "t", "level": leaf("lv", "int"), "holder": obj("Firm", {"uscc": "czr"})}
    bindings = [
        lookup("register", "Firm", "uscc", firm, anchor=True),
        scan("register", "Firm", firm, **can),
        lookup("credit", "Firm", "uscc", {"uscc": "code", "grade": "dj"}, rows="Grade"),
        lookup("library", "Licence", "id", licence, anchor=True),
        link("library", "Firm.licences", "Licence", {"uscc": "czr"}, licence, able=able),
    ]
    return world(
        SDL,
        bindings,
        {"register": {"Firm": firms}, "credit": {"Grade": GRADES}, "library": {"Licence": LICENCES}},
        keys={"Firm": ["uscc"], "Licence": ["id"]},
        roots={"Query.firm": ("Firm", {"uscc": "uscc"}), "Query.licence": ("Licence", {"id": "id"})},
        filters={"FirmFilter": {n: n for n in ("name", "division", "grade")}, "LicenceFilter": {"level": "level", "title": "title"}},
        orders={"FirmOrder": {"NAME": "name", "GRADE": "grade"}, "LicenceOrder": {"LEVEL": "level"}},
    )


async def asked(
    of: World, document: str, variables: dict[str, Any] | None = None, *, rows: Rows | None = None, denied: frozenset[str] = frozenset()
) -> tuple[Any, list[str]]:
    """(data, codes)."""
    sources = Sources(of.registry.systems, of.connectors, SystemClock())
    engine = Engine(of.schema, of.registry, sources, cursors=Cursors(b"one key for all of these engines"))
    result = await engine.run(engine.parse(document), variables, denied=denied, rows=rows)
    return result.data, sorted(str((error.extensions or {})["code"]) for error in result.errors or ())


@pytest.mark.parametrize("rows", [HANGZHOU, GRADE_A], ids=["its own field", "another system's field"])
async def test_case_48_what_a_row_filter_hides_is_not_there_by_key_or_reference(rows: Rows) -> None:
    """Case 48: IDOR by lookup key and by reference; the hidden entity is as one that never was."""
    hidden, shown = ("B", "A") if rows is HANGZHOU else ("D", "B")
    document = "query ($id: ID!) { firm(uscc: $id) { uscc name licences { totalCount } } }"
    assert await asked(there(), document, {"id": hidden}, rows=rows) == await asked(there(), document, {"id": "nobody"}, rows=rows)
    assert (await asked(there(), document, {"id": shown}, rows=rows))[0]["firm"]["uscc"] == shown
    data, codes = await asked(
        there(), '{ a: firm(uscc: "A") { parent { uscc } } e: licence(id: "B0") { id holder { uscc } } }', rows=HANGZHOU
    )
    assert (data, codes) == ({"a": {"parent": None}, "e": {"id": "B0", "holder": None}}, [])


@pytest.mark.parametrize("can", [{}, {"where": {"division": ["PREFIX"]}, "order": ("uscc",), "limit": True, "total": True}])
async def test_case_48_counts_and_pages_do_not_leak(can: Any) -> None:
    """Case 48: the filter comes before counting and paging, whether the source does it or the engine."""
    data, codes = await asked(there(**can), f"{{ firms(first: 3) {PAGE} allFirms {{ uscc }} }}", rows=HANGZHOU)
    assert codes == []
    assert [node["uscc"] for node in data["firms"]["nodes"]] == ["A", "C", "D"]
    assert (data["firms"]["totalCount"], data["firms"]["pageInfo"]["hasNextPage"]) == (3, False)
    assert [one["uscc"] for one in data["allFirms"]] == ["A", "C", "D"]


async def test_case_48_a_row_filter_on_a_denied_field_of_another_system() -> None:
    """Case 48: the rule's field is read although the caller may not see it, and shown to nobody."""
    data, codes = await asked(there(), f'{{ firms {PAGE} firm(uscc: "A") {{ grade }} }}', rows=GRADE_A, denied=frozenset({"Firm.grade"}))
    assert ([node["uscc"] for node in data["firms"]["nodes"]], data["firms"]["totalCount"]) == (["A", "B"], 2)
    assert (data["firm"], codes) == ({"grade": None}, ["FORBIDDEN"])


async def test_case_48_a_cursor_does_not_carry_over_to_other_rows() -> None:
    """Case 48: IDOR by cursor. One cut from a list of more rows is refused, and none can be made up."""
    whole, _ = await asked(there(), f"{{ firms(first: 2) {PAGE} }}")
    after = whole["firms"]["pageInfo"]["endCursor"]
    document = f"query ($after: String) {{ firms(first: 2, after: $after) {PAGE} }}"
    assert await asked(there(), document, {"after": after}, rows=HANGZHOU) == ({"firms": None}, ["CURSOR_EXPIRED"])
    assert await asked(there(), document, {"after": "WyJCIl0"}, rows=HANGZHOU) == ({"firms": None}, ["BAD_CURSOR"])


async def test_case_48_when_a_rule_cannot_be_looked_at_nothing_is_shown() -> None:
    """Case 48: the system that the rule reads is down. Nobody is let through, and an entity that exists fails as one that does not."""
    of = there()
    of.systems["credit"].faults.down["Firm.by.uscc"] = "down"
    document = "query ($id: ID!) { firm(uscc: $id) { name } }"
    assert await asked(of, document, {"id": "A"}, rows=GRADE_A) == ({"firm": None}, ["SYSTEM_DOWN"])
    assert await asked(of, document, {"id": "nobody"}, rows=GRADE_A) == ({"firm": None}, ["SYSTEM_DOWN"])
    assert await asked(of, f"{{ firms {PAGE} }}", rows=GRADE_A) == ({"firms": None}, ["SYSTEM_DOWN"])


async def test_a_total_does_not_depend_on_the_order() -> None:
    """The system that the order reads is down: the total is there, at the root and below, and nobody asks that system for it."""
    of = there()
    of.systems["credit"].faults.down["Firm.by.uscc"] = "down"
    total = "firms(orderBy: [{field: GRADE}]) { totalCount nodes @skip(if: true) { uscc } }"
    assert await asked(of, f"{{ {total} }}") == ({"firms": {"totalCount": 5}}, [])
    assert of.calls("credit") == []
    assert await asked(of, "{ firms(orderBy: [{field: GRADE}]) { totalCount nodes { uscc } } }") == ({"firms": None}, ["SYSTEM_DOWN"])


@pytest.mark.parametrize(
    "field",
    [
        "firms(filter: {grade: {eq: A}}) { totalCount }",
        "firms(orderBy: [{field: GRADE}]) { nodes { uscc } }",
        'firm(uscc: "A") { licences(filter: {level: {ge: 1}}) { totalCount } }',
        'firm(uscc: "A") { licences(orderBy: [{field: LEVEL}]) { nodes { id } } }',
    ],
)
async def test_case_49_filter_and_order_by_a_denied_field_are_refused(field: str) -> None:
    """Case 49: an oracle attack, at the root and below: the order of rows tells values as well as a filter does."""
    data, codes = await asked(there(), f"{{ {field} }}", denied=frozenset({"Firm.grade", "Licence.level"}))
    assert codes == ["FORBIDDEN"]
    assert data in ({"firms": None}, {"firm": {"licences": None}})


SOURCES = st.fixed_dictionaries(
    {},
    optional={
        "where": st.sampled_from([{"uscc": ["GT", "GE"]}, {"name": ["EQ", "IN", "GT"], "uscc": ["EQ"]}]),
        "order": st.sampled_from([("uscc",), ("name",), ("uscc", "name")]),
        "limit": st.just(True),
        "total": st.just(True),
        "seek": st.just(True),
    },
)
NAMES = st.lists(st.sampled_from(["a", "b", None]), max_size=9)


@given(SOURCES, NAMES, st.integers(1, 4), st.sampled_from(["", "{field: NAME}", "{field: NAME, direction: DESC}", "{field: GRADE}"]))
@examples(60)
async def test_case_50_pages_end_to_end_are_the_list(can: Any, names: list[str | None], first: int, order: str) -> None:
    """Case 50, P24: whatever the source does itself, pages laid end to end are the whole list, without gap or duplicate."""
    firms = [{"code": "ABCDEFGHI"[i], "mc": name, "xz": "3301" if i % 3 else "3302", "sj": None} for i, name in enumerate(names)]
    given = f'orderBy: [{order}], filter: {{division: {{prefix: "33"}}}}'
    whole, codes = await asked(there(firms, **can), f"{{ firms({given}, first: 100) {PAGE} }}", rows=HANGZHOU)
    assert codes == []
    found: list[str] = []
    after, more = None, True
    while more:
        document = f"query ($after: String) {{ firms({given}, first: {first}, after: $after) {PAGE} }}"
        page, codes = await asked(there(firms, **can), document, {"after": after}, rows=HANGZHOU)
        assert codes == []
        assert page["firms"]["totalCount"] == whole["firms"]["totalCount"]
        found += [node["uscc"] for node in page["firms"]["nodes"]]
        after, more = page["firms"]["pageInfo"]["endCursor"], page["firms"]["pageInfo"]["hasNextPage"]
    assert found == [node["uscc"] for node in whole["firms"]["nodes"]]
    assert len(found) == len(set(found)) == whole["firms"]["totalCount"]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ('filter: {name: {eq: "same"}}', "CURSOR_EXPIRED"),
        ("orderBy: [{field: NAME}]", "CURSOR_EXPIRED"),
        ("orderBy: [{field: NAME, direction: DESC}]", "CURSOR_EXPIRED"),
    ],
)
async def test_case_50_a_cursor_of_another_filter_or_order_is_refused(arguments: str, code: str) -> None:
    """Case 50: never a silently different list."""
    page, _ = await asked(there(), f"{{ firms(first: 2) {PAGE} }}")
    after = page["firms"]["pageInfo"]["endCursor"]
    document = f"query ($after: String) {{ firms({arguments}, first: 2, after: $after) {PAGE} }}"
    assert await asked(there(), document, {"after": after}) == ({"firms": None}, [code])


async def test_case_50_lists_below_an_entity_are_cut_for_each_of_its_parents() -> None:
    """Case 50: filter, order and page below an entity, for each parent by itself."""
    given = "filter: {level: {ge: 1}}, orderBy: [{field: LEVEL}], first: 1"
    document = f"{{ firms {{ nodes {{ uscc licences({given}) {{ nodes {{ id }} totalCount pageInfo {{ hasNextPage }} }} }} }} }}"
    data, codes = await asked(there(), document)
    assert codes == []
    found = {node["uscc"]: node["licences"] for node in data["firms"]["nodes"]}
    assert found["A"] == {"nodes": [{"id": "A1"}], "totalCount": 2, "pageInfo": {"hasNextPage": True}}
    assert found["D"] == {"nodes": [], "totalCount": 0, "pageInfo": {"hasNextPage": False}}


async def test_case_50_a_source_that_can_cut_for_each_key_is_asked_for_a_page_and_one_row_more() -> None:
    """Case 50: the first row of each parent is not all rows of all; where a total is asked for, or a condition is left, it has to be."""
    able = {"where": {"level": ["GE"]}, "order": ("level", "id"), "limit": True, "each": True, "seek": True}
    given = "filter: {level: {ge: 1}}, orderBy: [{field: LEVEL}], first: 1"
    page = "{ nodes { id } pageInfo { hasNextPage endCursor } }"
    of = there(able=able)
    data, _ = await asked(of, f"{{ firms {{ nodes {{ uscc licences({given}) {page} }} }} }}")
    assert [node["licences"]["nodes"] for node in data["firms"]["nodes"]] == [[{"id": "A1"}], [{"id": "B1"}], [{"id": "C1"}], [], []]
    assert [(call.limit, call.where) for call in of.calls("library")] == [(2, (("level", "GE", 1),))]
    after = data["firms"]["nodes"][0]["licences"]["pageInfo"]["endCursor"]
    document = f'query ($after: String) {{ firm(uscc: "A") {{ licences({given}, after: $after) {page} }} }}'
    data, _ = await asked(of, document, {"after": after})
    assert data["firm"]["licences"]["nodes"] == [{"id": "A3"}]
    of = there(able=able)
    await asked(of, f"{{ firms {{ nodes {{ licences({given}) {{ totalCount nodes {{ id }} }} }} }} }}")
    await asked(of, 'query { firm(uscc: "A") { licences(filter: {title: {prefix: "t"}}, first: 1) { nodes { id } } } }')
    assert [call.limit for call in of.calls("library")] == [None, None]
