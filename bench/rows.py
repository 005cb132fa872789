"""The data of the measurement: 5,000 samples as a department hands them out, and the process that serves them.

Must not know the hub. ``python -m bench.rows`` prints its port and serves until it is ended.
"""

from __future__ import annotations

import random
from typing import Any

import orjson
from aiohttp import web

from bench.processes import announce

ROWS = 5_000
LEAVES = 5
_PRODUCE = ("杨梅", "龙井茶", "大黄鱼", "胡柚", "雪菜", "铁皮石斛")


def rows() -> list[dict[str, Any]]:
    """Always the same ones, in native words."""
    choose = random.Random(20260101)
    return [
        {
            "ypbh": f"YP{number:06d}",
            "pm": choose.choice(_PRODUCE),
            "js": choose.randrange(1, 500),
            "hg": choose.random() < 0.97,
            "cyrq": f"2025{choose.randrange(1, 13):02d}{choose.randrange(1, 29):02d}",
        }
        for number in range(ROWS)
    ]


def main() -> None:
    """Serve them at ``/samples`` on a free port of loopback."""
    body = orjson.dumps({"code": "0", "data": rows()})

    async def samples(_: web.Request) -> web.Response:
        return web.Response(body=body, content_type="application/json")

    app = web.Application()
    app.router.add_get("/samples", samples)
    web.run_app(app, sock=announce(), print=None, access_log=None)


if __name__ == "__main__":
    main()
