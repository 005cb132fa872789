"""Logs are JSON lines with the request's id, and no value of anybody ever stands in them."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator
from typing import Any

import orjson
import pytest
import structlog

from hub.serve import logs
from tests.serve.small import post, world

PLANTED = "91330100MA2PLANTED"


@pytest.fixture
def written() -> Iterator[io.BytesIO]:
    """Logging sent to a buffer, and everything put back afterwards."""
    root = logging.getLogger()
    handlers, level, kept = list(root.handlers), root.level, structlog.get_config()
    stream = io.BytesIO()
    logs.configure("info", "json", stream)
    yield stream
    structlog.configure(**kept)
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.getLogger("uvicorn.access").disabled = False


def lines(stream: io.BytesIO) -> list[dict[str, Any]]:
    return [orjson.loads(line) for line in stream.getvalue().splitlines()]


async def test_a_request_is_one_line_with_its_id(written: io.BytesIO) -> None:
    seen = await post(world().endpoint, {"query": "query Q { hello }"}, authorization="Bearer app")
    [line] = lines(written)
    assert line["request_id"] == seen.headers["x-request-id"]
    assert (line["event"], line["logger"], line["level"], line["status"], line["client"]) == ("answered", "hub.request", "info", 200, "app")
    assert (line["operation"], line["kind"], line["codes"]) == ("Q", "query", [])
    assert line["ms"] > 0
    assert line["at"].endswith("Z")


@pytest.mark.parametrize(
    "payload",
    [
        {"query": f'{{ hello(name: "{PLANTED}") }}'},
        {"query": "query ($n: String) { hello(name: $n) }", "variables": {"n": PLANTED}},
        {"query": "query ($n: Int) { hello(name: $n) }", "variables": {"n": PLANTED}},
        {"query": f'{{ hello(name: "{PLANTED}" ', "extensions": {"x": PLANTED}},
        {"query": f'{{ crash hello(name: "{PLANTED}") }}'},
        {"query": f'{{ helo(nam: "{PLANTED}") }}', "operationName": "Missing"},
    ],
)
async def test_no_value_of_a_caller_is_logged(written: io.BytesIO, payload: dict[str, Any]) -> None:
    await post(world().endpoint, payload, authorization=f"Bearer {PLANTED}")
    await post(world().endpoint, payload, authorization="Bearer app")
    assert lines(written)
    assert PLANTED.encode() not in written.getvalue()


async def test_a_defect_is_told_by_type_and_place(written: io.BytesIO) -> None:
    await post(world().endpoint, {"query": "{ crash }"})
    failed = lines(written)[0]
    assert (failed["event"], failed["level"], failed["error"]) == ("request failed", "error", "ZeroDivisionError")
    assert failed["frames"][-1].endswith(" execute")
    assert b"91330100MA2XXXXX0A" not in written.getvalue()  # the message of that error


def test_what_libraries_log_takes_the_same_form(written: io.BytesIO) -> None:
    try:
        int(PLANTED)
    except ValueError as error:
        cause = KeyError(PLANTED)
        cause.__cause__ = error
        logging.getLogger("aiohttp.client").error("connection lost", exc_info=cause)
    [line] = lines(written)
    assert (line["logger"], line["event"], line["error"], line["cause"]) == ("aiohttp.client", "connection lost", "KeyError", "ValueError")
    assert PLANTED.encode() not in written.getvalue()


def test_the_level_holds_for_both(written: io.BytesIO) -> None:
    logs.configure("warning", "json", written)
    structlog.get_logger("a").info("quiet")
    logging.getLogger("b").info("quiet")
    structlog.get_logger("a").warning("loud")
    assert [line["event"] for line in lines(written)] == ["loud"]


def test_text_is_for_people(written: io.BytesIO) -> None:
    logs.configure("info", "text", written)
    structlog.get_logger("hub").warning("system not connected", system="credit531x")
    assert b"system not connected" in written.getvalue()
    assert b"system=credit531x" in written.getvalue()


def test_statements_with_their_values_are_not_logged(written: io.BytesIO) -> None:
    logs.configure("debug", "json", written)
    logging.getLogger("sqlalchemy.engine.Engine").info("INSERT %s", PLANTED)
    assert written.getvalue() == b""


class Closed(io.RawIOBase):
    """A pipe whose reader has gone."""

    def writable(self) -> bool:
        return True

    def write(self, _: Any) -> int:
        raise BrokenPipeError


async def test_a_log_that_nobody_reads_stops_nothing(written: io.BytesIO) -> None:
    logs.configure("info", "json", io.BufferedWriter(Closed(), buffer_size=1))
    assert (await post(world().endpoint, {"query": "{ hello }"})).status == 200
    logging.getLogger("uvicorn.error").error("lost")
