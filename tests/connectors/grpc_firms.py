"""A gRPC service with a field of every type, what it was asked, and how a test asks it through the connector."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest

from connectors.grpc import GrpcConnector, GrpcSettings
from connectors.spi import Ask, Call, Field, Options, Relation, SourceError
from demo.proto import Proto
from tests.connectors.grpc_service import serving

TEXT = """
syntax = "proto3";
package firms.v1;
import "google/protobuf/timestamp.proto";
import "google/protobuf/duration.proto";
import "google/protobuf/struct.proto";
import "google/protobuf/wrappers.proto";
import "google/protobuf/any.proto";
enum State {
  STATE_UNSPECIFIED = 0;
  OPEN = 1;
  CLOSED = 2;
}
message Place {
  string code = 1;
  optional string name = 2;
  Place within = 3;
}
message Firm {
  string code = 1;
  int64 capital = 2;
  optional int32 staff = 3;
  uint64 serial = 4;
  State state = 5;
  bytes seal = 6;
  google.protobuf.Timestamp founded = 7;
  google.protobuf.Int64Value shares = 8;
  map<string, string> notes = 9;
  repeated Place places = 10;
  Place seat = 11;
  oneof kind {
    string company = 12;
    string person = 13;
  }
  google.protobuf.Struct extra = 14;
  float rate = 15;
  bool active = 16;
  repeated string names = 17;
  google.protobuf.Duration age = 18;
  repeated State states = 19;
  map<string, Place> branches = 20;
  double weight = 21;
  google.protobuf.Any more = 22;
}
message Asked {
  repeated string code = 1;
  string one = 2;
  repeated int64 serial = 3;
  Firm like = 4;
}
message Answer {
  repeated Firm firms = 1;
  map<string, Firm> by_code = 2;
  string status = 3;
}
service Firms {
  rpc Find(Asked) returns (Answer);
  rpc Flow(Asked) returns (stream Answer);
}
"""
PROTO = Proto(TEXT)
SERVICE = "firms.v1.Firms"


class Server:
    """What the service answers, and what it was asked: messages with their metadata."""

    def __init__(self, *firms: Mapping[str, Any], **answer: Any) -> None:
        self.answer = PROTO.message("Answer")(firms=[PROTO.message("Firm")(**firm) for firm in firms], **answer)
        self.asked: list[Any] = []
        self.metadata: list[dict[str, str]] = []
        self.fails: tuple[Any, str] | None = None
        self.trailing: tuple[tuple[str, str], ...] = ()
        self.cancelled = asyncio.Event()

    async def find(self, asked: Any, context: Any) -> Any:
        self.asked.append(asked)
        self.metadata.append(dict(context.invocation_metadata()))
        if self.fails is not None:
            context.set_trailing_metadata(self.trailing)
            await context.abort(*self.fails)
        return self.answer

    async def flow(self, asked: Any, context: Any) -> AsyncIterator[Any]:
        try:
            while True:
                yield self.answer
                await asyncio.sleep(0)
        finally:
            self.cancelled.set()

    @asynccontextmanager
    async def there(self, **options: Any) -> AsyncIterator[GrpcConnector]:
        """A connector to the service."""
        methods = {SERVICE: {"Find": self.find, "Flow": self.flow}}
        async with serving(PROTO, methods, credentials=options.pop("credentials", None)) as target, connected(target, **options) as made:
            yield made


@asynccontextmanager
async def connected(target: str, *, ticks: Any = None, **options: Any) -> AsyncIterator[GrpcConnector]:
    made = GrpcConnector(GrpcSettings.of({"target": target, **options}), ticks=ticks)
    try:
        yield made
    finally:
        await made.close()


def relation(given: Any = None, fields: tuple[Field, ...] = (Field("code", "code"),), **more: Any) -> Relation:
    native = {"operation": f"{SERVICE}/Find", "at": "firms", **({"input": given} if given is not None else {}), **more.pop("native", {})}
    return Relation("firms", fields, Options(native), **more)


async def rows(connector: GrpcConnector, of: Relation, call: Call | None = None, *, by: tuple[str, ...] = ()) -> list[dict[str, Any]]:
    plan = connector.plan(Ask(of.name, tuple(one.name for one in of.fields), by=by, args=of.args), of)
    pages = [page async for page in connector.fetch(plan, call or Call())]
    return [{name: column[at] for name, column in page.columns.items()} for page in pages for at in range(page.size)]


async def failure(connector: GrpcConnector, of: Relation, call: Call | None = None) -> SourceError:
    with pytest.raises(SourceError) as caught:
        await rows(connector, of, call)
    return caught.value
