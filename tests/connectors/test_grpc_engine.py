"""A manifest over gRPC, asked through the engine: one question, and mutations of which nobody or somebody knows what came."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import grpc  # type: ignore[import-untyped]
import orjson
import pytest

from auth.principal import Audience, Principal
from connectors import kinds
from demo.proto import Proto
from hub.clock import SystemClock
from hub.environment import Environment, fill
from hub.run.engine import Engine
from hub.run.sources import Sources
from schema.canonical import canonical
from schema.compose import compose, parse_manifest
from tests.connectors.grpc_service import serving
from tests.faults.asking import KEYS

PROTO = Proto("""
package std.v1;
import "google/protobuf/timestamp.proto";
enum Standing {
  STANDING_UNSPECIFIED = 0;
  LEADER = 1;
  MEMBER = 2;
}
message Draft {
  string no = 1;
  google.protobuf.Timestamp issued = 2;
}
message Firm {
  string code = 1;
  optional int64 drafted = 2;
  Standing standing = 3;
  repeated Draft drafts = 4;
}
message Codes {
  repeated string codes = 1;
}
message Firms {
  repeated Firm firms = 1;
}
message Declared {
  string code = 1;
  string title = 2;
}
service Standards {
  rpc Find(Codes) returns (Firms);
  rpc Declare(Declared) returns (Firm);
}
""")
SERVICE = "std.v1.Standards"
MANIFEST = """
extend schema @system(name: "standards", title: "标准", owner: "局") @grpc(target: "${STANDARDS}", limits: {timeout: "2s", retries: 2})
type Query {
  byUscc(uscc: USCC! @is(field: "uscc")): Enterprise @lookup
    @call(operation: "std.v1.Standards/Find", input: {codes: "{keys}"}, at: "firms", batch: {by: "uscc", match: "code", max: 9})
}
type Enterprise @key(fields: "uscc") @entity(existence: ANCHOR, coverage: COMPLETE) { uscc: USCC! @from(path: "code") }
extend type Enterprise {
  "参与标准数\\nDrafted"
  drafted: Int @grade(level: L1)
  "角色\\nStanding"
  standing: StandardsRole @grade(level: L1)
  "标准\\nDrafts"
  drafts: [StandardDraft!] @grade(level: L1)
}
"标准\\nA draft"
type StandardDraft {
  "编号\\nNo"
  no: String @grade(level: L1)
  "发布\\nIssued"
  issued: DateTime @grade(level: L1)
}
"角色\\nStanding"
enum StandardsRole {
  "牵头\\nLeads"
  LEADING @from(path: "LEADER")
  "参与\\nTakes part"
  MEMBER
}
extend type Mutation {
  "登记\\nDeclares once"
  declare(uscc: USCC!, title: String!): Enterprise @grade(level: L1) @requiresScopes(scopes: [["std"]])
    @call(operation: "std.v1.Standards/Declare", input: {code: "{uscc}", title: "{title}"}, carries: "uscc drafted")
  "登记\\nDeclares, and may come again"
  declareAgain(uscc: USCC!, title: String!): Enterprise @grade(level: L1) @requiresScopes(scopes: [["std"]])
    @call(operation: "std.v1.Standards/Declare", input: {code: "{uscc}", title: "{title}"}, carries: "uscc drafted", idempotency: {})
}
"""


class Office:
    """The service: what it has been told, and by which statuses it fails first."""

    def __init__(self, *failures: str) -> None:
        self.failures = list(failures)
        self.declared: list[tuple[str, str]] = []

    async def find(self, asked: Any, context: Any) -> Any:
        known = {
            KEYS[0]: PROTO.message("Firm")(code=KEYS[0], drafted=3, standing=1, drafts=[{"no": "DB33/T 1", "issued": {"seconds": 86400}}]),
            KEYS[1]: PROTO.message("Firm")(code=KEYS[1]),
        }
        return PROTO.message("Firms")(firms=[known[code] for code in asked.codes if code in known])

    async def declare(self, asked: Any, context: Any) -> Any:
        self.declared.append((asked.title, dict(context.invocation_metadata()).get("idempotency-key", "")))
        if self.failures:
            await context.abort(grpc.StatusCode[self.failures.pop(0)], "")
        return PROTO.message("Firm")(code=asked.code, drafted=4)

    @asynccontextmanager
    async def engine(self) -> AsyncIterator[Engine]:
        made = compose(canonical(), [parse_manifest(MANIFEST, "standards.graphql")], kinds=set(kinds.KINDS))
        assert made.ok, "\n".join(map(str, made.faults))
        async with serving(PROTO, {SERVICE: {"Find": self.find, "Declare": self.declare}}) as target:
            system = made.registry.systems["standards"]
            connector = kinds.connect("grpc", fill(system.options, Environment({"STANDARDS": target}, {})).options, system="standards")
            engine = Engine(made.schema, made.registry, Sources(made.registry.systems, {"standards": connector}, SystemClock()), timeout=5)
            try:
                yield engine
            finally:
                await engine.sources.close()


async def asked(engine: Engine, text: str) -> tuple[Any, list[str]]:
    """(data, codes of errors)."""
    document = engine.parse(text)
    assert not document.errors
    answer = orjson.loads((await engine.execute(document, principal=Principal("app", Audience.APP, frozenset({"std"})))).body)
    return answer["data"], [error["extensions"]["code"] for error in answer.get("errors", ())]


async def test_a_question_is_answered_in_the_hubs_own_terms() -> None:
    fields = "drafted standing drafts { no issued }"
    async with Office().engine() as engine:
        data, codes = await asked(
            engine, "{" + " ".join(f'{a}: enterprise(uscc: "{k}") {{ {fields} }}' for a, k in zip("abc", KEYS, strict=True)) + "}"
        )
    drafts = [{"no": "DB33/T 1", "issued": "1970-01-02T00:00:00+00:00"}]
    assert (data["a"], codes) == ({"drafted": 3, "standing": "LEADING", "drafts": drafts}, [])
    assert (data["b"], data["c"]) == ({"drafted": None, "standing": None, "drafts": []}, None)


def mutation(name: str) -> str:
    return f'mutation {{ done: {name}(uscc: "{KEYS[0]}", title: "x") {{ uscc drafted }} }}'


@pytest.mark.parametrize(
    ("name", "failures", "codes", "calls"),
    [
        ("declare", (), [], 1),
        ("declare", ("UNAVAILABLE",), ["OUTCOME_UNKNOWN"], 1),
        ("declare", ("INTERNAL",), ["OUTCOME_UNKNOWN"], 1),
        ("declare", ("INVALID_ARGUMENT",), ["SYSTEM_REFUSED"], 1),
        ("declare", ("RESOURCE_EXHAUSTED",), ["SYSTEM_BUSY"], 1),
        ("declareAgain", ("UNAVAILABLE", "DEADLINE_EXCEEDED"), [], 3),
    ],
)
async def test_a_mutation_is_called_once_unless_its_key_tells_it_when_it_comes_again(
    name: str, failures: tuple[str, ...], codes: list[str], calls: int
) -> None:
    office = Office(*failures)
    async with office.engine() as engine:
        data, found = await asked(engine, mutation(name))
    assert (found, len(office.declared)) == (codes, calls)
    assert data["done"] == (None if codes else {"uscc": KEYS[0], "drafted": 4})
    assert len({key for _, key in office.declared}) == 1
    assert bool(office.declared[0][1]) is (name == "declareAgain")
