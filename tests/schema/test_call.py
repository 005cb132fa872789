"""SOAP and gRPC in manifests: what @soap, @grpc and @call become, and what can be wrong with them."""

from __future__ import annotations

from pathlib import Path

import pytest

from connectors.kinds import KINDS
from schema.canonical import canonical
from schema.compose import Composition, compose, load_systems, parse_manifest
from schema.faults import format_fault
from schema.registry import Undo

ROOT = Path(__file__).resolve().parents[2]
HEAD = """extend schema @system(name: "taxBureau", title: "税务系统", owner: "省税务局")
  @soap(wsdl: "tax.wsdl", url: "${TAX_URL}", security: {user: "tax.user", secret: "tax.password"})
"""
LOOKUP = """type Query {
  byUscc(code: USCC! @is(field: "uscc")): Enterprise @lookup
    @call(operation: "queryUnits", input: {units: {tyshxydm: "{keys}"}}, at: "return.unit", batch: {by: "code", match: "tyshxydm", max: 50})
}
"""
GOOD = (
    LOOKUP
    + """
type Enterprise @key(fields: "uscc") {
  uscc: USCC! @from(path: "tyshxydm")
  name: String @from(path: "mc")
  licences: [Licence!] @call(operation: "queryCerts", input: {tyshxydm: "{uscc}"}, at: "zz", single: true)
}
type Licence @key(fields: "licenceId") { licenceId: LicenceID! @from(path: "@bs")  issuedOn: Date @from(path: "bfrq") }
extend type Query {
  "税务证照\\nCertificates of the tax bureau"
  taxCertificates(kind: String): [Licence!] @grade(level: L1) @call(operation: "listCerts", input: {lx: "{kind}"}, at: "zz")
}
extend type Mutation {
  "申报\\nFiles a return"
  fileReturn(uscc: USCC!, amount: Decimal): Enterprise @requiresScopes(scopes: [["tax"]]) @grade(level: L2)
    @call(operation: "fileReturn", input: {tyshxydm: "{uscc}", je: "{amount}"}, at: "return", carries: "uscc", check: "enterprise")
}
"""
)
BAD = """type Query {
  byUscc(uscc: USCC!): Enterprise @lookup @call(operation: "a", input: {tyshxydm: "{usc}"})
  byName(uscc: USCC!): Enterprise @lookup @call(operation: "b", input: {x: 1})
  byCode(uscc: USCC!): Enterprise @lookup @call(operation: "c", batch: {by: "uscc", match: "d"})
  byPath(uscc: USCC!): Enterprise @lookup @get(path: "/{uscc}")
}
type Enterprise @key(fields: "uscc") { uscc: USCC! @from(path: "tyshxydm") }
extend type Mutation {
  "申报\\nFiles a return"
  fileReturn(uscc: USCC!): Enterprise @send(path: "/{uscc}") @grade(level: L1) @requiresScopes(scopes: [["tax"]])
  "撤回\\nTakes it back"
  takeBack(uscc: USCC!): Enterprise @call(operation: "d") @grade(level: L1) @requiresScopes(scopes: [["tax"]])
}
"""
SAID = """\
tax.graphql:4:72 UNKNOWN_PLACEHOLDER {usc} is neither a key nor an argument. Did you mean 'uscc'?
    fix: what can be put in here: {uscc}
tax.graphql:5:72 NO_PLACEHOLDER The key 'uscc' is never sent.
    fix: put {uscc} into the input, or add batch
tax.graphql:6:43 NO_PLACEHOLDER The keys of the batch are never sent.
    fix: put {keys} into the input
tax.graphql:7:43 WRONG_PLACE @get is for rest systems; this one is reached by soap.
    fix: use @call
tax.graphql:12:39 WRONG_PLACE @send is for rest systems; this one is reached by soap.
    fix: use @call
tax.graphql:14:12 NO_PLACEHOLDER The argument 'uscc' is never sent.
    fix: put {uscc} into the input, or remove the argument"""


def composed(text: str, head: str = HEAD) -> Composition:
    manifests = [*load_systems(ROOT / "systems"), parse_manifest(head + text, "tax.graphql")]
    return compose(canonical(), manifests, kinds=set(KINDS))


def test_a_lookup_a_link_a_list_and_a_write() -> None:
    made = composed(GOOD)
    assert made.ok, [format_fault(found) for found in made.faults]
    registry = made.registry
    assert (registry.systems["taxBureau"].kind, registry.systems["taxBureau"].options["security"]["password"]) == ("soap", "TEXT")
    lookup = next(each for each in registry.lookups["Enterprise"] if each.system == "taxBureau")
    assert (lookup.relation.keys, lookup.relation.max_keys) == (("uscc",), 50)
    assert lookup.relation.native["batch"]["by"] == "uscc"
    link = next(each for each in registry.links["Enterprise.licences"] if each.system == "taxBureau")
    assert (link.relation.native["input"]["tyshxydm"], link.relation.native["at"], link.relation.max_keys) == ("{uscc}", "zz", 1)
    assert (link.relation.field("issuedOn").type, link.relation.field("licenceId").path) == ("date", "@bs")
    write = registry.writes["Mutation.fileReturn"]
    assert (write.relation.effect, write.check, dict(write.relation.native)["operation"]) == ("write", "enterprise", "fileReturn")
    assert [column.name for column in write.relation.fields] == ["uscc"]
    assert {"batch", "single", "carries", "check"} & {*write.relation.native, *link.relation.native} == set()


