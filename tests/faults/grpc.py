"""gRPC: two keys a call, with a key in the metadata, from a server that says of itself what it has, whatever that is now."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc  # type: ignore[import-untyped]

from demo.faults import HTML
from demo.proto import Proto
from tests.connectors.grpc_service import serving
from tests.connectors.loopback import nobody
from tests.faults.asking import KEYS, LIMITS, RIGHT, ROWS, SECRET, TRUTH, Kind, There, manifest
from tests.faults.records import FAULTY, long_truth, spoiled
from tests.faults.wire import WIRE, certificate, wire

SERVICE = "records.v1.Records"
MOST = 1_000_000
TEXT = """
package records.v1;
message Asked {
  repeated string codes = 1;
}
message Record {
  optional string code = 1;
  string nr = 2;
  int32 dj = 3;
  optional double je = 4;
  string rq = 5;
  string bt = 6;
}
message Answer {
  repeated Record rows = 1;
  string note = 2;
}
service Records {
  rpc Find(Asked) returns (Answer);
  rpc Hold(Asked) returns (Answer);
}
"""
# What the service is of late: in some faults its own words have changed.
RELEASES: Mapping[str, tuple[tuple[str, str], ...]] = {
    "missing_key": (("optional string code", "string code"),),
    "number_as_text": (("int32 dj", "string dj"), ("optional double je", "string je")),
    "long_numbers": (("string nr", "int64 nr"), ("optional double je", "string je")),
    "renamed_column": (("int32 dj = 3", "int32 dj_new = 3"),),
    "dropped_column": (("  int32 dj = 3;\n", ""),),
}


def released(fault: str) -> Proto:
    text = TEXT
    for old, new in RELEASES.get(fault, ()):
        text = text.replace(old, new)
    return Proto(text, "records.proto")


def sent(proto: Proto, fault: str, codes: list[str]) -> bytes:
    """The answer to a question for ``codes``, as it goes out."""
    rows: list[Any] = [row for row in ROWS if row["code"] in codes]
    rows = spoiled(fault, rows) if fault in FAULTY else rows
    if fault == "long_numbers":
        rows = [{**row, "nr": int(row["nr"]), "je": str(row["je"])} for row in rows]
    elif fault == "not_a_number":
        rows = [{**row, "je": float(row["je"])} for row in rows]
    record = proto.message("Record")
    parts = [record(**row).SerializeToString() for row in rows]
    match fault:
        case "doubled_name":  # the last one counts, as protobuf has it
            parts = [record(dj=77).SerializeToString() + part for part in parts]
        case "wrong_charset":
            parts = [part.replace(str(row["bt"]).encode(), _padded(str(row["bt"]))) for part, row in zip(parts, rows, strict=True)]
    answer = b"".join(_delimited(1, part) for part in parts)
    match fault:
        case "wrong_length":
            answer = b"".join(_delimited(1, part, len(part) // 2) for part in parts)
        case "huge":
            answer += proto.message("Answer")(note="x" * 2 * MOST).SerializeToString()
        case "deep":
            answer += b"\x1b" * 100_000 + b"\x1c" * 100_000  # groups of a field that nobody knows
    return answer


def _delimited(number: int, part: bytes, length: int | None = None) -> bytes:
    size = len(part) if length is None else length
    assert size < 2**14
    return bytes((number << 3 | 2, size & 127 | 128, size >> 7)) + part


def _padded(text: str) -> bytes:
    """A text in GBK, as long as it is in UTF-8."""
    return text.encode("gbk").ljust(len(text.encode()))


@asynccontextmanager
async def serve(fault: str, folder: Path) -> AsyncIterator[There]:
    proto = released(fault)

    async def find(asked: Any, context: Any) -> Any:
        if ("x-app-key", SECRET) not in context.invocation_metadata() or (fault == "denied_midway" and KEYS[2] in asked.codes):
            await context.abort(grpc.StatusCode.UNAUTHENTICATED, "")
        if fault == "fails_500":
            await context.abort(grpc.StatusCode.INTERNAL, "java.lang.NullPointerException at cn.gov.records.Dao.find(Dao.java:42)")
        if fault == "busy_429":
            context.set_trailing_metadata((("grpc-retry-pushback-ms", "60000"),))
            await context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, "")
        return sent(proto, fault, list(asked.codes))

    shown = certificate(folder, days=(-10, -1)) if fault == "certificate_expired" else None
    credentials = grpc.ssl_server_credentials([(shown.key.read_bytes(), shown.chain.read_bytes())]) if shown else None
    most = 1 if fault == "pool_exhausted" else None
    held = asyncio.Event()

    async def hold(asked: Any, context: Any) -> None:
        held.set()
        await asyncio.Event().wait()

    async with (
        serving(proto, {SERVICE: {"Find": find, "Hold": hold}}, credentials=credentials, most=most) as target,
        grpc.aio.insecure_channel(target) as other,
        wire(int(target.rpartition(":")[2]), whole=400) as between,
        proxy() as page,
    ):
        if fault in WIRE:
            between.mode = fault  # type: ignore[assignment]  # WIRE holds modes
        if fault == "pool_exhausted":
            other.unary_unary(f"/{SERVICE}/Hold")(b"")
            await held.wait()
        port = {"refuses": nobody(), "html": page}.get(fault, between.port)
        yield There(
            {"RECORDS_ADDRESS": f"grpcs://{target}" if shown else f"127.0.0.1:{port}"},
            {"records.key": SECRET},
            then=between.cut if fault == "restarted" else None,
            truth=long_truth() if fault == "long_numbers" else TRUTH,
        )


@asynccontextmanager
async def proxy() -> AsyncIterator[int]:
    """The port of a server that has a page for whoever comes, and no HTTP/2."""

    async def answered(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(24)
        body = HTML.encode()
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        writer.close()

    server = await asyncio.start_server(answered, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


GRPC = Kind(
    "gRPC",
    manifest(
        '@grpc(target: "${RECORDS_ADDRESS}", auth: {kind: API_KEY, header: "X-App-Key", secret: "records.key"}, '
        f"maxBytes: {MOST}, {LIMITS})",
        f'@call(operation: "{SERVICE}/Find", input: {{codes: "{{keys}}"}}, at: "rows", batch: {{by: "uscc", match: "code", max: 2}})',
    ),
    serve,
    sees={
        "refuses": "SYSTEM_DOWN",
        "hangs": "SYSTEM_SLOW",
        "resets": "SYSTEM_DOWN",
        "drips": "SYSTEM_SLOW",
        "wrong_length": "SYSTEM_BROKEN",
        "truncated": "SYSTEM_DOWN",
        "fails_500": "SYSTEM_BROKEN",
        "busy_429": "SYSTEM_BUSY",
        "denied_midway": "SYSTEM_DENIED at c",
        "html": "SYSTEM_BROKEN",
        "wrong_charset": "SYSTEM_BROKEN",
        "huge": "SYSTEM_BROKEN",
        "deep": "SYSTEM_BROKEN",
        "null_key": "SYSTEM_BROKEN at a, b",
        "missing_key": "SYSTEM_BROKEN at a, b",
        "extra_row": "SYSTEM_BROKEN",
        "doubled_row": "SYSTEM_BROKEN at b",
        "doubled_name": RIGHT,
        "other_order": RIGHT,
        "number_as_text": RIGHT,
        "long_numbers": RIGHT,
        "not_a_number": "BAD_VALUE at b.fileFee",
        "invalid_date": "BAD_VALUE at b.fileChecked",
        "renamed_column": "SYSTEM_CONFIG",
        "dropped_column": "SYSTEM_CONFIG",
        "certificate_expired": "SYSTEM_CONFIG",
        "pool_exhausted": "SYSTEM_BUSY",
        "restarted": RIGHT,
    },
    never={"clock_skew": "deadlines go out as spans of time, and no clock of the source is compared with the hub's"},
)
