"""The contract over gRPC: a real server that tells what it is by reflection; calls that are answered at once, and by a stream."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import grpc  # type: ignore[import-untyped]

from connectors.contract import ROWS, Contract, World
from connectors.grpc import GrpcConnector, GrpcSettings
from connectors.spi import Field, Options, Relation, Secret
from demo.proto import Proto
from tests.connectors.grpc_service import serving
from tests.connectors.loopback import nobody

SECRET = "grpc-secret-4711"
PROTO = Proto("""
package zz.v1;
message Person {
  optional string id = 1;
}
message Name {
  optional string mc = 1;
}
message Zz {
  string nr = 1;
  Person wer = 2;
  repeated Name bz = 3;
  optional int64 dj = 4;
  optional string bfrq = 5;
}
message ByIds {
  repeated string nr = 1;
}
message ByHolder {
  string czr = 1;
}
message ListZz {
  optional string mc = 1;
}
message Answer {
  repeated Zz zz = 1;
}
service Register {
  rpc Find(ByIds) returns (Answer);
  rpc OfHolder(ByHolder) returns (Answer);
  rpc List(ListZz) returns (Answer);
  rpc Flow(ListZz) returns (stream Zz);
  rpc Stuck(ListZz) returns (Answer);
  rpc Garbage(ListZz) returns (Answer);
}
""")
SERVICE = "zz.v1.Register"
FIELDS = (
    Field("id", "nr"),
    Field("holder", "wer.id"),
    Field("name", "bz[0].mc"),
    Field("level", "dj", "int"),
    Field("issuedOn", "bfrq"),
)


def relation(name: str, native: Mapping[str, Any], **more: Any) -> Relation:
    said = {"at": "zz", **native, "operation": f"{SERVICE}/{native['operation']}"}
    return Relation(name, more.pop("fields", FIELDS), Options(said), **more)


BATCH = relation(
    "batch", {"operation": "Find", "input": {"nr": "{keys}"}, "batch": {"by": "id", "match": "nr", "max": 10}},
    fields=(Field("id", ""), *FIELDS[1:]), keys=("id",), max_keys=10,
)  # fmt: skip
BY_HOLDER = relation(
    "byHolder", {"operation": "OfHolder", "input": {"czr": "{holder}"}},
    fields=(Field("holder", ""), *FIELDS[:1], *FIELDS[2:]), keys=("holder",), max_keys=1,
)  # fmt: skip
LIST = relation("list", {"operation": "List", "input": {"mc": "{name}"}}, where=Options({"name": ["EQ", "PREFIX"]}))
FLOW = relation("flow", {"operation": "Flow", "at": ""})
STUCK = relation("stuck", {"operation": "Stuck"})
GARBAGE = relation("garbage", {"operation": "Garbage"})
RELATIONS = (BATCH, BY_HOLDER, LIST, FLOW)


def message(row: Mapping[str, Any]) -> Any:
    """A row as this service sends it."""
    make = PROTO.message
    made = make("Zz")(nr=row["id"], wer=make("Person")(id=row["holder"]), dj=row["level"], bfrq=row["issuedOn"])
    made.bz.append(make("Name")(mc=row["name"]))
    return made


def answer(rows: Iterable[Mapping[str, Any]]) -> Any:
    return PROTO.message("Answer")(zz=map(message, rows))


async def allowed(context: Any) -> None:
    if ("x-app-key", SECRET) not in context.invocation_metadata():
        await context.abort(grpc.StatusCode.UNAUTHENTICATED, "no key")


async def find(asked: Any, context: Any) -> Any:
    await allowed(context)
    return answer(row for row in reversed(ROWS) if row["id"] in set(asked.nr))


async def of_holder(asked: Any, context: Any) -> Any:
    return answer({**row, "holder": None} for row in ROWS if row["holder"] == asked.czr)


async def every(asked: Any, context: Any) -> Any:
    return answer(row for row in ROWS if not asked.HasField("mc") or row["name"] == asked.mc)


async def flow(asked: Any, context: Any) -> AsyncIterator[Any]:
    for row in ROWS:
        yield message(row)


async def stuck(asked: Any, context: Any) -> Any:
    await asyncio.Event().wait()


async def garbage(asked: Any, context: Any) -> bytes:
    return b"\xff\xff<html>"


METHODS = {"Find": find, "OfHolder": of_holder, "List": every, "Flow": flow, "Stuck": stuck, "Garbage": garbage}


class TestGrpc(Contract):
    @asynccontextmanager
    async def world(self) -> AsyncIterator[World]:
        async with serving(PROTO, {SERVICE: METHODS}) as target:
            options = {"target": target, "auth": {"kind": "API_KEY", "header": "X-App-Key", "secret": Secret(SECRET)}}
            made = GrpcConnector(GrpcSettings.of(options))
            gone = GrpcConnector(GrpcSettings.of({"target": f"127.0.0.1:{nobody()}"}))
            try:
                yield World(
                    connector=made,
                    relations=RELATIONS,
                    stuck=STUCK,
                    gone=(gone, BATCH),
                    garbage=(made, GARBAGE),
                    options=options,
                    secret=SECRET,
                    unsendable={"batch": frozenset({"\ud800"}), "byHolder": frozenset({"\ud800"})},
                )
            finally:
                await made.close()
                await gone.close()
