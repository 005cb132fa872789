"""From manifests to schema and registry: every way to serve a field, and what composition promises about order and strictness."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import pytest
from graphql import is_object_type, print_schema

from connectors.kinds import KINDS
from connectors.spi import Field, Options
from schema.canonical import canonical as whole
from schema.compose import Composition, compose, load_systems, parse_manifest
from schema.coordinates import Grade
from schema.entries import Manifest
from schema.registry import Authority, Binding, Coverage, Existence, Limits, Require, Resolve, Role, RootLookup, Served
from tests.schema.small import BY_USCC, SHOP, clean, codes, composed, manifest

SYSTEMS = Path(__file__).parents[2] / "systems"
SQL = '@sql(url: "${URL}")'
GRAPHQL = '@graphql(url: "${URL}")'
MEMORY = '@python(connector: "memory", options: {rows: 3})'


def demo() -> Composition:
    return compose(whole(), load_systems(SYSTEMS), kinds=set(KINDS))


def column(binding: Binding, name: str) -> Field:
    return binding.relation.field(name)


# ---- the demo's systems


def test_the_demo_composes_without_a_fault() -> None:
    made = demo()

    assert made.faults == ()
    assert {name: system.kind for name, system in made.registry.systems.items()} == {
        "adminPermitCatalogue": "sql",
        "credit531x": "rest",
        "dischargePermits": "stream",
        "eLicenceLibrary": "rest",
        "fairOnline": "graphql",
        "internetPlusSupervision": "rest",
        "legalEntityRegister": "sql",
        "marketEnforcementCore": "sql",
        "registrationGazette": "rest",
        "serviceIssueList": "files",
        "socialFundWithholding": "soap",
        "takeawayOnline": "grpc",
    }


def test_the_demo_is_bound_as_its_manifests_say() -> None:
    registry = demo().registry

    def shown(table: dict[str, tuple[Binding, ...]]) -> dict[str, list[tuple[str, tuple[str, ...], int]]]:
        return {place: [(each.id, each.key, each.relation.max_keys) for each in found] for place, found in table.items()}

    assert shown(dict(registry.lookups)) == {
        "EnforcementCase": [("marketEnforcementCore.AJ_JBXX", ("caseNo",), 500)],
        "Enterprise": [
            ("credit531x.byUscc", ("uscc",), 100),
            ("dischargePermits.pwxk.bg.*", ("uscc",), 500),
            ("legalEntityRegister.T_FRXX", ("uscc",), 500),
            ("socialFundWithholding.byUscc", ("uscc",), 50),
            ("credit531x.byUscc.replica0", ("uscc",), 100),
        ],
        "Licence": [("eLicenceLibrary.byId", ("licenceId",), 50)],
        "OnlineOperator": [("fairOnline.operator", ("operatorId",), 100)],
        "PermitItem": [("adminPermitCatalogue.XK_SX", ("itemCode",), 500)],
        "Platform": [("fairOnline.platform", ("platformId",), 100)],
        "ServiceIssue": [("serviceIssueList.wtqd-*.csv", ("issueNo",), 500)],
    }
    assert shown(dict(registry.links)) == {
        "Enterprise.checkResults": [("internetPlusSupervision.Enterprise.checkResults", ("uscc",), 1)],
        "Enterprise.enforcementCases": [("marketEnforcementCore.Enterprise.enforcementCases", ("uscc",), 500)],
        "Enterprise.licences": [("eLicenceLibrary.Enterprise.licences", ("uscc",), 50)],
        "Enterprise.onlineOperators": [("fairOnline.Enterprise.onlineOperators", ("uscc",), 100)],
        "Enterprise.takeawayMerchants": [("takeawayOnline.Enterprise.takeawayMerchants", ("uscc",), 100)],
        "PermitItem.serviceIssues": [("serviceIssueList.PermitItem.serviceIssues", ("itemCode",), 500)],
    }
    assert {place: [each.system for each in found] for place, found in registry.scans.items()} == {
        "EnforcementCase": ["marketEnforcementCore"],
        "Enterprise": ["legalEntityRegister", "dischargePermits"],
        "PermitItem": ["adminPermitCatalogue"],
        "ServiceIssue": ["serviceIssueList"],
    }
    assert registry.roots["Query.platform"] == RootLookup("Query.platform", "Platform", {"platformId": "platformId"})
    assert registry.roots["Query.enterprise"].arguments == {"uscc": "uscc"}
    assert registry.keys["Enterprise"] == (("uscc",),)
    anchor = registry.anchor("Enterprise")
    assert anchor is not None
    assert anchor.system == "legalEntityRegister"
    assert [each.id for each in registry.providers("Enterprise", "creditScore")] == ["credit531x.byUscc"]
    assert [each.id for each in registry.providers("Enterprise", "name")] == ["legalEntityRegister.T_FRXX", "credit531x.byUscc.replica0"]
    assert registry.policies == {"Enterprise.name": Resolve.FALLBACK_ON_ERROR}


def test_the_demo_contributes_to_the_schema() -> None:
    made = demo()

    enterprise, platform = made.schema.get_type("Enterprise"), made.schema.get_type("Platform")
    assert is_object_type(enterprise)
    assert is_object_type(platform)
    assert str(enterprise.fields["onlineOperators"].type) == "[OnlineOperator!]"
    assert enterprise.fields["onlineOperators"].description == "网络经营者\nOnline shops of the enterprise"
    assert str(platform.fields["operator"].type) == "Enterprise"
    row = made.registry.coordinates["OnlineOperator.findings"]
    assert (row.grade, row.owner, row.nullable) == (Grade.L2, "fairOnline", True)
    assert made.registry.coordinates["Enterprise.uscc"].owner == "canonical"
    assert {each.name for each in made.schema.directives} == {each.name for each in whole()._schema.directives} | {"defer", "stream"}
    fields = {
        f"{type_.name}.{name}"
        for type_ in made.schema.type_map.values()
        if is_object_type(type_) and not type_.name.startswith("__")
        for name in type_.fields
    }
    assert set(made.registry.coordinates) == fields


def test_a_system_carries_what_its_connector_and_the_engine_need() -> None:
    system = demo().registry.systems["credit531x"]

    assert system.limits == Limits(timeout=2.0, concurrency=16, retries=1)
    assert system.options == Options(
        {
            "base": "${CREDIT531X_URL}",
            "auth": {"kind": "API_KEY", "header": "X-App-Key", "secret": "credit531x.key"},
            "errors": [{"when": "$.code == '40401'", "code": "NOT_FOUND"}],
        }
    )
    assert (system.contact, system.credential) == ("credit@fgw.example", "hub")


# ---- promises


@pytest.mark.parametrize("seed", range(5))
def test_the_order_of_manifests_does_not_matter(seed: int) -> None:
    manifests = load_systems(SYSTEMS)
    random.Random(seed).shuffle(manifests)
    made, usual = compose(whole(), manifests, kinds=set(KINDS)), demo()

    assert made.registry == usual.registry
    assert list(made.registry.lookups) == list(usual.registry.lookups)
    assert print_schema(made.schema) == print_schema(usual.schema)


@pytest.mark.parametrize("seed", range(3))
def test_the_order_of_bad_manifests_does_not_matter_either(seed: int) -> None:
    one = manifest("one", 'extend type Shop { "甲\\nA" extra: String @grade(level: L1) }\n' + SHOP + "{ uscc: USCC! name: Int }")
    two = manifest("two", 'extend type Shop { "乙\\nB" extra: Int @grade(level: L1) }\n' + SHOP + "{ uscc: USCC! nmae: String }")
    three = manifest("one", SHOP + "{ uscc: USCC! }")
    three = replace(three, file="other.graphql")
    manifests = [one, two, three]
    random.Random(seed).shuffle(manifests)

    assert composed(*manifests).faults == composed(one, two, three).faults
    assert {"CONTRIBUTED_TWICE", "TYPE_MISMATCH", "UNKNOWN_FIELD", "SYSTEM_TWICE"} <= set(codes(composed(*manifests)))


def test_the_epoch_changes_with_what_queries_depend_on_and_with_nothing_else() -> None:
    text = BY_USCC + SHOP + "{ uscc: USCC! name: String }"
    usual = clean(manifest("a", text)).registry.epoch

    assert clean(manifest("a", text + "\n# a remark")).registry.epoch == usual
    assert clean(replace(manifest("a", text), file="moved.graphql")).registry.epoch == usual
    for other in (
        text.replace("max", "max").replace('match: "code"', 'match: "kode"'),
        text.replace("name: String", 'name: String @from(path: "mc")'),
        text.replace("name: String", "name: String @grade(level: L2)"),
    ):
        assert clean(manifest("a", other)).registry.epoch != usual
    assert clean(manifest("b", text)).registry.epoch != usual


def test_a_new_manifest_without_public_sdl_leaves_the_schema_as_it_is() -> None:
    one = manifest("a", BY_USCC + SHOP + "{ uscc: USCC! name: String }")
    schema = clean(one).schema
    assert schema is clean(manifest("a", BY_USCC + SHOP + '{ uscc: USCC! name: String @from(path: "mc") }')).schema
    assert schema is clean(one, manifest("b", BY_USCC + SHOP + "{ uscc: USCC! name: String }")).schema


def test_what_nobody_serves_is_not_in_the_schema() -> None:
    made = clean(manifest("a", BY_USCC + SHOP + "{ uscc: USCC! name: String }"))
    shop = made.schema.type_map["Shop"]

    assert is_object_type(shop)
    assert shop.fields.keys() == {"uscc", "name"}
    assert "Permit" not in made.schema.type_map, "what loses its last field goes as well"
    assert {"Shop", "Permit"} <= made.whole.type_map.keys()
    again = clean(manifest("a", BY_USCC + SHOP + "{ uscc: USCC! name: String state: State }")).schema.type_map["Shop"]
    assert is_object_type(again)
    assert again.fields.keys() == {"uscc", "name", "state"}


def test_what_nobody_serves_stays_where_a_call_requires_it() -> None:
    asks = (
        'extend type Shop { "等级\\nRank" rank(of: Decimal @require(field: "capital")): Int @grade(level: L1)\n'
        '  @get(path: "/r?u={uscc}&c={of}") }'
    )
    shop = clean(manifest("a", BY_USCC + SHOP + "{ uscc: USCC! name: String }\n" + asks)).schema.type_map["Shop"]
    assert is_object_type(shop)
    assert "capital" in shop.fields


def test_no_manifest_is_a_composition_too() -> None:
    made = composed()
    assert made.ok
    assert made.registry.lookups == {}
    assert "NOT_SERVED" in {found.code for found in made.faults}


# ---- lookups


def test_a_lookup_by_batch() -> None:
    made = clean(
        manifest("a", BY_USCC + SHOP + '@entity(existence: ANCHOR, coverage: COMPLETE) { uscc: USCC! name: String @from(path: "n.full") }')
    )
    (binding,) = made.registry.lookups["Shop"]

    assert (binding.role, binding.key, binding.relation.keys, binding.relation.max_keys) == (Role.LOOKUP, ("uscc",), ("uscc",), 100)
    assert (binding.existence, binding.coverage, binding.anchors) == (Existence.ANCHOR, Coverage.COMPLETE, True)
    assert column(binding, "uscc").path == "code"  # batch.match
    assert not column(binding, "uscc").nullable
    assert column(binding, "name").path == "n.full"
    assert binding.fields == {"uscc": Served("uscc", "uscc"), "name": Served("name", "name")}
    assert binding.relation.native["batch"] == Options({"by": "uscc", "match": "code", "max": 100})


def test_a_lookup_asked_singly_need_not_repeat_its_key() -> None:
    body = 'type Query { one(code: USCC! @is(field: "uscc")): Shop @lookup @get(path: "/shops/{code}", at: "data") }\n'
    (binding,) = clean(manifest("a", body + SHOP + "{ uscc: USCC! name: String }")).registry.lookups["Shop"]

    assert binding.relation.max_keys == 1
    assert binding.relation.native["path"] == "/shops/{uscc}"  # the argument's name is the author's, the column's is ours
    assert column(binding, "uscc").path == ""
    (binding,) = clean(manifest("a", body + SHOP + '{ uscc: USCC! @from(path: "id") name: String }')).registry.lookups["Shop"]
    assert column(binding, "uscc").path == "id"
    (binding,) = clean(manifest("a", body + SHOP + "{ name: String }")).registry.lookups["Shop"]
    assert (column(binding, "uscc").path, set(binding.fields)) == ("", {"uscc", "name"})


def test_keys_may_go_into_a_body() -> None:
    body = (
        'type Query { many(uscc: USCC! @is(field: "uscc")): Shop @lookup '
        '@get(path: "/shops", method: POST, body: {ids: "{keys}", deep: {flag: true}}, batch: {by: "uscc", match: "c", max: 9}) }\n'
    )
    (binding,) = clean(manifest("a", body + SHOP + "{ uscc: USCC! name: String }")).registry.lookups["Shop"]

    assert binding.relation.native["body"] == Options({"ids": "{keys}", "deep": {"flag": True}})
    assert binding.relation.native["method"] == "POST"
    assert binding.relation.max_keys == 9


def test_a_key_of_two_fields() -> None:
    body = (
        'type Query { at(state: State! @is(field: "state"), name: String! @is(field: "name")): Shop @lookup '
        '@get(path: "/{state}/{name}") }\n'
        'type Shop @key(fields: "name state") { name: String @from(path: "n") state: State capital: Decimal }\n'
    )
    made = composed(manifest("a", body), manifest("b", BY_USCC + SHOP + "{ uscc: USCC! name: String state: State }"))

    assert codes(made) == []
    binding = next(each for each in made.registry.lookups["Shop"] if each.system == "a")
    assert (binding.key, binding.relation.keys) == (("name", "state"), ("name", "state"))
    assert made.registry.keys["Shop"] == (("name", "state"), ("uscc",))


def test_another_kind_of_system_is_found_by_the_name_of_its_relation() -> None:
    body = 'type Query { shops(uscc: USCC! @is(field: "uscc")): Shop @lookup }\n' + SHOP + "{ uscc: USCC! name: String }"
    made = clean(manifest("a", body, MEMORY))
    (binding,) = made.registry.lookups["Shop"]

    assert (binding.relation.name, binding.relation.native, binding.relation.max_keys) == ("shops", Options(), 1)
    assert made.registry.systems["a"].kind == "memory"
    assert made.registry.systems["a"].options == Options({"rows": 3})
    batch = body.replace("@lookup", '@lookup @field(name: "shops", argument: "keys", batch: {by: "uscc", match: "c", max: 7})')
    (binding,) = clean(manifest("a", batch, MEMORY)).registry.lookups["Shop"]
    assert binding.relation.max_keys == 7


# ---- tables


TABLE = SHOP + '@table(name: "T_SHOP", key: ["DM"], where: "SC = 0") @entity(existence: ANCHOR, coverage: COMPLETE) '


def test_a_table_gives_a_lookup_and_a_list() -> None:
    body = TABLE + (
        "{ uscc: USCC! @filter @sort\n"
        '  name: String @from(path: "MC") @filter(ops: [EQ, PREFIX])\n'
        '  state: State @from(path: "ZT")\n'
        '  checkedAt: DateTime @from(path: "SJ") @sort }\n'
        'enum State { OPEN @from(path: "开业") SHUT @from(path: "歇业") }'
    )
    registry = clean(manifest("a", body, '@sql(url: "${URL}", schema: "CK")')).registry
    (lookup,), (scan,) = registry.lookups["Shop"], registry.scans["Shop"]

    assert lookup.relation is scan.relation
    assert lookup.relation.native == Options({"table": "T_SHOP", "key": ["DM"], "where": "SC = 0"})
    assert (lookup.relation.max_keys, lookup.relation.limit, lookup.relation.total) == (500, True, True)
    assert lookup.relation.where == Options({"uscc": ["EQ", "IN", "GT"], "name": ["EQ", "PREFIX"]})
    assert lookup.relation.order == ("uscc", "checkedAt")
    assert column(lookup, "uscc").path == "DM"  # the table's key, since the field does not say otherwise
    assert column(lookup, "state").values == Options({"开业": "OPEN", "歇业": "SHUT"})
    assert column(lookup, "checkedAt").type == "datetime"
    assert (scan.role, scan.key, scan.field) == (Role.SCAN, (), None)


def test_a_join_brings_rows_of_another_table() -> None:
    body = (
        SHOP + '{ uscc: USCC! permits: [Permit!] @join(on: "CYR = uscc", many: true) main: Permit @join(on: "ZCYR = uscc") }\n'
        'type Permit @key(fields: "permitNo") @table(name: "T_P", key: ["ZH"]) '
        '{ permitNo: ID! title: String @from(path: "MC") shop: Shop @from(expr: "{uscc: CYR}") }'
    )
    registry = clean(manifest("a", body, SQL), manifest("b", BY_USCC + SHOP + "{ uscc: USCC! name: String }")).registry
    (permits,), (main,) = registry.links["Shop.permits"], registry.links["Shop.main"]

    assert (permits.type, permits.many, permits.key, permits.relation.keys) == ("Permit", True, ("uscc",), ("uscc",))
    assert permits.relation.native == Options({"table": "T_P", "key": ["CYR"]})
    assert permits.relation.max_keys == 500
    assert column(permits, "uscc").path == "CYR"
    assert permits.fields["shop"] == Served("shop", type="Shop", parts={"uscc": Served("uscc", "shop.uscc")})
    assert (main.many, main.relation.native["key"]) == (False, ("ZCYR",))


# ---- links


def test_a_link_by_one_key_at_a_time() -> None:
    body = (
        SHOP + '{ uscc: USCC! permits: [Permit!] @get(path: "/p?c={uscc}", at: "rows", page: {style: PAGE, total: "n"}) }\n'
        'type Permit @key(fields: "permitNo") { permitNo: ID! @from(path: "no") title: String }'
    )
    (binding,) = clean(manifest("a", body)).registry.links["Shop.permits"]

    assert (binding.role, binding.key, binding.relation.max_keys, binding.many) == (Role.LINK, ("uscc",), 1, True)
    assert binding.field == "Shop.permits"
    assert column(binding, "uscc").path == ""
    assert binding.relation.native["page"] == Options({"style": "PAGE", "size": 100, "first": 1, "total": "n"})


def test_a_parent_key_does_not_hide_a_field_of_the_same_name() -> None:
    body = (
        'extend type Shop { "分店\\nBranches" branches: [Shop!] @grade(level: L1) @get(path: "/b?of={uscc}") '
        '"总店\\nHead office" head: Shop @grade(level: L1) @get(path: "/h?k={keys}", batch: {by: "uscc", match: "of"}) }\n'
        + SHOP
        + '{ uscc: USCC! @from(path: "code") name: String }'
    )
    links = clean(manifest("a", body)).registry.links
    (branches,), (head,) = links["Shop.branches"], links["Shop.head"]

    assert (branches.key, branches.relation.keys) == (("uscc",), ("shop_uscc",))
    assert branches.relation.native["path"] == "/b?of={shop_uscc}"
    assert (column(branches, "uscc").path, column(branches, "shop_uscc").path) == ("code", "")
    assert head.relation.native["batch"]["by"] == "shop_uscc"
    assert (column(head, "shop_uscc").path, head.many) == ("of", False)


def test_arguments_of_a_field_become_parameters_of_its_relation() -> None:
    body = (
        'extend type Shop { "某年的证\\nPermits of a year" permitsOf(year: Int!): [Permit!] @grade(level: L1) '
        '@get(path: "/p?c={uscc}&y={year}") }\n' + SHOP + "{ uscc: USCC! }\n"
        'type Permit @key(fields: "permitNo") { permitNo: ID! @from(path: "no") }'
    )
    made = clean(manifest("a", body))
    (binding,) = made.registry.links["Shop.permitsOf"]

    assert (binding.args, binding.relation.args) == ({"year": "year"}, ("year",))
    shop = made.schema.get_type("Shop")
    assert is_object_type(shop)
    assert str(shop.fields["permitsOf"].args["year"].type) == "Int!"


# ---- rows


def served(body: str, source: str = '@rest(base: "${URL}")') -> Binding:
    (binding,) = clean(manifest("a", body, source)).registry.lookups["Shop"]
    return binding


def test_an_object_lies_in_the_row_as_its_expression_says() -> None:
    binding = served(
        BY_USCC + SHOP + '{ uscc: USCC! place: Place @from(expr: "{street: jd.mc, opened: qy}") }\n'
        'type Place { street: String opened: Date @from(format: "yyyyMMdd") }'
    )

    parts = {"street": Served("street", "place.street"), "opened": Served("opened", "place.opened")}
    assert binding.fields["place"] == Served("place", type="Place", parts=parts)
    assert column(binding, "place.street").path == "jd.mc"
    assert (column(binding, "place.opened").path, column(binding, "place.opened").format) == ("qy", "yyyyMMdd")


@pytest.mark.parametrize(
    ("place", "path"),
    [("place: Place", "place.jd"), ('place: Place @from(path: "addr[0]")', "addr[0].jd"), ('place: Place @from(path: "$")', "jd")],
)
def test_an_object_lies_where_its_path_leads(place: str, path: str) -> None:
    binding = served(BY_USCC + SHOP + "{ uscc: USCC! " + place + ' }\ntype Place { street: String @from(path: "jd") }')
    assert column(binding, "place.street").path == path


def test_in_a_database_an_object_lies_in_the_row_itself() -> None:
    binding = served(TABLE + '{ uscc: USCC! place: Place }\ntype Place { street: String @from(path: "JD") }', SQL)
    assert column(binding, "place.street").path == "JD"


def test_a_list_of_objects_is_one_column_with_items() -> None:
    body = (
        BY_USCC + SHOP + "{ uscc: USCC! }\n"
        'extend type Shop { "历次地点\\nFormer places" former: [Place!] @from(path: "hist.list") @grade(level: L1) }\n'
        'type Place { street: String @from(path: "jd") opened: Date }'
    )
    binding = served(body)
    made = column(binding, "former")

    assert (made.path, made.type) == ("hist.list", "json")
    assert [(item.name, item.path) for item in made.items] == [("street", "jd"), ("opened", "opened")]
    parts = {"street": Served("street", "street"), "opened": Served("opened", "opened")}
    assert binding.fields["former"] == Served("former", "former", "Place", many=True, parts=parts)


def test_a_list_of_references_may_be_a_list_of_plain_keys() -> None:
    permit = 'p(permitNo: ID! @is(field: "permitNo")): Permit @lookup @get(path: "/p/{permitNo}") }\n'
    body = (
        BY_USCC.removesuffix("}\n") + permit + SHOP + '{ uscc: USCC! permits: [Permit!] @from(path: "nos", expr: "{permitNo: $}") }\n'
        'type Permit @key(fields: "permitNo") { permitNo: ID! title: String }'
    )
    binding = served(body)

    (item,) = column(binding, "permits").items
    assert (item.name, item.path) == ("permitNo", "$")
    assert binding.fields["permits"].parts == {"permitNo": Served("permitNo", "permitNo")}


@pytest.mark.parametrize(
    ("source", "written", "type_"),
    [
        ("rest", "checkedAt: DateTime", "text"),
        ("sql", "checkedAt: DateTime", "datetime"),
        ("sql", 'checkedAt: DateTime @from(format: "yyyyMMddHHmmss")', "text"),
        ("rest", 'checkedAt: DateTime @from(format: "unix_ms")', "int"),
        ("rest", "tags: [String!]", "json"),
        ("sql", 'tags: [String!] @from(format: "csv")', "text"),
        ("sql", "capital: Decimal", "decimal"),
        ("rest", "name: String", "text"),
    ],
)
def test_a_column_says_what_it_is_in_the_source(source: str, written: str, type_: str) -> None:
    if source == "sql":
        binding = served(TABLE + "{ uscc: USCC! " + written + " }", SQL)
    else:
        binding = served(BY_USCC + SHOP + "{ uscc: USCC! " + written + " }")
    assert column(binding, written.partition(":")[0]).type == type_


# ---- interfaces and unions


THINGS = """
"凭据\\nEvidence"
union Evidence = Photo | Note
"照片\\nA photo"
type Photo { "地址\\nAddress" url: String @grade(level: L1) }
"笔记\\nA note"
type Note @from(path: "memo") { "内容\\nText" text: String @from(path: "body.text") @grade(level: L1) }
"""


def test_an_abstract_position_in_a_row_tells_its_type() -> None:
    body = (
        BY_USCC + SHOP + "{ uscc: USCC! }\n" + THINGS + "extend type Shop {"
        ' "最新凭据\\nLatest" latest: Evidence @from(path: "last", typename: "kind") @grade(level: L1)'
        ' "全部凭据\\nAll" all: [Evidence!] @from(path: "ev", typename: "kind") @grade(level: L1) }'
    )
    binding = served(body)
    latest, every = binding.fields["latest"], binding.fields["all"]

    assert (latest.type, latest.typename, latest.column) == ("Evidence", "latest.__typename", None)
    assert column(binding, "latest.__typename").path == "last.kind"
    assert [(each.value, each.type, dict(each.parts)) for each in latest.variants] == [
        ("memo", "Note", {"text": Served("text", "latest.Note.text")}),
        ("Photo", "Photo", {"url": Served("url", "latest.Photo.url")}),
    ]
    assert column(binding, "latest.Note.text").path == "last.body.text"
    assert (every.many, every.column, every.typename) == (True, "all", "__typename")
    assert [(item.name, item.path) for item in column(binding, "all").items] == [
        ("__typename", "kind"),
        ("Note.text", "body.text"),
        ("Photo.url", "url"),
    ]


def test_a_graphql_source_is_asked_for_each_type_by_its_own_name() -> None:
    body = (
        'type Query { s(uscc: USCC! @is(field: "uscc")): Shop @lookup @field(name: "shops", argument: "ids", batch: {by: "uscc"}) }\n'
        + SHOP
        + "{ uscc: USCC! }\n"
        + THINGS
        + 'extend type Shop { "最新凭据\\nLatest" latest: Evidence @grade(level: L1) }'
    )
    binding = served(body, GRAPHQL)

    assert column(binding, "latest.__typename").path == "latest.__typename"
    assert column(binding, "latest.Note.text").path == "latest.... on memo.body.text"
    assert column(binding, "latest.Photo.url").path == "latest.... on Photo.url"


# ---- public roots


def test_contributed_roots() -> None:
    body = (
        'type Query { p(permitNo: ID! @is(field: "permitNo")): Permit @lookup @get(path: "/p/{permitNo}") }\n'
        "extend type Query {\n"
        '  "按号查证\\nA permit by number" permit(no: ID! @is(field: "permitNo")): Permit @grade(level: L2)\n'
        '  "近期的证\\nRecent permits" recent(days: Int): [Permit!] @grade(level: L1)\n'
        '    @get(path: "/recent?d={days}", page: {style: PAGE, total: "n"})\n'
        "}\n"
        'type Permit @key(fields: "permitNo") { permitNo: ID! title: String }'
    )
    made = clean(manifest("a", body))
    (scan,) = made.registry.scans["Query.recent"]

    assert made.registry.roots["Query.permit"] == RootLookup("Query.permit", "Permit", {"no": "permitNo"})
    assert (scan.field, scan.type, scan.args, scan.relation.max_keys) == ("Query.recent", "Permit", {"days": "days"}, 0)
    assert (scan.relation.total, scan.relation.limit) == (True, False)
    assert made.registry.coordinates["Query.permit"].grade is Grade.L2
    assert made.schema.query_type is not None
    assert {"permit", "recent"} <= made.schema.query_type.fields.keys()


def test_a_list_comes_from_the_system_that_has_all_whatever_the_systems_are_called() -> None:
    some = manifest("a", SHOP + '@table(name: "SOME", key: ["DM"]) { uscc: USCC! }', '@sql(url: "${URL}")')
    every = manifest("b", TABLE + "{ uscc: USCC! name: String }", '@sql(url: "${URL}")')
    assert [each.system for each in clean(some, every).registry.scans["Shop"]] == ["b", "a"]


def test_a_private_list_is_a_scan_of_its_type() -> None:
    body = (
        'type Query { all: [Shop!] @get(path: "/all?name={name}", at: "rows") }\n'
        + SHOP
        + '{ uscc: USCC! @from(path: "c") name: String @filter(ops: [EQ]) }'
    )
    (scan,) = clean(manifest("a", body)).registry.scans["Shop"]

    assert (scan.field, scan.relation.args, scan.relation.where) == (None, (), Options({"name": ["EQ"]}))


# ---- who may see what


def test_a_manifest_makes_a_canonical_field_stricter() -> None:
    body = (
        BY_USCC
        + SHOP
        + (
            '@requiresScopes(scopes: [["shops"]]) { uscc: USCC! name: String @grade(level: L2)'
            ' capital: Decimal @requiresScopes(scopes: [["a"], ["b"]]) }'
        )
    )
    rows = clean(manifest("a", body), manifest("b", BY_USCC + SHOP + "{ uscc: USCC! name: String @grade(level: L3) }")).registry.coordinates

    assert rows["Shop.name"].grade is Grade.L3
    assert rows["Shop.name"].scopes == (frozenset({"shops"}),)
    assert rows["Shop.capital"].grade is Grade.L3
    assert set(rows["Shop.capital"].scopes) == {frozenset({"money", "shops", "a"}), frozenset({"money", "shops", "b"})}
    assert rows["Shop.tags"].scopes == ()


def test_what_is_inaccessible_is_bound_but_not_in_the_schema() -> None:
    body = (
        BY_USCC
        + SHOP
        + (
            '{ uscc: USCC! }\nextend type Shop { "内部号\\nInner number" inner: ID @grade(level: L1) @inaccessible\n'
            '"公开\\nOpen" open: String @grade(level: L1)  own: ID @internal @from(path: "x") }'
        )
    )
    made = clean(manifest("a", body))
    shop = made.schema.get_type("Shop")

    assert is_object_type(shop)
    assert "open" in shop.fields
    assert not {"inner", "own"} & shop.fields.keys()
    (binding,) = made.registry.lookups["Shop"]
    assert {"inner", "own", "open"} <= set(binding.fields)
    assert "Shop.own" not in made.registry.coordinates


def test_systems_may_share_what_they_contribute() -> None:
    shared = '{ uscc: USCC! }\nextend type Shop { "等级\\nRank" rank: Int @shareable @grade(level: %s) @requiresScopes(scopes: [["%s"]]) }'
    made = clean(manifest("a", BY_USCC + SHOP + shared % ("L1", "x")), manifest("b", BY_USCC + SHOP + shared % ("L3", "y")))

    row = made.registry.coordinates["Shop.rank"]
    assert (row.grade, row.scopes, row.owner) == (Grade.L3, (frozenset({"x", "y"}),), "a")
    assert [each.system for each in made.registry.providers("Shop", "rank")] == ["a", "b"]
    other = shared.replace("rank: Int", "rank: String")
    assert codes(composed(manifest("a", BY_USCC + SHOP + shared % ("L1", "x")), manifest("b", BY_USCC + SHOP + other % ("L1", "y")))) == [
        "CONTRIBUTED_TWICE"
    ]


def test_what_is_shared_may_fall_back_and_all_say_so() -> None:
    shared = '{ uscc: USCC! }\nextend type Shop { "等级\\nRank" rank: Int @shareable(resolve: %s) @grade(level: L1) }'

    def both(first: str, second: str) -> Composition:
        return composed(manifest("a", BY_USCC + SHOP + shared % first), manifest("b", BY_USCC + SHOP + shared % second))

    assert both("FALLBACK_ON_NULL", "FALLBACK_ON_NULL").registry.policies["Shop.rank"] is Resolve.FALLBACK_ON_NULL
    assert codes(both("FALLBACK_ON_NULL", "FIRST")) == ["CONTRIBUTED_TWICE"]


def test_a_list_may_hold_lists_of_objects() -> None:
    grid = '"格网\\nCells"\ntype Cell { "值\\nValue" value: Int @grade(level: L1) }'
    body = BY_USCC + SHOP + '{ uscc: USCC! }\nextend type Shop { "网\\nGrid" grid: [[Cell!]!] @grade(level: L1) @from(path: "g") }\n' + grid
    (binding,) = clean(manifest("a", body)).registry.providers("Shop", "grid")

    assert (binding.fields["grid"].many, list(binding.fields["grid"].parts)) == (True, ["value"])
    assert [item.path for item in binding.relation.field("grid").items] == ["value"]


def test_a_call_may_bring_rows_of_several_types() -> None:
    types = """
      "动物\\nPet" interface Pet { "名\\nName" name: String @grade(level: L1) }
      "猫\\nCat" type Cat implements Pet @from(path: "c") { "名\\nName" name: String @grade(level: L1) @from(path: "mc") }
      "狗\\nDog" type Dog implements Pet { "名\\nName" name: String @grade(level: L1) }
      extend type Query { "全部\\nAll" pets: [Pet!] @grade(level: L1) @get(path: "/pets") @from(typename: "lx") }
    """
    field = """{ uscc: USCC! }
      extend type Shop { "动物\\nPets" pets: [Pet!] @grade(level: L1) @get(path: "/pets/{uscc}") @from(typename: "lx") }
    """
    made = clean(manifest("a", SHOP + field + types), manifest("b", BY_USCC + SHOP + "{ uscc: USCC! name: String }"))
    (linked,), (listed,) = made.registry.links["Shop.pets"], made.registry.scans["Query.pets"]

    for binding in (linked, listed):
        assert (binding.type, dict(binding.fields), binding.typename) == ("Pet", {}, "__typename")
        assert [(each.value, each.type) for each in binding.variants] == [("c", "Cat"), ("Dog", "Dog")]
        assert binding.relation.field("Cat.name").path == "mc"
        assert binding.relation.field("__typename").path == "lx"


def test_a_join_brings_rows_of_one_type() -> None:
    types = (
        '"甲\\nA" type A { "值\\nX" x: Int @grade(level: L1) }\n'
        '"乙\\nB" type B { "值\\nY" y: Int @grade(level: L1) }\n"两\\nBoth" union Two = A | B\n'
    )
    body = (
        'type Shop @key(fields: "uscc") @table(name: "S", key: ["C"]) { uscc: USCC! @from(path: "C") }\nextend type Shop {'
        '"两\\nTwo" two: [Two!] @grade(level: L1) @join(on: "S_C = uscc", many: true) @from(typename: "lx") }\n'
    )
    assert "NOT_SUPPORTED" in codes(composed(manifest("a", body + types, '@sql(url: "${URL}")')))


# ---- what a call requires


def test_a_call_may_require_other_fields_which_nobody_sees() -> None:
    body = """{ uscc: USCC! }
      extend type Shop {
        "额度\\nCredit line"
        line(year: Int, state: State! @require(field: "state")): Int @grade(level: L1) @from(path: "ed")
          @get(path: "/line?c={keys}&s={state}&y={year}", batch: {by: "uscc", match: "code", max: 9})
      }"""
    made = clean(manifest("a", SHOP + body), manifest("b", BY_USCC + SHOP + "{ uscc: USCC! state: State }"))

    shop = made.schema.get_type("Shop")
    assert is_object_type(shop)
    assert list(shop.fields["line"].args) == ["year"]
    (binding,) = made.registry.providers("Shop", "line")
    assert (binding.key, binding.args, binding.relation.args) == (("uscc",), {"year": "year"}, ("year", "state"))
    assert binding.requires == (Require("state", "state", ("Shop.state",), nullable=False),)
    assert {column.name: column.path for column in binding.relation.fields} == {"line": "ed", "uscc": "code"}
    assert made.registry.requires == {"Shop.line": frozenset({"Shop.state"})}


def test_at_the_root_nothing_can_be_required() -> None:
    body = BY_USCC.replace("USCC! @is", 'USCC! @require(field: "name") @is')
    assert codes(composed(manifest("a", body + SHOP + "{ uscc: USCC! }"))) == ["MISPLACED_WORD"]


def test_a_join_takes_no_values() -> None:
    body = (
        'type Shop @key(fields: "uscc") @table(name: "S", key: ["C"]) { uscc: USCC! @from(path: "C") '
        'main(name: String @require(field: "name")): Permit @join(on: "S_C = uscc", many: false) }\n'
        'type Permit @key(fields: "permitNo") @table(name: "P", key: ["N"]) { permitNo: ID! @from(path: "N") }'
    )
    assert codes(composed(manifest("a", body, '@sql(url: "${URL}")'))) == ["BAD_REQUIRE"]


# ---- rank


def test_the_better_value_is_asked_for_first() -> None:
    def system(name: str, said: str) -> Manifest:
        return manifest(name, BY_USCC + SHOP + said + " { uscc: USCC! name: String }")

    made = clean(
        system("a", "@serves(authority: DERIVED, priority: 99)"),
        system("b", "@serves(authority: REPLICA)"),
        system("c", "@serves(priority: -1)"),
        system("d", ""),
    )
    assert [each.system for each in made.registry.providers("Shop", "name")] == ["d", "c", "b", "a"]


def test_a_field_may_be_worth_less_than_its_type() -> None:
    body = BY_USCC + SHOP + "{ uscc: USCC! name: String state: State @serves(authority: REPLICA, priority: 5) }"
    lookups = clean(manifest("a", body)).registry.lookups["Shop"]

    assert [(each.id, each.authority, each.priority, set(each.fields)) for each in lookups] == [
        ("a.byUscc", Authority.SOURCE, 0, {"uscc", "name"}),
        ("a.byUscc.replica5", Authority.REPLICA, 5, {"uscc", "state"}),
    ]
    assert lookups[0].relation == lookups[1].relation


# ---- what shows only when all systems are seen


def test_a_lookup_by_another_key_is_reached_through_a_system_that_has_it() -> None:
    other = (
        'type Query { byName(name: String! @is(field: "name")): Shop @lookup @get(path: "/n/{name}", single: true) }\n'
        'type Shop @key(fields: "name") { name: String @from(path: "n") tags: [String!] }'
    )
    assert "UNREACHABLE" in codes(composed(manifest("b", other)))
    made = composed(manifest("b", other), manifest("a", BY_USCC + SHOP + "{ uscc: USCC! name: String }"))
    assert codes(made) == []


def test_one_fault_does_not_bring_others_in_files_that_lean_on_it() -> None:
    good = manifest(
        "b",
        'type Query { byName(name: String! @is(field: "name")): Shop @lookup @get(path: "/n/{name}", single: true) }\n'
        'type Shop @key(fields: "name") { name: String @from(path: "n") tags: [String!] }',
    )
    broken = manifest("a", BY_USCC.replace("@lookup", "@lokup") + SHOP + "{ uscc: USCC! name: String }")
    assert codes(composed(good, broken)) == ["UNKNOWN_WORD"]


@pytest.mark.parametrize(
    ("body", "source", "told"),
    [
        (SHOP + '{ uscc: USCC! main: Permit @get(path: "/{uscc}") @field(name: "x") }', '@rest(base: "x")', ["WRONG_PLACE"]),
        (SHOP + '{ uscc: USCC! main: Permit @get(path: "/{uscc}") @field(name: "x") }', MEMORY, ["DEFINED_TWICE"]),
        ('type Shop @table(name: "T", key: ["A", "B"]) { uscc: USCC! name: String }', SQL, ["KEY_COLUMN_MISMATCH"]),
        ("type State { x: Int }", SQL, ["TYPE_MISMATCH"]),
        (SHOP + "{ uscc: USCC! main: Permit @get }", '@rest(base: "x")', ["MISSING_ARGUMENT"]),
    ],
)
def test_one_slip_is_told_once(body: str, source: str, told: list[str]) -> None:
    permit = 'type Permit @key(fields: "permitNo") { permitNo: ID! @from(path: "no") }\n'
    usual = manifest("b", BY_USCC + SHOP + "{ uscc: USCC! name: String }")
    assert codes(composed(usual, manifest("a", (permit if "Permit" in body else "") + body, source))) == told


def test_what_a_canonical_field_lacks_is_a_notice() -> None:
    made = clean(manifest("a", BY_USCC + SHOP + "{ uscc: USCC! name: String }"))

    assert made.ok
    told = {found.message for found in made.faults}
    assert "No system serves 'Shop.capital'." in told
    assert "No system serves 'Shop.permits'." in told
    assert "No system serves 'Shop.name'." not in told


def test_a_file_that_does_not_parse_leaves_the_others_composed() -> None:
    made = composed(parse_manifest("type {", "broken.graphql"), manifest("a", BY_USCC + SHOP + "{ uscc: USCC! name: String }"))

    assert codes(made) == ["SYNTAX"]
    assert not made.ok
    assert [each.id for each in made.registry.lookups["Shop"]] == ["a.byUscc"]
