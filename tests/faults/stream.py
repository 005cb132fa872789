"""Streams: messages as a fault says on a subject of JetStream, a topic of MQTT or a queue of AMQP, with a wire to the broker. One message
a row, each with its number."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

from demo.faults import HTML
from tests.connectors.brokers import address, filtered, own, queued, subject
from tests.connectors.loopback import nobody
from tests.faults.asking import KEYS, LIMITS, RIGHT, ROWS, SECRET, TRUTH, Kind, There, manifest
from tests.faults.records import long_truth, spoiled, written
from tests.faults.wire import WIRE, Mode, wire

MOST = 250_000  # ``maxBytes``
NAME = own()  # what a manifest says cannot be given from outside, so all faults of a process share it: one after the other


def messages(fault: str) -> list[bytes]:
    """What the department announces, in order."""
    rows = spoiled(fault, ROWS)
    found = [_body({**row, "xh": 10 + at}) for at, row in enumerate(rows)]
    second = _body({**ROWS[1], "xh": 20})
    match fault:
        case "html":
            found[1] = HTML.encode()
        case "wrong_charset":
            found[1] = found[1].decode().encode("gb18030")
        case "huge":
            found[1] = _body({**ROWS[1], "bt": "x" * MOST, "xh": 11})
        case "deep":
            found[1] = b'{"code": "%s", "xh": 11, "bt": %s%s}' % (KEYS[1].encode(), b"[" * 100_000, b"]" * 100_000)
        case "doubled_name":
            found[1] = found[1].replace(b'{"code"', b'{"dj":9,"code"')
        case "doubled_row":  # the later of the two is the latest
            found = [_body({**row, "xh": 10 + at}) for at, row in enumerate([{**ROWS[1], "dj": 9}, *ROWS])]
        case "redelivered":
            found = [*found, *found]
        case "out_of_order":
            found = [second, *found, _body({**ROWS[1], "dj": 9, "xh": 12})]
        case "poisoned":
            found = [b"\x00\xff", *found, b"null", b'{"code": "' + KEYS[1].encode() + b'"}', b"{"]
    return found


def _body(row: Mapping[str, Any]) -> bytes:
    return written(row).encode()


@asynccontextmanager
async def on_nats(url: str, said: Sequence[bytes]) -> AsyncIterator[None]:
    async with subject(url, NAME) as topic:
        await topic.publish(*said)
        yield


@asynccontextmanager
async def on_mqtt(url: str, said: Sequence[bytes]) -> AsyncIterator[None]:
    """Each message is retained on a topic of its own: that is what the broker shows to one who comes later."""
    async with filtered(url, name=NAME) as topics:
        for at, body in enumerate(said):
            await topics.retain(f"{at:02}", body)
        yield


@asynccontextmanager
async def on_amqp(url: str, said: Sequence[bytes]) -> AsyncIterator[None]:
    async with queued(url, name=NAME) as queue:
        await queue.publish(*said)
        yield


Announced = Callable[[str, Sequence[bytes]], AbstractAsyncContextManager[None]]


@asynccontextmanager
async def serve(variable: str, announced: Announced, whole: int, fault: str, folder: Path) -> AsyncIterator[There]:
    """``whole``: after so many bytes the broker's first answer has begun and not ended."""
    url = address(variable)
    parts = urlsplit(url)
    async with announced(url, messages(fault)):
        mode = cast(Mode, fault if fault in WIRE else "passes")
        async with wire(parts.port or 0, mode, whole) as made:
            port = nobody() if fault == "refuses" else made.port
            yield There(
                {"RECORDS_URL": f"{parts.scheme}://127.0.0.1:{port}"},
                {"records.user": "hub", "records.password": SECRET},
                then=made.cut if fault == "restarted" else None,
                truth=long_truth() if fault == "long_numbers" else TRUTH,
            )


AUTH = ', auth: {kind: BASIC, user: "records.user", secret: "records.password"}'
_BROKER = "a broker is joined once and answers no questions; what it refuses is `config` or `denied` (tests/connectors)"
SEES = {
    "refuses": "SYSTEM_DOWN",
    "hangs": "SYSTEM_SLOW",
    "resets": "SYSTEM_DOWN",
    "drips": "SYSTEM_SLOW",
    "truncated": "SYSTEM_BROKEN",
    "html": "null at b",
    "wrong_charset": "null at b",
    "huge": "null at b",
    "deep": "null at b",
    "null_key": "null at b",
    "missing_key": "null at b",
    "extra_row": RIGHT,
    "doubled_row": RIGHT,
    "doubled_name": RIGHT,
    "other_order": RIGHT,
    "number_as_text": RIGHT,
    "long_numbers": RIGHT,
    "not_a_number": "null at b",
    "invalid_date": "BAD_VALUE at b.fileChecked",
    "renamed_column": "BAD_VALUE at fileLevel of each",
    "dropped_column": "BAD_VALUE at fileLevel of each",
    "restarted": RIGHT,
    "redelivered": RIGHT,
    "out_of_order": RIGHT,
    "poisoned": RIGHT,
}
NEVER = {
    "wrong_length": "how long a message is is the broker's and the driver's own business; what is cut off is `truncated`",
    **dict.fromkeys(("fails_500", "busy_429", "denied_midway"), _BROKER),
    "clock_skew": "messages have an order; no clock of the source is compared with the hub's",
    "pool_exhausted": "a broker that has no connection left hangs up, which is `resets`",
}


_UNHURRIED = LIMITS.replace("400ms", "1s")  # to join a stream takes several questions, and a quarter of a second of silence of MQTT


def _manifest(path: str, auth: str = AUTH) -> str:
    source = f'@stream(url: "${{RECORDS_URL}}", maxBytes: {MOST}, {_UNHURRIED}{auth})'
    return manifest(source, table=f'@topic(path: "{path}", order: "xh")', always=True)


_NO_TLS = "the broker of the tests has no TLS; a certificate is looked at as of every connection"
STREAM = Kind(
    "NATS",
    _manifest(f"{NAME}.news"),
    partial(serve, "HUB_TEST_NATS", on_nats, 40),
    sees=SEES,
    never={**NEVER, "certificate_expired": "NATS begins TLS after a greeting in the clear, and the broker of the tests has none"},
    streams=True,
)
MQTT = Kind(
    "MQTT",
    _manifest(f"{NAME}/+"),
    partial(serve, "HUB_TEST_MQTT", on_mqtt, 3),
    sees={**SEES, "truncated": "SYSTEM_DOWN"},
    never={**NEVER, "certificate_expired": _NO_TLS},
    streams=True,
)
AMQP = Kind(
    "AMQP",
    _manifest(NAME, auth=""),
    partial(serve, "HUB_TEST_AMQP", on_amqp, 40),
    sees=SEES,
    never={**NEVER, "certificate_expired": _NO_TLS},
    streams=True,
)