def test_every_slip_is_told_with_its_place_and_its_mending() -> None:
    found = [fault for fault in composed(BAD).faults if fault.file == "tax.graphql" and fault.is_error]
    assert "\n".join(format_fault(each) for each in found) == SAID


def test_a_secret_in_a_header_is_told_and_a_secrets_name_is_not() -> None:
    head = HEAD.replace("security:", 'header: {App: {appId: "hub", appKey: "4711", token: {secret: "tax.token"}}}, security:')
    found = [fault for fault in composed(LOOKUP, head).faults if fault.code == "SECRET_IN_FILE"]
    assert [(fault.line, fault.column) for fault in found] == [(2, 83)]
    assert found[0].fix == 'write appKey: {secret: "…"}, the name of the secret'


def test_a_place_of_soap_is_none_of_another_kind() -> None:
    found = composed(GOOD, 'extend schema @system(name: "taxBureau", title: "税务", owner: "局") @rest(base: "${T}")\n').faults
    assert "WRONG_PLACE" in {fault.code for fault in found}


GRPC = """extend schema @system(name: "taxBureau", title: "税务系统", owner: "省税务局")
  @grpc(target: "${TAX_ADDRESS}", auth: {kind: BEARER, secret: "tax.token"}, tls: {}, cache: "60s")
"""


def test_the_same_places_are_of_grpc() -> None:
    made = composed(GOOD, GRPC)
    assert made.ok, [format_fault(found) for found in made.faults]
    system = made.registry.systems["taxBureau"]
    assert (system.kind, system.options["target"], system.options["auth"]["kind"]) == ("grpc", "${TAX_ADDRESS}", "BEARER")
    assert made.registry.writes["Mutation.fileReturn"].relation.native["operation"] == "fileReturn"


TWICE = """extend type Mutation {
  "申报\\nFiles a return"
  fileReturn(uscc: USCC!): Enterprise @requiresScopes(scopes: [["tax"]]) @grade(level: L2)
    @call(operation: "file", input: {code: "{uscc}"}, carries: "uscc name", idempotency: {}, undo: UNDO)
  "撤回\\nTakes it back"
  takeBack(uscc: USCC!, why: String): Enterprise @requiresScopes(scopes: [["tax"]]) @grade(level: L2)
    @call(operation: "takeBack", input: {code: "{uscc}", why: "{why}"}, carries: "uscc", idempotency: {header: "X-Key"})
}
"""


@pytest.mark.parametrize("head", [HEAD, GRPC], ids=["soap", "grpc"])
def test_a_call_says_how_it_is_undone_and_whether_it_may_come_again(head: str) -> None:
    entity = 'type Enterprise @key(fields: "uscc") { uscc: USCC!  name: String }\n'
    made = composed(LOOKUP + entity + TWICE.replace("UNDO", '{field: "takeBack", arguments: {uscc: "{uscc}", why: "name"}}'), head)
    assert made.ok, [format_fault(found) for found in made.faults]
    files, takes = (made.registry.writes[f"Mutation.{name}"] for name in ("fileReturn", "takeBack"))
    assert files.undo == Undo("Mutation.takeBack", {"uscc": "{uscc}", "why": "name"})
    assert (files.idempotent, takes.idempotent, takes.undo) == (True, True, None)
    assert (files.relation.native["idempotency"], takes.relation.native["idempotency"]) == (
        {"header": "Idempotency-Key"},
        {"header": "X-Key"},
    )
    assert "undo" not in files.relation.native
    wrong = composed(LOOKUP + entity + TWICE.replace("UNDO", '{field: "takeBack", arguments: {uscc: "capital"}}'), head)
    assert [fault.code for fault in wrong.faults if fault.is_error] == ["BAD_UNDO"]


def test_what_is_of_mutations_is_told_where_a_field_reads() -> None:
    read = LOOKUP.replace("max: 50})", 'max: 50}, check: "enterprise")')
    found = [fault for fault in composed(read + 'type Enterprise @key(fields: "uscc") { uscc: USCC! }').faults if fault.is_error]
    assert [(fault.code, fault.fix, fault.line) for fault in found] == [("WRONG_PLACE", "remove check", 5)]


@pytest.mark.parametrize(
    ("said", "fix"),
    [
        ('auth: {kind: HMAC, user: "u", secret: "s"}', 'write {kind: BEARER, secret: "…"}'),
        ('auth: {kind: API_KEY, query: "k", secret: "s"}', 'write header: "…" instead of query'),
        ("tls: {old: true}", "remove old"),
    ],
)
def test_what_a_grpc_call_cannot_carry_is_told(said: str, fix: str) -> None:
    head = f'extend schema @system(name: "taxBureau", title: "税务", owner: "局") @grpc(target: "${{T}}", {said})\n'
    found = [fault for fault in composed(LOOKUP + 'type Enterprise @key(fields: "uscc") { uscc: USCC! }', head).faults if fault.is_error]
    assert [(fault.code, fault.fix) for fault in found] == [("BAD_AUTH", fix)]
