"""The contract over REST: a real server that batches, pages in every style, and takes an API key."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

from connectors.contract import ROWS, Contract, World
from connectors.rest import RestConnector, RestSettings
from connectors.spi import Field, Options, Relation, Secret
from tests.connectors.loopback import never, nobody, served

SECRET = "rest-secret-4711"
NATIVE = [{"nr": r["id"], "wer": {"id": r["holder"]}, "zz": [{"mc": r["name"]}], "dj": r["level"], "bfrq": r["issuedOn"]} for r in ROWS]
REST_FIELDS = (
    Field("id", "nr"),
    Field("holder", "wer.id"),
    Field("name", "zz[0].mc"),
    Field("level", "dj", "int"),
    Field("issuedOn", "bfrq"),
)
SIZE = 7


def answer(rows: Sequence[Mapping[str, Any]], **more: Any) -> web.Response:
    return web.json_response({"code": "0", "data": {"list": list(rows), **more}})


def known(request: web.Request) -> None:
    if request.headers.get("X-App-Key") != SECRET:
        raise web.HTTPUnauthorized


async def batch(request: web.Request) -> web.Response:
    known(request)
    keys = request.query["ids"].split(",")
    return answer([row for row in reversed(NATIVE) if row["nr"] in keys])


async def posted(request: web.Request) -> web.Response:
    known(request)
    keys = (await request.json())["query"]["ids"]
    return answer([row for row in NATIVE if row["nr"] in keys])


async def by_holder(request: web.Request) -> web.Response:
    """One holder, in pages; rows do not repeat who was asked for."""
    known(request)
    rows = [{**row, "wer": None} for row in NATIVE if row["wer"]["id"] == request.match_info["holder"]]
    start = (int(request.query["pageNum"]) - 1) * int(request.query["pageSize"])
    return answer(rows[start : start + int(request.query["pageSize"])], total=str(len(rows)))


def chosen(request: web.Request) -> list[dict[str, Any]]:
    known(request)
    name, level = request.query.get("mc"), request.query.get("dj")
    return [row for row in NATIVE if name in (None, row["zz"][0]["mc"]) and level in (None, str(row["dj"]))]


async def pages(request: web.Request) -> web.Response:
    """Pages by number; every other page is one row short of its size, as some departments' pages are."""
    rows, page = chosen(request), int(request.query["p"])
    cuts = [0]
    while cuts[-1] < len(rows):
        cuts.append(cuts[-1] + SIZE - len(cuts) % 2)
    part = rows[cuts[page - 1] : cuts[page]] if page < len(cuts) else []
    return answer(part)


async def offsets(request: web.Request) -> web.Response:
    rows, start = chosen(request), int(request.query["from"])
    return answer(rows[start : start + min(5, int(request.query["n"]))], total=len(rows))


async def cursors(request: web.Request) -> web.Response:
    """Marks; an empty part in between is not the end."""
    rows, start = chosen(request), int(request.query.get("after", "0"))
    if request.query.get("empty"):
        return answer([], next=start)
    following = start + SIZE
    return answer(rows[start:following], next=following if following < len(rows) else None)


async def links(request: web.Request) -> web.Response:
    """The next part by a link, which is another path than the first; an empty part in between is not the end."""
    rows, start = chosen(request), int(request.match_info.get("start", "0"))
    if request.query.get("empty"):
        found, following = answer([]), f"../from/{start}"
    else:
        found, following = answer(rows[start : start + SIZE]), f"/linked/from/{start + SIZE}?empty=1"
    if request.query.get("empty") or start + SIZE < len(rows):
        found.headers["Link"] = f'<{following}>; rel="next", </linked>; rel="first"'
    return found


async def nonsense(request: web.Request) -> web.Response:
    return web.Response(text="<html><h1>系统维护中</h1></html>", content_type="text/html")


async def well(request: web.Request) -> web.Response:
    known(request)
    return web.Response(text="ok")


ROUTES = (
    web.get("/", batch),
    web.get("/batch", batch),
    web.post("/posted", posted),
    web.get("/holders/{holder}/list", by_holder),
    web.get("/pages", pages),
    web.get("/offsets", offsets),
    web.get("/cursors", cursors),
    web.get("/linked", links),
    web.get("/linked/from/{start}", links),
    web.get("/stuck", never),
    web.get("/garbage/{any:.*}", nonsense),
    web.get("/well", well),
)


def rest_relation(name: str, native: Mapping[str, Any], **more: Any) -> Relation:
    return Relation(name, more.pop("fields", REST_FIELDS), Options({"at": "data.list", **native}), **more)


BATCH = rest_relation(
    "batch", {"path": "/batch?ids={keys}", "batch": {"by": "id", "match": "nr", "max": 10}},
    fields=(Field("id", ""), *REST_FIELDS[1:]), keys=("id",), max_keys=10,
)  # fmt: skip
POSTED = rest_relation(
    "posted",
    {"path": "/posted", "method": "POST", "body": {"query": {"ids": "{keys}"}}, "batch": {"by": "id", "match": "nr", "max": 10}},
    keys=("id",), max_keys=10,
)  # fmt: skip
BY_HOLDER = rest_relation(
    "byHolder",
    {
        "path": "/holders/{holder}/list",
        "page": {"style": "PAGE", "page": "pageNum", "limit": "pageSize", "size": 3, "total": "data.total"},
    },
    fields=(Field("holder", ""), *REST_FIELDS[:1], *REST_FIELDS[2:]), keys=("holder",), max_keys=1,
)  # fmt: skip
PAGES = rest_relation(
    "pages", {"path": "/pages?mc={name}", "page": {"style": "PAGE", "page": "p"}}, where=Options({"name": ["EQ", "PREFIX"]})
)  # fmt: skip
OFFSETS = rest_relation(
    "offsets",
    {
        "path": "/offsets?mc={name}&dj={level}",
        "page": {"style": "OFFSET", "offset": "from", "limit": "n", "total": "data.total"},
    },
    where=Options({"name": ["EQ"], "level": ["EQ"]}), limit=True, total=True,
)  # fmt: skip
CURSORS = rest_relation("cursors", {"path": "/cursors", "page": {"style": "CURSOR", "cursor": "after", "next": "data.next"}}, limit=True)
LINKS = rest_relation("links", {"path": "/linked", "page": {"style": "LINK"}}, limit=True)
RELATIONS = (BATCH, POSTED, BY_HOLDER, PAGES, OFFSETS, CURSORS, LINKS)
STUCK = rest_relation("stuck", {"path": "/stuck"})


class TestRest(Contract):
    @asynccontextmanager
    async def world(self) -> AsyncIterator[World]:
        async with served(*ROUTES) as base:
            options = {"base": base, "auth": {"kind": "API_KEY", "header": "X-App-Key", "secret": Secret(SECRET)}, "health": "/well"}
            made = [
                RestConnector(RestSettings.of({**options, "base": place}))
                for place in (base, f"http://127.0.0.1:{nobody()}", base + "/garbage")
            ]
            try:
                yield World(
                    connector=made[0],
                    relations=RELATIONS,
                    stuck=STUCK,
                    gone=(made[1], BATCH),
                    garbage=(made[2], BATCH),
                    options=options,
                    secret=SECRET,
                    unsendable={"batch": frozenset({"a,b"}), "byHolder": frozenset({".", ".."})},
                )
            finally:
                for connector in made:
                    await connector.close()
