"""What works, but hardly as meant: calls one by one below a list, one value with two sources, no anchor, filters that nobody can use."""

from __future__ import annotations

from pathlib import Path

import pytest

from connectors.kinds import KINDS
from schema.canonical import canonical
from schema.compose import Composition, compose, load_systems, parse_manifest
from schema.entries import Manifest
from schema.faults import Fault
from tests.schema.small import BY_USCC, SHOP, composed, manifest

ROOT = Path(__file__).parents[2]
SYSTEMS = load_systems(ROOT / "systems")
ONE = 'type Query { byUscc(uscc: USCC! @is(field: "uscc")): Shop @lookup @get(path: "/s/{uscc}"%s) }\n' + SHOP
CHANGES = (
    'type Enterprise @key(fields: "uscc") { uscc: USCC! @from(path: "c") }\n'
    'type Subscription { enterpriseChanged(%s): Enterprise @topic(path: "/c") }'
)
NAMED = "{ uscc: USCC! name: String }"


def found(made: Composition, code: str) -> list[Fault]:
    return [each for each in made.faults if each.code == code]


def beside(text: str, source: str = '@rest(base: "${TAX_URL}")') -> Composition:
    """The province's own systems and one more."""
    head = f'extend schema @system(name: "tax", title: "税务", owner: "税务局") {source}\n'
    return compose(canonical(), [*SYSTEMS, parse_manifest(head + text, "tax.graphql")], kinds=set(KINDS))


def test_the_systems_that_come_with_the_hub_need_no_advice() -> None:
    made = compose(canonical(), SYSTEMS, kinds=set(KINDS))
    assert {each.code for each in made.faults} <= {"NOT_SERVED"}


# ---- one call for each element


def test_a_lookup_by_one_key_below_a_list_is_told_with_the_list() -> None:
    (told,) = found(composed(manifest("a", ONE % "" + NAMED)), "NO_BATCH")
    assert told.severity == "warning"
    assert "'Shop' of 'Query.shops'" in told.message


def test_who_knows_says_so() -> None:
    assert found(composed(manifest("a", ONE % ", single: true" + NAMED)), "NO_BATCH") == []


def test_a_batch_is_well() -> None:
    assert found(composed(manifest("a", BY_USCC + SHOP + NAMED)), "NO_BATCH") == []


def test_a_list_of_each_element_is_told_at_its_own_call() -> None:
    body = (
        BY_USCC
        + SHOP
        + '{ uscc: USCC!\n permits: [Permit!] @get(path: "/p/{uscc}") }\ntype Permit @key(fields: "permitNo") { permitNo: ID! }'
    )
    (told,) = found(composed(manifest("a", body)), "NO_BATCH")
    assert (told.line, told.column) == (4, 21)


def test_what_no_list_leads_to_may_be_asked_singly() -> None:
    body = (
        'type Query { byNo(no: ID! @is(field: "no")): Badge @lookup @get(path: "/b/{no}") }\n'
        'extend type Query { "徽章\\nA badge" badge(no: ID! @is(field: "no")): Badge @grade(level: L1) }\n'
        '"徽章\\nA badge" type Badge @key(fields: "no") @entity(existence: ANCHOR, coverage: COMPLETE) {\n'
        '  "号\\nNumber" no: ID! @grade(level: L1) "名\\nName" name: String @grade(level: L1) }'
    )
    made = composed(manifest("b", body), manifest("a", BY_USCC + SHOP + NAMED))
    assert made.ok
    assert found(made, "NO_BATCH") == []


def test_a_value_that_needs_others_of_its_entity_cannot_be_asked_for_many() -> None:
    body = (
        BY_USCC + SHOP + '{ uscc: USCC! tags: [String!] }\nextend type Shop { "分\\nScore" score(n: String @require(field: "name")): Int '
    )
    made = composed(manifest("a", body + '@grade(level: L1) @get(path: "/c/{uscc}?n={n}") }'))
    assert made.ok
    assert found(made, "NO_BATCH") == []


# ---- one value, one source


def test_one_value_one_source() -> None:
    made = composed(manifest("a", BY_USCC + SHOP + NAMED), manifest("b", BY_USCC + SHOP + "{ uscc: USCC! name: String tags: [String!] }"))
    (told,) = found(made, "TWO_SOURCES")
    assert (told.file, told.severity) == ("b.graphql", "notice")
    assert told.message.startswith("a says as well that it is the source of 'Shop.name':")


@pytest.mark.parametrize("rank", ["authority: REPLICA", "priority: 1", "priority: -1"])
def test_a_rank_settles_it(rank: str) -> None:
    made = composed(
        manifest("a", BY_USCC + SHOP + NAMED), manifest("b", BY_USCC + SHOP + NAMED.replace("String", f"String @serves({rank})"))
    )
    assert found(made, "TWO_SOURCES") == []


def test_of_two_sources_the_anchor_is_not_to_blame() -> None:
    anchor = SHOP + "@entity(existence: ANCHOR, coverage: COMPLETE) "
    for first, second in ((SHOP, anchor), (anchor, SHOP)):
        made = composed(manifest("a", BY_USCC + first + NAMED), manifest("b", BY_USCC + second + NAMED))
        (told,) = found(made, "TWO_SOURCES")
        assert told.file == ("a.graphql" if second is anchor else "b.graphql")


def test_a_list_has_one_source_too() -> None:
    permits = '{ uscc: USCC! permits: [Permit!] @get(path: "/p?c={keys}", batch: {by: "uscc", match: "c"}) }\ntype Permit { title: String }'
    made = composed(manifest("a", SHOP + permits), manifest("b", SHOP + permits))
    assert [told.message.partition(":")[0] for told in found(made, "TWO_SOURCES")] == [
        "a says as well that it is the source of 'Shop.permits'"
    ]


