"""gRPC services as manifests: what is taken of their reflection, and that the hub asks by what was written."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc  # type: ignore[import-untyped]
import pytest

from connectors.spi import SourceError
from demo.proto import Proto
from hub.introspect.protos import find
from tests.connectors.grpc_service import serving
from tests.introspect.shell import elsewhere as elsewhere
from tests.introspect.shell import ran

TEXT = """
package std.v1;
import "google/protobuf/timestamp.proto";
enum Grade {
  GRADE_UNSPECIFIED = 0;
  NATIONAL = 1;
  LOCAL = 2;
}
message Writer {
  string uscc = 1;
  int32 standards_drafted = 2;
  google.protobuf.Timestamp last_drafted_at = 3;
}
message FindWritersRequest {
  repeated string usccs = 1;
  int32 page_size = 2;
}
message FindWritersResponse {
  repeated Writer writers = 1;
  string next_page_token = 2;
}
message Standard {
  string standard_id = 1;
  string title = 2;
  Grade grade = 3;
  string drafter_uscc = 4;
  repeated string tags = 5;
  map<string, string> links = 6;
}
message StandardKey {
  string standard_id = 1;
}
message ListStandardsRequest {
  string page_token = 1;
  bool all = 2;
}
message Done {
  bool done = 1;
}
service Standards {
  rpc FindWriters(FindWritersRequest) returns (FindWritersResponse);
  rpc GetStandard(StandardKey) returns (Standard);
  rpc ListStandards(ListStandardsRequest) returns (stream Standard);
  rpc Withdraw(StandardKey) returns (Done);
}
"""
PROTO = Proto(TEXT)
SERVICE = "std.v1.Standards"
USCC = "91330100MA2000000Q"


@asynccontextmanager
async def standards(proto: Proto = PROTO, key: str = "") -> AsyncIterator[str]:
    make = proto.message

    async def find_writers(asked: Any, context: Any) -> Any:
        if key and ("x-key", key) not in context.invocation_metadata():
            await context.abort(grpc.StatusCode.UNAUTHENTICATED, "")
        writers = [make("Writer")(uscc=uscc, standards_drafted=3) for uscc in asked.usccs]
        return make("FindWritersResponse")(writers=writers)

    async def get_standard(asked: Any, context: Any) -> Any:
        return make("Standard")(standard_id=asked.standard_id, title="标准", grade=2, tags=["a"])

    async with serving(proto, {SERVICE: {"FindWriters": find_writers, "GetStandard": get_standard}}) as target:
        yield target


async def test_methods_that_read_are_taken_with_what_they_need_to_be_given() -> None:
    async with standards() as target:
        found = await find(target, variable="STD_ADDRESS")
    assert (found.kind, found.source) == ("grpc", {"target": "${STD_ADDRESS}"})
    seen = {one.name.partition("/")[2]: one for one in found.relations}
    assert {name: (one.row, one.many, one.place["at"]) for name, one in seen.items()} == {
        "FindWriters": ("Writer", True, "writers"), "GetStandard": ("Standard", False, ""), "ListStandards": ("Standard", True, ""),
    }  # fmt: skip
    params = {name: [(each.name, each.required, each.many) for each in one.params] for name, one in seen.items()}
    assert params["FindWriters"] == [("usccs", True, True), ("page_size", False, False)]
    assert params["GetStandard"] == [("standard_id", True, False)]
    assert not any(required for _, required, _ in params["ListStandards"])
    columns = {each.path: each for each in seen["GetStandard"].columns}
    assert (columns["grade"].texts, columns["tags"].many, columns["links"].type) == (("NATIONAL", "LOCAL"), True, "other")
    assert any(f"Left out: {SERVICE}/Withdraw" in note for note in found.notes)


async def test_a_method_may_be_named_and_one_that_is_not_there_is_told() -> None:
    async with standards() as target:
        found = await find(target, variable="STD_ADDRESS", methods=["GetStandard"])
        assert [one.name for one in found.relations] == [f"{SERVICE}/GetStandard"]
        with pytest.raises(SourceError, match="no method 'GetStandards'"):
            await find(target, variable="STD_ADDRESS", methods=["GetStandards"])


@pytest.mark.usefixtures("elsewhere")
async def test_what_is_written_passes_its_check_and_asks_the_service(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async with standards() as target:
        assert await ran("add", "grpc", "std", target, "--title", "标准") == 0
        told = capsys.readouterr().out
        assert f"give its address: STD_ADDRESS={target}" in told
        text = (tmp_path / "systems" / "std.graphql").read_text(encoding="utf-8")
        assert '@grpc(target: "${STD_ADDRESS}"' in text
        batch = 'input: {usccs: "{keys}"}, at: "writers", batch: {by: "uscc", match: "uscc", max: 100}'
        assert f'@call(operation: "{SERVICE}/FindWriters", {batch})' in text
        assert await ran("check", "systems") == 0
        monkeypatch.setenv("STD_ADDRESS", target)
        assert await ran("check", "systems", "--live") == 0
        capsys.readouterr()
        assert await ran("try", "std.byUscc", f"uscc={USCC}") == 0
        told = capsys.readouterr().out
    assert f'{{"usccs":["{USCC}"]}}' in told
    assert f"{target}/{SERVICE}/FindWriters" in told
    assert re.search(r"standardsDrafted +standards_drafted 3 -> 3\n", told)


@pytest.mark.usefixtures("elsewhere")
async def test_a_service_that_changed_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    async with standards() as target:
        assert await ran("add", "grpc", "std", target) == 0
    async with standards(Proto(TEXT.replace("int32 standards_drafted", "int32 drafted"))) as target:
        monkeypatch.setenv("STD_ADDRESS", target)
        capsys.readouterr()
        assert await ran("check", "systems", "--live") == 1
    assert "MISSING_FIELD The service has no field 'standards_drafted'" in capsys.readouterr().out


@pytest.mark.usefixtures("elsewhere")
async def test_who_is_not_there_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert await ran("add", "grpc", "std", "127.0.0.1:1") == 1
    assert "The source is out of service." in capsys.readouterr().err
    assert await ran("add", "grpc", "std") == 1
    assert "STD_ADDRESS" in capsys.readouterr().err
