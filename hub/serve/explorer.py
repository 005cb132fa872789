"""The query page for browsers: GraphiQL, built into ``static/`` beside this file, with everything it needs on our own address.

Without the built files a plain page says how to build them. Must not know the schema, tokens or queries.
"""

from __future__ import annotations

import html
from pathlib import Path

from starlette.responses import HTMLResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

STATIC = Path(__file__).parent / "static"

# No script, connection or frame but from here. Monaco, the editor, positions its lines by style attributes and writes style
# elements while it runs, so styles may be inline; its fonts and cursors are data addresses inside its style sheet.
POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self'",
        "style-src 'self' 'unsafe-inline'",
        "font-src 'self' data:",
        "img-src 'self' data:",
        "worker-src 'self'",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "object-src 'none'",
    )
)
_HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cache-control": "no-cache",
    "vary": "accept",
}
_PLAIN = """<!doctype html>
<html lang="zh-CN"><head><meta charset="utf-8"><title>一网枢纽 Yiwang Hub</title></head>
<body><h1>一网枢纽 <span lang="en">Yiwang Hub</span></h1>
<p>GraphQL: <code>POST {endpoint}</code></p>
<p>查询页面尚未构建，请在项目目录执行: <code>make explorer</code></p>
<p lang="en">The query page is not built. In the project's folder, run: <code>make explorer</code></p>
</body></html>
"""


def page(endpoint: str, static: Path = STATIC) -> ASGIApp:
    """An ASGI app that serves the page for ``endpoint``. The file is read at once, so that a request touches no disk."""
    built = static / "index.html"
    if built.is_file():
        text = built.read_text(encoding="utf-8").replace('content="/graphql"', f'content="{html.escape(endpoint)}"')
    else:
        text = _PLAIN.format(endpoint=html.escape(endpoint))
    return HTMLResponse(text, headers=_HEADERS)


def routes(endpoint: str, static: Path = STATIC) -> list[Route | Mount]:
    """``/explorer`` and its files. Their names hold a hash of their content, so they may be kept for ever."""
    found: list[Route | Mount] = [Route("/explorer", page(endpoint, static), methods=["GET"])]
    if static.is_dir():
        found.append(Mount("/explorer", _Files(directory=static)))
    return found


class _Files(StaticFiles):
    def file_response(self, full_path, stat_result, scope, status_code=200):  # type: ignore[no-untyped-def]  # as the parent has it
        answer: Response = super().file_response(full_path, stat_result, scope, status_code)
        answer.headers.update(_HEADERS)
        if "/assets/" in str(full_path):
            answer.headers["cache-control"] = "public, max-age=31536000, immutable"
        return answer