# ---- existence, filters, and what one system alone carries out


def test_an_entity_that_callers_ask_for_has_an_anchor() -> None:
    without = manifest("a", BY_USCC + SHOP + NAMED)
    anchored = manifest("a", BY_USCC + SHOP + "@entity(existence: ANCHOR, coverage: COMPLETE) " + NAMED)
    assert [told.severity for told in found(composed(without), "NO_ANCHOR")] == ["notice"]
    assert found(composed(anchored), "NO_ANCHOR") == []


def test_an_anchor_in_a_file_with_errors_is_waited_for() -> None:
    broken = manifest("b", BY_USCC + SHOP + "@entity(existence: ANCHOR, coverage: COMPLETE) { uscc: USCC! nmae: String }")
    assert found(composed(manifest("a", BY_USCC + SHOP + NAMED), broken), "NO_ANCHOR") == []


def test_a_file_with_errors_gets_no_advice_yet() -> None:
    made = composed(manifest("a", ONE % "" + "{ uscc: USCC! nmae: String }"))
    assert [each.code for each in made.faults if each.file] == ["UNKNOWN_FIELD"]


def test_a_comparison_that_the_public_filter_does_not_offer() -> None:
    text = 'type Enterprise @key(fields: "uscc") @table(name: "T", key: ["A"]) { uscc: USCC! @from(path: "A")\n'
    made = beside(
        text + 'status: EnterpriseStatus @from(path: "B") @filter(ops: [EQ, LT]) @serves(authority: REPLICA) }', '@sql(url: "${TAX_URL}")'
    )
    (told,) = found(made, "IDLE_FILTER")
    assert told.message == "Nobody can filter 'Enterprise.status' by LT: 'EnterpriseFilter' does not offer it."
    assert told.fix == "write @filter(ops: [EQ])"


def test_an_order_that_the_public_order_does_not_offer() -> None:
    text = 'type Enterprise @key(fields: "uscc") @table(name: "T", key: ["A"]) { uscc: USCC! @from(path: "A") @sort\n'
    made = beside(text + 'address: String @from(path: "B") @sort @serves(authority: REPLICA) }', '@sql(url: "${TAX_URL}")')
    assert [told.message for told in found(made, "IDLE_FILTER")] == [
        "Nobody can order by 'Enterprise.address': 'EnterpriseOrder' does not offer it."
    ]


def test_a_subscription_is_one_systems() -> None:
    (told,) = found(beside(CHANGES % "uscc: [USCC!]"), "BOUND_TWICE")
    assert (told.file, told.line, told.is_error) == ("tax.graphql", 3, True)


# ---- scopes


def scoped(name: str, scope: str) -> Manifest:
    words = f'@grade(level: L1) @requiresScopes(scopes: [["{scope}"]])'
    return manifest(name, BY_USCC + SHOP + f'{{ uscc: USCC! }}\nextend type Shop {{ "甲\\nA" {name}: Int {words} }}')


@pytest.mark.parametrize("scope", ["shop:raed", "shop:rea", "shop:reads", "Shop:Read", "shop.read", "shop:reed"])
def test_a_scope_that_looks_like_a_common_one_misspelt(scope: str) -> None:
    made = composed(scoped("a", "shop:read"), scoped("b", "shop:read"), scoped("c", scope))
    (told,) = found(made, "ODD_SCOPE")
    assert (told.file, told.severity) == ("c.graphql", "warning")
    assert told.message == f"Only here the scope '{scope}' is asked for. Did you mean 'shop:read'?"


@pytest.mark.parametrize("scope", ["shop:read", "shop:write", "shop:read1", "tax:read", "read"])
def test_a_scope_of_its_own_is_well(scope: str) -> None:
    made = composed(scoped("a", "shop:read"), scoped("b", "shop:read"), scoped("c", scope))
    assert found(made, "ODD_SCOPE") == []


def test_numbered_scopes_are_no_slips() -> None:
    made = composed(scoped("a", "shop:read1"), scoped("b", "shop:read1"), scoped("c", "shop:read2"))
    assert found(made, "ODD_SCOPE") == []


# ---- arguments


def test_arguments_of_a_bound_field_are_the_canonical_ones() -> None:
    (told,) = found(beside(CHANGES % "usc: [USCC!]"), "NO_SUCH_ARGUMENT")
    assert "Did you mean 'uscc'?" in told.message
    (told,) = found(beside(CHANGES % "uscc: [ID!]"), "TYPE_MISMATCH")
    assert told.fix == "write uscc: [USCC!]"


def test_a_key_is_asked_for_by_its_own_type() -> None:
    (told,) = found(composed(manifest("a", BY_USCC.replace("uscc: USCC!", "uscc: Int!") + SHOP + NAMED)), "TYPE_MISMATCH")
    assert told.message == "The key 'Shop.uscc' is 'USCC', not 'Int!'."


def test_a_public_argument_that_is_never_sent_is_told() -> None:
    body = (
        'extend type Query { "店\\nShops" near(street: String, first: Int): [Shop!] @grade(level: L1) @get(path: "/near") }\n'
        + SHOP
        + NAMED
    )
    (told,) = found(composed(manifest("a", body)), "NO_PLACEHOLDER")
    assert told.message == "The argument 'street' is never sent."
    assert composed(manifest("a", body.replace('"/near"', '"/near?s={street}"'))).ok
