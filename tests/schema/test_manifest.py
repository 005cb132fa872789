"""Reading manifests: words and their values, the little language in strings, and every fault with its place and its mending."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from graphql import DirectiveLocation
from hypothesis import given
from hypothesis import strategies as st

from connectors.kinds import KINDS
from connectors.paths import reader, steps
from schema import words
from schema.canonical import canonical
from schema.compose import compose, load_systems, parse_manifest
from schema.expressions import (
    Comparison,
    ExpressionError,
    Part,
    join_paths,
    read_comparison,
    read_duration,
    read_expression,
    read_join,
    read_path,
    read_rate,
    read_template,
)
from schema.faults import CODES, as_data, format_fault

ROOT = Path(__file__).parents[2]
BAD = sorted((ROOT / "tests" / "bad_manifests").glob("*.graphql"))
PAGE = (ROOT / "docs" / "manifest-faults.md").read_text(encoding="utf-8")
WORDS = (ROOT / "docs" / "manifests.md").read_text(encoding="utf-8")

CREDIT = """
extend schema
  @system(name: "credit", title: "信用", owner: "委")
  @rest(base: "${URL}", limits: {timeout: "500ms", rate: "300/s"})

type Query {
  byUscc(uscc: USCC! @is(field: "uscc")): Enterprise @lookup @get(path: "/x?c={keys}", batch: {by: "uscc", match: "c"})
}

type Enterprise @key(fields: "uscc") @key(fields: "name division") {
  uscc: USCC! @from(path: "c")
  "The name"
  name: String @filter
}

