"""Descriptions that lie in a file or behind an address: OpenAPI documents, GraphQL schemas. The only requests of ``hub add`` but the
connectors' own. Raises SourceError.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import aiohttp
import orjson

from connectors.settings import refused
from connectors.spi import SourceError

MOST = 16 * 1024 * 1024
_SECONDS = 20.0


async def text_of(place: str, headers: Mapping[str, str] | None = None) -> str:
    """The text of a file, or of what an http(s) address answers with."""
    if not is_address(place):
        try:
            return await asyncio.to_thread(Path(place).read_text, encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            raise SourceError("missing", f"Cannot read {place}.", detail=type(error).__name__) from None
    return (await bytes_of(place, headers)).decode("utf-8-sig", "replace")


async def bytes_of(address: str, headers: Mapping[str, str] | None = None) -> bytes:
    """What an address answers with."""
    return await _asked("GET", address, headers or {})


async def posted(address: str, body: Any, headers: Mapping[str, str] | None = None) -> Any:
    """The JSON that an address answers a JSON body with."""
    return _json(await _asked("POST", address, headers or {}, orjson.dumps(body)))


def is_address(place: str) -> bool:
    return place.startswith(("http://", "https://"))


def data_of(text: str) -> Any:
    """JSON or YAML as plain data."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        pass
    try:
        yaml = import_module("yaml")
    except ModuleNotFoundError:
        raise refused("YAML is read by the package 'pyyaml', which is not installed: pip install 'yiwang-hub[add]'") from None
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        at = f" at line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise SourceError("broken", f"The document is neither JSON nor YAML{at}.") from None


async def _asked(method: str, address: str, headers: Mapping[str, str], body: bytes | None = None) -> bytes:
    sent = {"Accept": "application/json, */*;q=0.5", **({"Content-Type": "application/json"} if body is not None else {}), **headers}
    try:
        timeout = aiohttp.ClientTimeout(total=_SECONDS)
        async with aiohttp.ClientSession(timeout=timeout) as session, session.request(method, address, data=body, headers=sent) as answer:
            if answer.status in (401, 403):
                raise SourceError("denied", f"The source refused: status {answer.status}. Give a credential by --header.")
            if not 200 <= answer.status < 300 and answer.status != 400:
                raise SourceError("broken", f"The source answered with status {answer.status}.")
            content = await answer.content.read(MOST + 1)
            while len(content) <= MOST and (more := await answer.content.read(MOST + 1 - len(content))):
                content += more
    except (aiohttp.ClientError, OSError) as error:
        raise SourceError("down", "The source cannot be reached.", detail=type(error).__name__) from None
    except TimeoutError:
        raise SourceError("slow", "The source did not answer in time.") from None
    if len(content) > MOST:
        raise SourceError("broken", "The document is too large.", detail=f"over {MOST} bytes")
    return content


def _json(content: bytes) -> Any:
    try:
        return orjson.loads(content)
    except orjson.JSONDecodeError:
        raise SourceError("broken", "The source did not answer with JSON.") from None
