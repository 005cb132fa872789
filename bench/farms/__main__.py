"""One of the three departments as a process; see the package."""

from __future__ import annotations

import sys

import orjson
from aiohttp import web

from bench.farms import Rows, rows
from bench.processes import announce

KEYS = {"farms": "ncbh", "checks": "ncbh", "laboratories": "jgbh"}


def main(name: str) -> None:
    """Serve ``/NAME`` on a free port of loopback: all rows, or those of the keys that are asked for, comma separated."""
    there, key = rows()[name], KEYS[name]
    groups: dict[str, Rows] = {}
    for row in there:
        groups.setdefault(row[key], []).append(row)

    async def answer(request: web.Request) -> web.Response:
        asked = request.query.get(key)
        found = there if asked is None else [row for one in asked.split(",") for row in groups.get(one, ())]
        return web.Response(body=orjson.dumps({"code": "0", "data": found}), content_type="application/json")

    app = web.Application()
    app.router.add_get(f"/{name}", answer)
    web.run_app(app, sock=announce(), print=None, access_log=None)


if __name__ == "__main__":
    main(sys.argv[1])