enum EntityType { COMPANY @from(path: "1") }
"""


# ---- what is read


def test_a_manifest_is_read_into_typed_entries() -> None:
    read = parse_manifest(CREDIT, "credit.graphql")

    assert read.faults == ()
    assert (read.name, read.kind, read.file) == ("credit", "rest", "credit.graphql")
    assert read.source is not None
    breaker = {"failures": 5, "within": 10.0, "pause": 5.0, "probes": 1}
    assert read.source.args["limits"] == {"timeout": 0.5, "concurrency": 16, "rate": 300.0, "retries": 1, "breaker": breaker}
    query, enterprise, kinds = read.types
    lookup = query.fields["byUscc"]
    assert lookup.words["get"].args["batch"] == {"by": ("uscc",), "match": "c", "max": 100}
    assert lookup.words["get"].args["method"] == "GET"
    assert lookup.arguments["uscc"].words["is"].args == {"field": "uscc"}
    assert [key.args["fields"] for key in enterprise.keys] == [("uscc",), ("name", "division")]
    assert enterprise.fields["name"].words["filter"].args == {"ops": ["EQ", "IN"]}
    assert enterprise.fields["name"].description == "The name"
    assert kinds.values["COMPANY"].words["from"].args == {"path": "1"}


def test_a_system_of_another_kind_says_which() -> None:
    head = 'extend schema @system(name: "x", title: "甲", owner: "乙") '
    text = head + '@python(connector: "memory", options: {rows: [{a: 1}], deep: {b: true}})'
    read = parse_manifest(text, "x.graphql")

    assert read.kind == "memory"
    assert read.source is not None
    assert read.source.args["options"] == {"rows": [{"a": 1}], "deep": {"b": True}}


def test_a_folder_is_read_sorted_and_without_the_vocabulary() -> None:
    read = load_systems(ROOT / "systems")

    assert [manifest.name for manifest in read] == [
        "eLicenceLibrary",
        "credit531x",
        "dischargePermits",
        "socialFundWithholding",
        "fairOnline",
        "internetPlusSupervision",
        "legalEntityRegister",
        "marketEnforcementCore",
        "registrationGazette",
        "takeawayOnline",
        "adminPermitCatalogue",
        "serviceIssueList",
    ]
    assert read[0].file == "systems/data-bureau/eLicenceLibrary.graphql"
    assert load_systems(ROOT / "systems", shown="here")[0].file == "here/data-bureau/eLicenceLibrary.graphql"


def test_a_slip_is_one_fault_and_spoils_its_field_alone() -> None:
    text = CREDIT.replace("@filter", "@fliter")
    read = parse_manifest(text, "credit.graphql")

    assert [found.code for found in read.faults] == ["UNKNOWN_WORD"]
    assert read.types[1].fields["name"].broken
    assert not read.types[1].fields["uscc"].broken


# ---- the words themselves


def test_every_word_and_argument_is_explained() -> None:
    schema = words.vocabulary()
    own = [schema.get_directive(name) for name in words.own_words()]

    assert len(own) > 20
    for directive in own:
        assert directive is not None
        assert directive.description, directive.name
        assert all(argument.description for argument in directive.args.values()), directive.name
    for name, type_ in schema.type_map.items():
        if not name.startswith("__") and type_.ast_node is not None:
            assert type_.description, name
            for each in (*getattr(type_, "fields", {}).values(), *getattr(type_, "values", {}).values()):
                assert each.description, name


@pytest.mark.parametrize("name", words.own_words())
def test_every_word_has_an_example(name: str) -> None:
    blocks = re.findall(r"```graphql\n(.*?)```", WORDS, re.DOTALL)
    assert any(re.search(rf"@{name}\b", block) for block in blocks)


def test_sources_are_the_words_on_a_schema() -> None:
    on_schema = {each.name for each in words.vocabulary().directives if DirectiveLocation.SCHEMA in each.locations}
    assert on_schema == {"system", *words.SOURCES}


# ---- faults


@pytest.mark.parametrize("file", BAD, ids=lambda file: file.stem)
def test_a_bad_manifest_beside_good_ones_gives_exactly_its_faults(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    without = re.match(r"# without: (\w+)", text)
    good = [each for each in load_systems(ROOT / "systems") if without is None or each.name != without[1]]
    made = compose(canonical(), [*good, parse_manifest(text, file.name)], kinds=set(KINDS))

    assert "\n".join(format_fault(found) for found in made.faults) + "\n" == file.with_suffix(".txt").read_text(encoding="utf-8")
    assert {found.code for found in made.faults} == {file.stem.replace("-", "_").upper()}
    assert made.ok is (made.faults[0].severity != "error")


def test_every_code_has_a_bad_manifest() -> None:
    assert {file.stem.replace("-", "_").upper() for file in BAD} == set(CODES)


def test_all_faults_of_all_files_come_in_one_run() -> None:
    # GraphQL's own rules are judged last, over a schema without other faults; of two files for one system only one counts.
    files = [file for file in BAD if file.stem not in ("invalid-schema", "system-twice", "not-served")]
    manifests = []
    for number, file in enumerate(files):
        text = file.read_text(encoding="utf-8").replace('"taxBureau"', f'"tax{number}"')
        manifests.append(parse_manifest(text, file.name))
    made = compose(canonical(), [*load_systems(ROOT / "systems"), *manifests], kinds=set(KINDS))

    found = {(each.file, each.code) for each in made.faults}
    assert {(file.name, file.stem.replace("-", "_").upper()) for file in files} <= found


@pytest.mark.parametrize("code", CODES)
def test_every_code_has_a_section_with_a_wrong_and_a_right_example(code: str) -> None:
    section = re.search(rf"^## {code}\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL)
    assert section
    assert CODES[code].zh in section[1]
    assert "Wrong" in section[1]
    assert "Right" in section[1]
    assert section[1].count("```graphql") == 2
    assert re.search(r"[\u4e00-\u9fff]", CODES[code].zh)


def test_a_fault_is_shown_with_its_place_and_its_mending() -> None:
    made = compose(canonical(), [parse_manifest(CREDIT.replace("name: String", "nmae: String"), "credit.graphql")], kinds=set(KINDS))
    found = next(each for each in made.faults if each.code == "UNKNOWN_FIELD")

    assert format_fault(found).splitlines() == [
        "credit.graphql:13:3 UNKNOWN_FIELD The canonical type 'Enterprise' has no field 'nmae'. Did you mean 'name'?",
        "    fix: write name, or contribute the field in `extend type Enterprise`",
    ]
    data = as_data(found)
    assert (data["line"], data["column"], data["severity"]) == (13, 3, "error")
    assert data["title"]["zh"] == "未知的字段"


@given(st.text(max_size=200))
def test_no_text_makes_reading_fail(text: str) -> None:
    assert parse_manifest(text, "any.graphql").file == "any.graphql"


TEXTS = [CREDIT, *(file.read_text(encoding="utf-8") for file in sorted((ROOT / "systems").glob("*/*.graphql")))]


@given(st.sampled_from(TEXTS), st.data())
def test_no_gap_makes_reading_or_composing_fail(text: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(text) - 1))
    gap = data.draw(st.sampled_from(["", "x", '"', "{", " String "]))
    text = text[:at] + gap + text[at + data.draw(st.integers(1, 6)) :]
    made = compose(canonical(), [parse_manifest(text, "gap.graphql")], kinds=set(KINDS))

    assert all(found.line <= text.count("\n") + 1 for found in made.faults)
    assert all(found.line > 0 or found.severity == "notice" for found in made.faults)


# ---- the language in strings


@pytest.mark.parametrize("path", ["$", "a", "a.b", "list[0].code", "a[0][1]", "$.x", "[2].y", "企业 名称"])
def test_paths(path: str) -> None:
    assert read_path(path) == path
    steps(path)  # the connectors read it too


@pytest.mark.parametrize(("path", "offset"), [("", 0), ("a..b", 2), ("a.", 2), ("a[x]", 1), ("a[0", 1), (".a", 0), ("a]", 1), ("a[0]b", 4)])
def test_a_wrong_path_is_told_at_its_character(path: str, offset: int) -> None:
    with pytest.raises(ExpressionError) as caught:
        read_path(path)
    assert caught.value.offset == offset


def test_objects_of_paths() -> None:
    assert read_expression("{score: pf, grade: x.y[0]}") == {"score": Part("pf", 8), "grade": Part("x.y[0]", 19)}
    assert read_expression(" a.b ") == Part("a.b", 1)


@pytest.mark.parametrize(
    ("text", "offset"), [("{", 1), ("{}", 1), ("{a}", 2), ("{a: }", 4), ("{a: b", 5), ("{a: b} c", 7), ("{a: b, a: c}", 7), ("a b", 2)]
)
def test_a_wrong_object_is_told_at_its_character(text: str, offset: int) -> None:
    with pytest.raises(ExpressionError) as caught:
        read_expression(text)
    assert caught.value.offset == offset


def test_comparisons() -> None:
    assert read_comparison("$.code == '40401'") == Comparison("$.code", "==", "40401")
    assert read_comparison("a.b != 1.5") == Comparison("a.b", "!=", 1.5)
    assert read_comparison('ok in [true, null, "x"]') == Comparison("ok", "in", (True, None, "x"))


@pytest.mark.parametrize(("text", "offset"), [("a", 1), ("a = 1", 2), ("a == b", 5), ("a in 1", 5), ("a in [1", 7), ("a == 1 2", 7)])
def test_a_wrong_comparison_is_told_at_its_character(text: str, offset: int) -> None:
    with pytest.raises(ExpressionError) as caught:
        read_comparison(text)
    assert caught.value.offset == offset


def test_templates_joins_and_times() -> None:
    assert [part.path for part in read_template("/a/{uscc}?k={keys}")] == ["uscc", "keys"]
    assert [(left.path, right.path) for left, right in read_join("A = b and C = d")] == [("A", "b"), ("C", "d")]
    assert [read_duration(text) for text in ("500ms", "2s", "10m", "1h")] == [0.5, 2.0, 600.0, 3600.0]
    assert (read_rate("300/s"), read_rate("600/m")) == (300.0, 10.0)


@pytest.mark.parametrize("text", ["/{", "/a}", "/{a b}", "/{}"])
def test_wrong_templates(text: str) -> None:
    with pytest.raises(ExpressionError):
        read_template(text)


NAMES = st.text("abcxyz数据", min_size=1, max_size=4)
PATHS = st.lists(NAMES | st.integers(0, 3), min_size=1, max_size=4).map(
    lambda way: "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in way).removeprefix(".")
)


@given(PATHS, PATHS)
def test_a_path_within_a_path_leads_where_both_lead_one_after_the_other(outer: str, inner: str) -> None:
    assert steps(join_paths(outer, inner)) == (*steps(outer), *steps(inner))
    value: object = "found"
    for step in reversed(steps(join_paths(outer, inner))):
        value = {step: value} if isinstance(step, str) else [*[None] * step, value]
    assert reader(inner)(reader(outer)(value)) == "found"


def test_the_same_text_is_the_same_manifest_and_what_a_file_said_before_is_let_go() -> None:
    first = parse_manifest(CREDIT, "credit.graphql")

    assert parse_manifest(CREDIT, "credit.graphql") is first
    assert parse_manifest(CREDIT, "elsewhere.graphql") is not first
    assert parse_manifest(f"{CREDIT}# a remark", "credit.graphql") is not first
    assert parse_manifest(CREDIT, "credit.graphql") is not first
