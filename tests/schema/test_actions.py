"""Mutations and subscriptions in manifests: what @send and @topic become, and what can be wrong with them."""

from __future__ import annotations

from pathlib import Path

import pytest
from graphql import print_schema

from connectors.kinds import KINDS
from schema.canonical import canonical
from schema.compose import Composition, compose, load_systems, parse_manifest
from schema.coordinates import Grade
from schema.faults import format_fault
from schema.registry import Undo

ROOT = Path(__file__).resolve().parents[2]
HEAD = """extend schema @system(name: "taxBureau", title: "税务系统", owner: "省税务局") @rest(base: "${TAX_URL}")
type Query {
  byUscc(uscc: USCC!): Enterprise @lookup @get(path: "/tax?codes={keys}", batch: {by: "uscc", match: "code", max: 100})
}
"""
GOOD = """
type Enterprise @key(fields: "uscc") { uscc: USCC! @from(path: "code")  name: String }
extend type Mutation {
  "申报\\nFiles a return"
  fileReturn(uscc: USCC!, amount: Decimal): Enterprise @requiresScopes(scopes: [["tax"]]) @grade(level: L2)
    @send(path: "/returns/{uscc}", method: PUT, body: {je: "{amount}"}, at: "data", check: "enterprise")
}
type Subscription { enterpriseChanged(uscc: [USCC!]): Enterprise @topic(path: "/changes", at: "rows", event: "bg") }
extend type Subscription {
  "申报动态\\nReturns as they come"
  returnFiled(since: String, of: USCC @is(field: "uscc")): Enterprise @topic(path: "/feed?since={since}") @grade(level: L1)
}
"""
UNDONE = """
type Enterprise @key(fields: "uscc") { uscc: USCC! @from(path: "code")  name: String }
extend type Mutation {
  "申报\\nFiles a return"
  fileReturn(uscc: USCC!, amount: Decimal): Enterprise @requiresScopes(scopes: [["tax"]]) @grade(level: L2)
    @send(path: "/returns/{uscc}", body: {je: "{amount}"}, idempotency: {}, undo: UNDO)
  "撤回\\nTakes a return back"
  takeBack(uscc: USCC!, why: String): Enterprise @requiresScopes(scopes: [["tax"]]) @grade(level: L2)
    @send(path: "/returns/{uscc}?why={why}", method: DELETE, idempotency: {header: "X-Key"})
}
"""
BAD = """
type Enterprise @key(fields: "uscc") { uscc: USCC!  name: String @topic(path: "/names") }
extend type Mutation {
  "申报\\nFiles a return"
  fileReturn(uscc: USCC!, amount: Decimal): Enterprise
    @send(path: "/returns/{uscc}") @grade(level: L1) @requiresScopes(scopes: [["tax"]])
  "撤回\\nTakes a return back"
  takeBack(uscc: USCC!): Enterprise
    @send(path: "/returns/{usc}", method: DELETE) @grade(level: L1) @requiresScopes(scopes: [["tax"]])
  "缴税\\nPays"
  pay(uscc: USCC!): [Enterprise!] @send(path: "/pay/{uscc}") @grade(level: L1) @requiresScopes(scopes: [["tax"]])
  "更正\\nCorrects"
  correct(uscc: USCC!): Enterprise
    @send(path: "/correct/{uscc}", check: "enterprize") @grade(level: L1) @requiresScopes(scopes: [["tax"]])
  "无处可送\\nNowhere to go"
  nowhere(uscc: USCC!): Enterprise @grade(level: L1) @requiresScopes(scopes: [["tax"]])
}
extend type Subscription {
  "申报动态\\nReturns as they come"
  returnFiled(nam: String): Enterprise @topic(path: "/feed") @grade(level: L1)
}
type Subscription { enterpriseChange(uscc: [USCC!]): Enterprise @topic(path: "/changes") }
"""
SAID = """\
tax.graphql:6:66 MISPLACED_WORD @topic means nothing on a field of 'Enterprise'.
    fix: it belongs on a field of `extend type Subscription`
tax.graphql:9:27 NO_PLACEHOLDER The argument 'amount' is never sent.
    fix: put {amount} into the path or the body, or remove the argument
tax.graphql:13:27 UNKNOWN_PLACEHOLDER {usc} is neither a key nor an argument. Did you mean 'uscc'?
    fix: what can be put in here: {uscc}
tax.graphql:15:21 NOT_SUPPORTED 'Mutation.pay' brings one object at a time.
    fix: remove the list
tax.graphql:18:43 UNKNOWN_FIELD There is no root field 'enterprize' to ask. Did you mean 'enterprise' or 'enterprises'?
    fix: name a field of Query
tax.graphql:20:3 NO_PLACE 'Mutation.nowhere' does not say where it is sent to or comes from.
    fix: add @send(path: "…")
tax.graphql:24:15 NO_PLACEHOLDER 'nam' is neither in the path nor a plain field of the events. Did you mean 'name'?
    fix: put {nam} into the path, or write @is(field: "…") with a field that the events carry
tax.graphql:26:21 UNKNOWN_FIELD The canonical type 'Subscription' has no field 'enterpriseChange'. Did you mean 'enterpriseChanged'?
    fix: write enterpriseChanged, or contribute the field in `extend type Subscription`"""


