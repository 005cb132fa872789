"""外卖在线 as it is: gRPC with server reflection and an application's key in the metadata; merchants come as a stream, a firm's together.

At most 100 firms at once. Must not know the hub.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any

import grpc  # type: ignore[import-untyped]
from grpc import aio
from grpc_reflection.v1alpha import reflection  # type: ignore[import-untyped]

from demo.facts import World
from demo.faults import HTML, Cut, Faults, How, Tally, spoil
from demo.native import merchant_fields
from demo.proto import Proto
from demo.service import HOST

SERVICE = "takeaway.v1.Merchants"
BATCH = 100
PROTO = Proto(
    """
syntax = "proto3";
package takeaway.v1;
import "google/protobuf/timestamp.proto";

enum VerifyStatus {
  VERIFY_STATUS_UNSPECIFIED = 0;
  VERIFY_STATUS_MATCHED = 1;
  VERIFY_STATUS_MISMATCH = 2;
  VERIFY_STATUS_MISSING = 3;
}
message KitchenInspection {
  string inspection_id = 1;
  google.protobuf.Timestamp captured_at = 2;
  string indicator = 3;
  bool passed = 4;
}
message Merchant {
  string merchant_id = 1;
  string uscc = 2;
  string shop_name = 3;
  string platform_id = 4;
  optional string food_licence_no = 5;
  optional string licence_expires = 6;  // yyyy-MM-dd
  VerifyStatus verify_status = 7;
  google.protobuf.Timestamp verified_at = 8;
  bool sunshine_kitchen = 9;
  int64 orders = 10;
  repeated KitchenInspection inspections = 11;
}
message FindMerchantsRequest {
  repeated string usccs = 1;
}
message FindMerchantsResponse {
  repeated Merchant merchants = 1;
}
service Merchants {
  rpc FindMerchants(FindMerchantsRequest) returns (stream FindMerchantsResponse);
}
""",
    "takeaway.proto",
)


class GrpcDoor:
    """The door of a gRPC service. A server that was stopped is never started again: each opening has one of its own."""

    def __init__(self, world: World, faults: Faults, tally: Tally, key: str) -> None:
        self._merchants: dict[str, list[Mapping[str, Any]]] = {}
        for merchant in world.merchants:
            self._merchants.setdefault(merchant.uscc, []).append(merchant_fields(merchant))
        self._faults, self._tally, self._key = faults, tally, key
        self._server: Any = None

    async def open(self, port: int) -> int:
        self._server = aio.server(options=[("grpc.so_reuseport", 0)])
        self._server.add_generic_rpc_handlers((PROTO.handler(SERVICE, {"FindMerchants": self._find}),))
        reflection.enable_server_reflection(PROTO.services, self._server, PROTO.pool)
        found: int = self._server.add_insecure_port(f"{HOST}:{port}")
        await self._server.start()
        return found

    async def shut(self) -> None:
        server, self._server = self._server, None
        if server is not None:
            await server.stop(None)

    def url(self, port: int) -> str:
        return f"grpc://{HOST}:{port}"

    async def _find(self, asked: Any, context: Any) -> AsyncIterator[Any]:
        keys = list(dict.fromkeys(asked.usccs))
        self._tally.add("FindMerchants", len(keys))
        try:
            how = await self._faults.gate()
        except Cut:
            await context.abort(grpc.StatusCode.UNAVAILABLE, "")
        if ("x-app-key", self._key) not in context.invocation_metadata():
            await context.abort(grpc.StatusCode.UNAUTHENTICATED, "应用密钥无效")
        if not keys or len(keys) > BATCH:
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, f"统一社会信用代码应为1至{BATCH}个")
        for key in keys:
            merchants = self._merchants.get(key)
            if merchants:
                yield HTML.encode() if how is How.HTML else answer(merchants, how)


def answer(merchants: list[Mapping[str, Any]], how: How | None = None) -> Any:
    """A message with these merchants. What a spoiled one has, and the type does not, cannot be written down."""
    rows = merchants if how is None else spoil(merchants, how)
    kind = PROTO.message("Merchant").DESCRIPTOR
    return PROTO.message("FindMerchantsResponse")(merchants=[_fit(kind, row) for row in rows])


def _fit(kind: Any, row: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in row.items():
        field = kind.fields_by_name.get(name)
        if field is not None and isinstance(value, list):
            found[name] = [_fit(field.message_type, each) for each in value]
        elif field is not None and (not isinstance(value, str) or field.type == field.TYPE_STRING):
            found[name] = value
    return found
