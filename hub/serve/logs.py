"""Logs: one JSON object a line, with the request's id, and without a value that a caller or a system sent.

An exception is told by its type and the places it passed through; its message is left out, since messages quote values
(``invalid literal for int(): '9133…'``). What the hub logs by structlog goes straight to the stream, since each request logs a line;
what libraries log by the standard library takes the longer way to the same form. Must not know what is logged.
"""

from __future__ import annotations

import logging
import sys
import traceback
from collections.abc import MutableMapping
from contextlib import suppress
from types import TracebackType
from typing import Any, BinaryIO, Literal

import orjson
import structlog
from structlog.typing import Processor

Format = Literal["json", "text"]
Level = Literal["debug", "info", "warning", "error"]
_FRAMES = 12


class Lines:
    """Writes finished lines to a stream, each at once. What structlog calls a logger; ``name`` is who logs."""

    __slots__ = ("_stream", "name")

    def __init__(self, stream: BinaryIO, name: str = "") -> None:
        self._stream = stream
        self.name = name

    def msg(self, line: bytes) -> None:
        with suppress(OSError, ValueError):  # whoever read the log has gone: no reason to stop answering, or stopping
            self._stream.write(line + b"\n")
            self._stream.flush()

    debug = info = warning = error = critical = exception = msg


def configure(level: Level = "info", form: Format = "json", stream: BinaryIO | None = None) -> None:
    """Send everything from ``level`` on to ``stream`` (standard error), as JSON or as text for people."""
    out: BinaryIO = stream or sys.stderr.buffer
    number = logging.getLevelNamesMapping()[level.upper()]
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
        without_values,
    ]
    render = _json if form == "json" else _text(out)
    structlog.configure(
        processors=[*shared, _named, render],
        logger_factory=lambda *names: Lines(out, names[0] if names else ""),
        wrapper_class=structlog.make_filtering_bound_logger(number),
        cache_logger_on_first_use=False,
    )
    handler = _Handler(Lines(out))
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *shared],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, lambda *event: render(*event).decode()],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(number)
    # These narrate each connection and each statement; the latter with its values.
    logging.getLogger("uvicorn.access").disabled = True
    for name in ("sqlalchemy.engine", "aiosqlite", "asyncio"):
        logging.getLogger(name).setLevel(max(number, logging.WARNING))


class _Handler(logging.Handler):
    def __init__(self, lines: Lines) -> None:
        super().__init__()
        self._lines = lines

    def emit(self, record: logging.LogRecord) -> None:
        self._lines.msg(self.format(record).encode())


def without_values(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Turn ``exc_info`` into ``error`` (its type), ``frames`` (``file:line function``, innermost last) and ``cause``."""
    event.pop("stack_info", None)
    if "exc_info" not in event:
        return event
    found = event.pop("exc_info")
    error = sys.exc_info()[1] if found is True else found[1] if isinstance(found, tuple) else found
    if isinstance(error, BaseException):
        event["error"] = type(error).__name__
        event["frames"] = frames(error.__traceback__)
        if error.__cause__ is not None:
            event["cause"] = type(error.__cause__).__name__
    return event


def frames(trace: TracebackType | None) -> list[str]:
    """Where an exception passed, innermost last; at most the last dozen places."""
    return [f"{_short(frame.filename)}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(trace)[-_FRAMES:]]


def _short(path: str) -> str:
    return "/".join(path.replace("\\", "/").split("/")[-3:])


def _named(logger: Any, _: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    event["logger"] = logger.name
    return event


def _json(_: Any, __: str, event: MutableMapping[str, Any]) -> bytes:
    return orjson.dumps(event, default=str, option=orjson.OPT_NON_STR_KEYS)


def _text(stream: BinaryIO) -> Any:
    console = structlog.dev.ConsoleRenderer(colors=stream.isatty())

    def render(logger: Any, name: str, event: MutableMapping[str, Any]) -> bytes:
        return console(logger, name, event).encode()

    return render