def composed(text: str, *more: str) -> Composition:
    others = [each for each in load_systems(ROOT / "systems") if not any(entry.name == "Subscription" for entry in each.types)]
    manifests = [parse_manifest(HEAD + text, "tax.graphql"), *(parse_manifest(one, f"{i}.graphql") for i, one in enumerate(more))]
    return compose(canonical(), [*others, *manifests], kinds=set(KINDS))


def test_a_write_and_two_feeds() -> None:
    made = composed(GOOD)
    assert made.ok, made.faults
    write = made.registry.writes["Mutation.fileReturn"]
    assert (write.system, write.type, write.check, dict(write.args)) == (
        "taxBureau",
        "Enterprise",
        "enterprise",
        {"uscc": "uscc", "amount": "amount"},
    )
    assert (write.relation.effect, write.relation.native["method"]) == ("write", "PUT")
    changed, filed = made.registry.feeds["Subscription.enterpriseChanged"], made.registry.feeds["Subscription.returnFiled"]
    assert (dict(changed.args), dict(changed.narrows)) == ({}, {"uscc": "uscc"})
    assert (dict(filed.args), dict(filed.narrows)) == ({"since": "since"}, {"of": "uscc"})
    row = made.registry.coordinates["Mutation.fileReturn"]
    assert (row.grade, row.scopes) == (Grade.L2, (frozenset({"tax"}),))
    text = print_schema(made.schema)
    assert "fileReturn(uscc: USCC!, amount: Decimal): Enterprise" in text
    assert "办理入口\nWhere changes begin" in text


def test_every_slip_is_told_with_its_place_and_its_mending() -> None:
    assert "\n".join(format_fault(found) for found in composed(BAD).faults) == SAID


def test_a_mutation_belongs_to_one_system_even_if_both_would_share() -> None:
    shared = GOOD.replace("Enterprise @requiresScopes", "Enterprise @shareable @requiresScopes").partition("type Subscription")[0]
    other = (HEAD + shared).replace('"taxBureau"', '"otherBureau"').replace("byUscc", "byOther")
    assert [found.code for found in composed(shared, other).faults if found.is_error] == ["CONTRIBUTED_TWICE"]


def test_what_a_database_cannot_take_is_told() -> None:
    text = """extend schema @system(name: "t", title: "税务", owner: "局") @sql(url: "${T}")
type Enterprise @key(fields: "uscc") @table(name: "T", key: ["C"]) { uscc: USCC!  name: String }
type Subscription { enterpriseChanged(uscc: [USCC!]): Enterprise @topic(path: "/x") }"""
    made = compose(canonical(), [parse_manifest(text, "t.graphql")], kinds=("sql",))
    assert "WRONG_PLACE" in {found.code for found in made.faults}


def undone(undo: str) -> Composition:
    return compose(canonical(), [parse_manifest(HEAD + UNDONE.replace("UNDO", undo), "tax.graphql")], kinds=("rest",))


def test_a_write_says_how_it_is_undone_and_whether_it_may_come_again() -> None:
    made = undone('{field: "takeBack", arguments: {uscc: "{uscc}", why: "name"}}')
    assert made.ok, made.faults
    files, takes = made.registry.writes["Mutation.fileReturn"], made.registry.writes["Mutation.takeBack"]
    assert files.undo == Undo("Mutation.takeBack", {"uscc": "{uscc}", "why": "name"})
    assert (files.idempotent, takes.idempotent, takes.undo) == (True, True, None)
    assert files.relation.native["idempotency"] == {"header": "Idempotency-Key"}
    assert takes.relation.native["idempotency"] == {"header": "X-Key"}
    assert "undo" not in files.relation.native


@pytest.mark.parametrize(
    ("undo", "said"),
    [
        ('{field: "takeBak"}', "There is no other mutation 'takeBak' to undo it by. Did you mean 'takeBack'?"),
        ('{field: "fileReturn"}', "There is no other mutation 'fileReturn' to undo it by."),
        ('{field: "takeBack"}', "'takeBack' needs 'uscc'."),
        ('{field: "takeBack", arguments: ["uscc"]}', "The arguments of `undo` are an object of texts."),
        ('{field: "takeBack", arguments: {uscc: "{uscc}", y: "name"}}', "'takeBack' has no argument 'y'."),
        ('{field: "takeBack", arguments: {uscc: "{usc}"}}', "'fileReturn' has no argument 'usc'. Did you mean 'uscc'?"),
        ('{field: "takeBack", arguments: {uscc: "code"}}', "The answer carries no plain field 'code'."),
        ('{field: "takeBack", arguments: {uscc: "name"}}', "'takeBack(uscc:)' is 'USCC!', and 'name' is 'String'."),
    ],
)
def test_what_undoes_a_write_can_be_called_with_what_there_is(undo: str, said: str) -> None:
    made = undone(undo)
    [fault] = [found for found in made.faults if found.is_error]
    assert fault.code == "BAD_UNDO"
    assert fault.message.startswith(said)
