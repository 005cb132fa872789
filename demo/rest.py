"""The three REST departments: 电子证照库, 公共信用信息平台, 互联网+监管.

Each has its own envelope, names, limits and manners, as its manifest declares them. Must not know the hub.
"""

from __future__ import annotations

import hmac
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any

import orjson
from aiohttp import web

from demo.facts import World
from demo.faults import HTML, Cut, Faults, How, Tally, spoil
from demo.native import check_json, credit_json, licence_json

LICENCE_BATCH = 50
CREDIT_BATCH = 100
PAGE_LIMIT = 50


@dataclass(frozen=True, slots=True)
class Answer:
    """What an endpoint answers and how many keys it was asked for."""

    payload: Any
    keys: int = 0
    status: int = 200


Endpoint = Callable[[web.Request], Awaitable[Answer]]


def route(app: web.Application, method: str, path: str, endpoint: Endpoint, faults: Faults, tally: Tally, *, counted: bool = True) -> None:
    """Serve ``endpoint`` at ``path`` under the department's faults; every request to it is counted, unless it counts by itself."""

    async def handle(request: web.Request) -> web.Response:
        answer = await endpoint(request)
        if counted:
            tally.add(f"{method} {path}", answer.keys)
        try:
            how = await faults.gate()
        except Cut:
            if request.transport is not None:
                request.transport.abort()
            raise web.HTTPServiceUnavailable from None  # goes nowhere: the connection is gone
        if how is How.HTML:
            return web.Response(text=HTML, content_type="text/html")
        payload = answer.payload if how is None else spoil(answer.payload, how)
        return web.Response(body=orjson.dumps(payload), status=answer.status, content_type="application/json", charset="utf-8")

    app.router.add_route(method, path, handle)


def licence_library(world: World, faults: Faults, tally: Tally) -> web.Application:
    """电子证照库: ``{code, msg, data: [...]}``; at most 50 keys at once; what it does not have is left out."""
    by_id = {licence.licence_id: [licence_json(licence)] for licence in world.licences}
    by_holder: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for licence in world.licences:
        by_holder[licence.holder].append(licence_json(licence))

    def asked_by(parameter: str, records: dict[str, list[dict[str, Any]]]) -> Endpoint:
        async def endpoint(request: web.Request) -> Answer:
            keys = _keys(request, parameter)
            if not keys or len(keys) > LICENCE_BATCH:
                return Answer({"code": 400, "msg": f"{parameter}应为1至{LICENCE_BATCH}个", "data": None}, len(keys), 400)
            found = [record for key in keys for record in records.get(key, ())]
            return Answer({"code": 200, "msg": "成功", "data": found}, len(keys))

        return endpoint

    app = web.Application()
    route(app, "GET", "/api/zz/list", asked_by("czr", by_holder), faults, tally)
    route(app, "GET", "/api/zz/detail", asked_by("zzbs", by_id), faults, tally)
    return app


def credit_platform(world: World, faults: Faults, tally: Tally, key: str) -> web.Application:
    """531X: ``{code, message, data: {list: [...]}}``; needs ``X-App-Key``; at most 100 keys; 40401 for a single one it does not know.

    It takes applications for credit repair, one for each enterprise; a second one is refused.
    """
    records = {record.uscc: credit_json(record) for record in world.credit_records}

    def stranger(request: web.Request) -> bool:
        return not hmac.compare_digest(request.headers.get("X-App-Key", "").encode(), key.encode())

    async def apply(request: web.Request) -> Answer:
        asked = orjson.loads(await request.read())
        record = records.get(asked.get("tyshxydm"))
        if stranger(request):
            return Answer({"code": "40101", "message": "应用密钥无效", "data": None}, 1, 401)
        if record is None:
            return Answer({"code": "40401", "message": "主体不存在", "data": None}, 1)
        if not asked.get("sqly") or record["xyxf_zt"] is not None:
            return Answer({"code": "40901", "message": "申请理由为空，或已有申请在办", "data": None}, 1, 409)
        record["xyxf_zt"] = "受理中"
        return Answer({"code": "0", "message": "ok", "data": {"tyshxydm": record["tyshxydm"]}}, 1)

    async def endpoint(request: web.Request) -> Answer:
        keys = _keys(request, "tyshxydm")
        if stranger(request):
            return Answer({"code": "40101", "message": "应用密钥无效", "data": None}, len(keys), 401)
        if not keys or len(keys) > CREDIT_BATCH:
            return Answer({"code": "40001", "message": f"tyshxydm应为1至{CREDIT_BATCH}个", "data": None}, len(keys), 400)
        found = [records[key] for key in keys if key in records]
        if len(keys) == 1 and not found:
            return Answer({"code": "40401", "message": "主体不存在", "data": None}, 1)
        return Answer({"code": "0", "message": "ok", "data": {"list": found}}, len(keys))

    app = web.Application()
    route(app, "GET", "/api/v2/xydj", endpoint, faults, tally)
    route(app, "POST", "/api/v2/xyxf", apply, faults, tally)
    return app


def supervision(world: World, faults: Faults, tally: Tally) -> web.Application:
    """互联网+监管: ``{code, total, pageNum, pageSize, rows: [...]}``; one enterprise at a time, newest first, in pages from 1."""
    by_uscc: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for result in world.check_results:
        by_uscc[result.uscc].append(check_json(result))

    async def endpoint(request: web.Request) -> Answer:
        keys = _keys(request, "tydm")
        try:
            number, size = int(request.query.get("pageNum", "1")), int(request.query.get("pageSize", "10"))
        except ValueError:
            number = size = 0
        if len(keys) != 1 or number < 1 or not 1 <= size <= PAGE_LIMIT:
            return Answer({"code": 400, "msg": "参数错误", "total": 0, "rows": None}, len(keys), 400)
        rows = by_uscc.get(keys[0], [])
        page = rows[(number - 1) * size : number * size]
        return Answer({"code": 200, "msg": "成功", "total": len(rows), "pageNum": number, "pageSize": size, "rows": page}, 1)

    app = web.Application()
    route(app, "GET", "/ssj/v1/jcjg", endpoint, faults, tally)
    return app


def _keys(request: web.Request, parameter: str) -> list[str]:
    """The keys of a comma-separated parameter, which may also be repeated, each once and in order."""
    return list(dict.fromkeys(_split(request.query.getall(parameter, ()))))


def _split(texts: Iterable[str]) -> Iterable[str]:
    return (key for text in texts for key in text.split(",") if key)
