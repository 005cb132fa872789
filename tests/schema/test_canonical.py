"""The canonical schema walked through: words, grades, keys, pages; what composition relies on; the hub about itself."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    ObjectTypeDefinitionNode,
    extend_schema,
    get_named_type,
    graphql,
    is_enum_type,
    is_leaf_type,
    is_non_null_type,
    is_required_argument,
    parse,
    validate_schema,
)

from schema.canonical import (
    aggregates,
    canonical,
    connections,
    core,
    definition_of,
    filters,
    grades,
    orders,
    planned_roots,
    root_lookups,
    sdl,
)
from schema.control import Change, Condition, Failure, Health
from schema.coordinates import Coordinates, Grade
from schema.types import KEYS
from schema.types.enums import EntityType
from schema.types.planned import PlannedField, meanings, planned

SYSTEMS = Path(__file__).resolve().parents[2] / "systems"
MANIFESTS = sorted(path for path in SYSTEMS.rglob("*.graphql") if path.parent != SYSTEMS)
CONTRIBUTED = """
extend type Enterprise { creditRepairUrl: String }
extend type Query { platform(platformId: ID!): Platform }
type Platform { platformId: ID! operator: Enterprise }
"""


def own_types(schema: GraphQLSchema) -> list[GraphQLNamedType]:
    return [
        named
        for name, named in schema.type_map.items()
        if not name.startswith("__") and name not in ("String", "Int", "Float", "Boolean", "ID")
    ]


def described(schema: GraphQLSchema) -> Iterator[tuple[str, str | None]]:
    """Everything that has a description: types, fields, arguments, enum values, input fields."""
    for named in own_types(schema):
        yield named.name, named.description
        if isinstance(named, GraphQLObjectType | GraphQLInterfaceType):
            for name, field in named.fields.items():
                yield f"{named.name}.{name}", field.description
                for argument, found in field.args.items():
                    yield f"{named.name}.{name}({argument}:)", found.description
        elif isinstance(named, GraphQLInputObjectType):
            for name, entry in named.fields.items():
                yield f"{named.name}.{name}", entry.description
        elif isinstance(named, GraphQLEnumType):
            for name, value in named.values.items():
                yield f"{named.name}.{name}", value.description


def objects(schema: GraphQLSchema) -> dict[str, GraphQLObjectType]:
    return {named.name: named for named in own_types(schema) if isinstance(named, GraphQLObjectType)}


def unbilingual(description: str | None) -> bool:
    lines = (description or "").split("\n")
    return not (len(lines) == 2 and re.search(r"[\u4e00-\u9fff]", lines[0]) and re.fullmatch(r"[\x20-\x7e]+", lines[1]))


def test_everything_is_described_in_chinese_and_then_english() -> None:
    found = dict(described(core(canonical())))
    assert len(found) > 250
    assert [name for name, description in found.items() if unbilingual(description)] == []


def test_a_description_in_one_language_would_be_seen() -> None:
    assert unbilingual("Name")
    assert unbilingual("名称")
    assert unbilingual("Name\n名称")
    assert not unbilingual("名称\nName")


def test_every_field_has_a_row_and_above_l1_is_nullable() -> None:
    schema = core(canonical())
    rows = Coordinates(grades(canonical()))
    assert set(rows) == {f"{name}.{field}" for name, found in objects(schema).items() for field in found.fields}
    assert [row.name for row in rows.values() if row.grade > Grade.L1 and not row.nullable] == []
    assert {row.owner for row in rows.values()} == {"canonical"}
    for row in rows.values():
        field = objects(schema)[row.type].fields[row.field]
        assert row.nullable is not is_non_null_type(field.type)
        assert row.description == field.description


def test_the_grades_above_l1() -> None:
    above = {row.name: row.grade.name for row in grades(canonical()) if row.grade > Grade.L1}
    assert above == {
        "Enterprise.address": "L2",
        "Enterprise.legalRepName": "L3",
        "CreditScore.score": "L2",
        "EnforcementCase.partyName": "L2",
        "EnforcementCase.violation": "L2",
        "EnforcementCase.link": "L2",
        "EnforcementCase.filedOn": "L2",
        "CheckResult.officers": "L3",
    }


def test_keys_are_non_null_fields_and_all_else_of_an_entity_may_be_null() -> None:
    found = objects(core(canonical()))
    for name, keys in KEYS.items():
        key_fields = {field for key in keys for field in key}
        assert {field for field, entry in found[name].fields.items() if is_non_null_type(entry.type)} == key_fields


def test_lists_of_entities_are_connections() -> None:
    schema = core(canonical())
    pages = connections(canonical())
    assert pages == {f"{node}Connection": node for node in ("Enterprise", "Licence", "EnforcementCase", "CheckResult", "PermitItem")}
    for name, node in pages.items():
        shape = {field: str(entry.type) for field, entry in objects(schema)[name].fields.items()}
        assert shape == {"edges": f"[{node}Edge!]!", "nodes": f"[{node}!]!", "pageInfo": "PageInfo!", "totalCount": "Int"}
        edge = {field: str(entry.type) for field, entry in objects(schema)[f"{node}Edge"].fields.items()}
        assert edge == {"cursor": "String!", "node": f"{node}!"}
    for found in objects(schema).values():
        for name, field in found.fields.items():
            if get_named_type(field.type).name in pages:
                assert not is_non_null_type(field.type), f"{found.name}.{name}"
                assert (str(field.args["first"].type), field.args["first"].default_value) == ("Int", 50)
                assert (str(field.args["after"].type), is_required_argument(field.args["after"])) == ("String", False)


def test_the_roots() -> None:
    query = objects(core(canonical()))["Query"]
    roots = {
        name: (str(field.type), {argument: str(found.type) for argument, found in field.args.items()})
        for name, field in query.fields.items()
    }
    paging = {"first": "Int", "after": "String"}

    def narrowed(node: str) -> dict[str, str]:
        return {"filter": f"{node}Filter", "orderBy": f"[{node}Order!]", **paging}

    assert roots == {
        "enterprise": ("Enterprise", {"uscc": "USCC!"}),
        "enterprises": ("EnterpriseConnection", narrowed("Enterprise")),
        "enterpriseAggregates": ("[EnterpriseAggregate!]", {"filter": "EnterpriseFilter", "groupBy": "[EnterpriseGroup!]"}),
        "licence": ("Licence", {"licenceId": "LicenceID!"}),
        "enforcementCase": ("EnforcementCase", {"caseNo": "ID!"}),
        "enforcementCases": ("EnforcementCaseConnection", narrowed("EnforcementCase")),
        "enforcementCaseAggregates": (
            "[EnforcementCaseAggregate!]",
            {"filter": "EnforcementCaseFilter", "groupBy": "[EnforcementCaseGroup!]"},
        ),
        "permitItemAggregates": ("[PermitItemAggregate!]", {"filter": "PermitItemFilter", "groupBy": "[PermitItemGroup!]"}),
        "permitItem": ("PermitItem", {"itemCode": "ItemCode!"}),
        "permitItems": ("PermitItemConnection", narrowed("PermitItem")),
        "hub": ("Hub!", {}),
    }
    assert planned_roots(canonical()) == {f"Query.{name}" for name in roots if name != "hub"}
    assert {name: (root.type, dict(root.arguments)) for name, root in root_lookups(canonical()).items()} == {
        "Query.enterprise": ("Enterprise", {"uscc": "uscc"}),
        "Query.licence": ("Licence", {"licenceId": "licenceId"}),
        "Query.enforcementCase": ("EnforcementCase", {"caseNo": "caseNo"}),
        "Query.permitItem": ("PermitItem", {"itemCode": "itemCode"}),
    }


def bound(path: Path) -> dict[str, dict[str, set[str]]]:
    """The canonical types that a manifest binds: type -> field -> the names of its directives."""
    known = objects(core(canonical())).keys() - {"Query"}
    return {
        node.name.value: {field.name.value: {word.name.value for word in field.directives or ()} for field in node.fields or ()}
        for node in parse(path.read_text(encoding="utf-8")).definitions
        if isinstance(node, ObjectTypeDefinitionNode) and node.name.value in known
    }


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: path.stem)
def test_manifests_bind_only_canonical_fields(path: Path) -> None:
    found = objects(core(canonical()))
    assert [f"{name}.{field}" for name, fields in bound(path).items() for field in fields if field not in found[name].fields] == []


def test_every_canonical_field_is_bound_by_a_manifest() -> None:
    served = {f"{name}.{field}" for path in MANIFESTS for name, fields in bound(path).items() for field in fields}
    assert {
        f"{name}.{field}" for name in (*KEYS, "CreditScore", "Subscription") for field in objects(core(canonical()))[name].fields
    } == served


def leaf(node: str, path: str) -> Any:
    """The named type at the end of a path from an entity."""
    for name in path.split("."):
        node = get_named_type(objects(core(canonical()))[node].fields[name].type).name
    return core(canonical()).type_map[node]


def test_what_anchors_can_filter_by_is_in_the_filters() -> None:
    for path in MANIFESTS:
        for name, fields in bound(path).items():
            declared = {field for field, words in fields.items() if "filter" in words}
            assert declared <= {*filters(canonical()).get(f"{name}Filter", {}).values()}, path.stem


def test_a_condition_takes_the_values_of_its_field() -> None:
    schema = core(canonical())
    for filter_type, fields in filters(canonical()).items():
        narrowing = schema.type_map[filter_type]
        assert isinstance(narrowing, GraphQLInputObjectType)
        for name, path in fields.items():
            kind = leaf(filter_type.removesuffix("Filter"), path)
            value = kind.name
            condition = get_named_type(narrowing.fields[name].type)
            assert isinstance(condition, GraphQLInputObjectType)
            assert condition.name == f"{value}Condition"
            expected = {"eq": value, "in": f"[{value}!]", "isNull": "Boolean"}
            if value in ("Int", "Decimal", "Date", "DateTime"):
                expected |= dict.fromkeys(("lt", "le", "gt", "ge"), value)
            elif not is_enum_type(kind) and value != "Boolean":
                expected |= {"prefix": "String"}
            assert {key: str(entry.type) for key, entry in condition.fields.items()} == expected


def test_every_list_of_an_entity_can_be_narrowed_and_ordered_by_its_fields() -> None:
    pages = connections(canonical())
    for name, found in objects(core(canonical())).items():
        for field in found.fields.values():
            node = pages.get(get_named_type(field.type).name)
            if node is not None:
                given = {argument: str(entry.type) for argument, entry in field.args.items()}
                assert (given["filter"], given["orderBy"]) == (f"{node}Filter", f"[{node}Order!]"), name
    for order_type, values in orders(canonical()).items():
        for path in values.values():
            assert is_leaf_type(leaf(order_type.removesuffix("Order"), path)), path


def test_figures_are_of_fields_that_have_their_type() -> None:
    for name, of in aggregates(canonical()).items():
        for value, path in of.groups.items():
            assert path in of.figures["group"].values(), value
        for kind, paths in of.figures.items():
            inner = get_named_type(objects(core(canonical()))[name].fields[kind].type).name
            for field, path in paths.items():
                assert get_named_type(objects(core(canonical()))[inner].fields[field].type) is leaf(of.node, path)


def test_a_planned_field_takes_nothing_that_would_never_run() -> None:
    fields = [definition_of(field) for type_ in core(canonical()).type_map.values() for field in getattr(type_, "fields", {}).values()]
    found = [each for each in fields if isinstance(each, PlannedField)]
    assert len(found) > 50
    assert [each for each in found if each.base_resolver or each.permission_classes or each.extensions] == []
    with pytest.raises(TypeError, match="never run"):
        planned("名称", "Name")(lambda root: "")


async def test_a_planned_field_resolved_without_the_engine_says_so() -> None:
    result = await canonical().execute('{ enterprise(uscc: "91330106MA2AXK0T11") { name } permitItems { totalCount } }')
    assert result.data == {"enterprise": None, "permitItems": None}
    assert [str(error.message) for error in result.errors or ()] == [
        "Query.enterprise is answered by the engine, but was resolved without it",
        "Query.permitItems is answered by the engine, but was resolved without it",
    ]


# --- what composition relies on


def test_an_extended_schema_keeps_what_is_said_of_each_field() -> None:
    extended = extend_schema(core(canonical()), parse(CONTRIBUTED))
    assert validate_schema(extended) == []
    assert {row.name: row for row in grades(extended)} == {row.name: row for row in grades(canonical())}
    assert definition_of(objects(extended)["Enterprise"].fields["creditRepairUrl"]) is None
    assert planned_roots(extended) == {*planned_roots(canonical()), "Query.platform"}
    assert root_lookups(extended) == root_lookups(canonical())
    assert connections(extended) == connections(canonical())
    assert filters(extended) == filters(canonical())


def test_the_canonical_schema_is_not_touched_by_extending_it() -> None:
    before = sdl()
    extend_schema(core(canonical()), parse(CONTRIBUTED))
    assert sdl() == before
    assert canonical() is canonical()


def test_members_and_names_of_enums_are_interchangeable_before_and_after() -> None:
    for schema in (core(canonical()), extend_schema(core(canonical()), parse(CONTRIBUTED))):
        for named in own_types(schema):
            if isinstance(named, GraphQLEnumType):
                assert [value.value for value in named.values.values()] == list(named.values)
        kinds = schema.type_map["EntityType"]
        assert isinstance(kinds, GraphQLEnumType)
        assert kinds.coerce_output_value(EntityType.COMPANY) == kinds.coerce_output_value("COMPANY") == "COMPANY"
        assert kinds.coerce_input_value("COMPANY") == "COMPANY"


async def test_an_extended_schema_checks_identifiers_and_knows_those_that_no_field_uses_yet() -> None:
    extended = extend_schema(core(canonical()), parse("extend type Query { person(residentId: ResidentID!): Enterprise }"))
    result = await graphql(extended, '{ person(residentId: "33010619990229001X") { name } }')
    assert result.errors is not None
    assert (result.errors[0].extensions or {})["position"] == 13


def test_an_execution_context_class_has_its_own_schema() -> None:
    class Executing(canonical().execution_context_class):  # type: ignore[misc]
        pass

    other = canonical(Executing)
    assert other is canonical(Executing)
    assert other is not canonical()
    assert other.execution_context_class is Executing
    assert sdl(other) == sdl()


def test_an_enum_whose_meanings_are_incomplete_does_not_start() -> None:
    with pytest.raises(TypeError, match="SELF_EMPLOYED"):
        meanings(COMPANY=("企业", "Company"), COOPERATIVE=("合作社", "Cooperative"))(EntityType)


# --- the hub about itself


@dataclass(frozen=True)
class Person:
    id: str = ""
    audience: str = "anonymous"
    scopes: frozenset[str] = frozenset()
    ceiling: Grade = Grade.L1


WELL = Condition()


@dataclass(frozen=True)
class Known:
    name: str
    title: str
    owner: str
    kind: str
    health: Health
    condition: Condition = WELL


@dataclass(frozen=True)
class Departments:
    known: tuple[Known, ...]

    def systems(self) -> Sequence[Known]:
        return self.known


@dataclass(frozen=True)
class Context:
    principal: Person
    directory: Departments


AT = datetime(2026, 3, 31, 9, 30, tzinfo=timezone(timedelta(hours=8)))
TROUBLE = Condition(AT, "SYSTEM_SLOW", Failure(AT, "SYSTEM_SLOW", "FR_JBXX"), None, "OPEN", (Change(AT, "DOWN", "SYSTEM_SLOW"),))
DEPARTMENTS = Departments(
    (
        Known("credit531x", "公共信用信息平台", "省发展改革委", "rest", "OK"),
        Known("legalEntityRegister", "法人库", "省市场监督管理局", "sql", "DOWN", TROUBLE),
    )
)
OPERATOR = Person("ops", "operator", frozenset({"b:read", "a:read"}), Grade.L3)
ASK = "{ hub { me { client audience scopes grade } systems { name title owner kind health } } }"


async def ask(context: object, text: str = ASK) -> dict[str, Any]:
    result = await canonical().execute(text, context_value=context)
    assert result.errors is None
    assert result.data is not None
    hub: dict[str, Any] = result.data["hub"]
    return hub


async def test_an_anonymous_caller_sees_which_systems_there_are_and_no_more() -> None:
    hub = await ask(Context(Person(), DEPARTMENTS))
    assert hub["me"] == {"client": None, "audience": "ANONYMOUS", "scopes": [], "grade": "L1"}
    assert hub["systems"] == [
        {"name": "credit531x", "title": "公共信用信息平台", "owner": "省发展改革委", "kind": None, "health": None},
        {"name": "legalEntityRegister", "title": "法人库", "owner": "省市场监督管理局", "kind": None, "health": None},
    ]


async def test_an_operator_sees_kind_and_health() -> None:
    hub = await ask({"principal": OPERATOR, "directory": DEPARTMENTS})  # a mapping will do
    assert hub["me"] == {"client": "ops", "audience": "OPERATOR", "scopes": ["a:read", "b:read"], "grade": "L3"}
    assert [(system["kind"], system["health"]) for system in hub["systems"]] == [("rest", "OK"), ("sql", "DOWN")]


SAID = "healthSince healthReason breaker lastSuccess lastFailure { at code relation } healthHistory { at health reason }"
WHY = f"{{ hub {{ systems {{ {SAID} }} }} }}"


async def test_an_operator_sees_why_and_since_when() -> None:
    hub = await ask(Context(OPERATOR, DEPARTMENTS), WHY)
    at = "2026-03-31T09:30:00+08:00"
    assert hub["systems"][1] == {
        "healthSince": at,
        "healthReason": "SYSTEM_SLOW",
        "breaker": "OPEN",
        "lastSuccess": None,
        "lastFailure": {"at": at, "code": "SYSTEM_SLOW", "relation": "FR_JBXX"},
        "healthHistory": [{"at": at, "health": "DOWN", "reason": "SYSTEM_SLOW"}],
    }
    assert (hub["systems"][0]["healthReason"], hub["systems"][0]["healthHistory"]) == (None, [])


@pytest.mark.parametrize("audience", ["anonymous", "app", "partner"])
async def test_nobody_else_does(audience: str) -> None:
    somebody = Context(Person("someone", audience, ceiling=Grade.L4), DEPARTMENTS)
    hub = await ask(somebody)
    assert {(system["kind"], system["health"]) for system in hub["systems"]} == {(None, None)}
    assert {value for system in (await ask(somebody, WHY))["systems"] for value in system.values()} == {None}


async def test_it_answers_from_an_extended_schema_put_in_its_place() -> None:
    extended = extend_schema(core(canonical()), parse(CONTRIBUTED))
    composed = copy.copy(canonical())
    composed._schema = extended
    extended._strawberry_schema = composed  # type: ignore[attr-defined]
    result = await composed.execute(ASK, context_value=Context(OPERATOR, DEPARTMENTS))
    assert result.errors is None
    assert result.data is not None
    assert result.data["hub"] == await ask(Context(OPERATOR, DEPARTMENTS))


@pytest.mark.parametrize(("context", "missing"), [(None, "principal"), ({"principal": OPERATOR}, "directory")])
async def test_a_program_that_says_not_who_is_asking_is_told(context: object, missing: str) -> None:
    result = await canonical().execute(ASK, context_value=context)
    assert missing in str(result.errors)
