"""The query page as it is served: from our own address alone, and in its absence a page that says how to build it."""

from __future__ import annotations

from pathlib import Path

from starlette.applications import Starlette

from hub.serve import explorer
from tests.serve.small import Seen, ask

INDEX = '<html><meta name="endpoint" content="/graphql"><script src="/explorer/assets/index-1.js"></script></html>'


def built(folder: Path) -> Path:
    (folder / "assets").mkdir()
    (folder / "index.html").write_text(INDEX, encoding="utf-8")
    (folder / "icon.svg").write_text("<svg/>", encoding="utf-8")
    (folder / "assets" / "index-1.js").write_text("1", encoding="utf-8")
    return folder


async def get(static: Path, path: str, endpoint: str = "/graphql") -> Seen:
    seen = await ask(Starlette(routes=explorer.routes(endpoint, static)), "GET", path)
    assert seen is not None
    return seen


async def test_the_page_knows_its_endpoint(tmp_path: Path) -> None:
    seen = await get(built(tmp_path), "/explorer", "/api/graphql")
    assert 'content="/api/graphql"' in seen.body.decode()
    assert seen.headers["cache-control"] == "no-cache"


async def test_files_of_the_page_may_be_kept_and_carry_the_policy(tmp_path: Path) -> None:
    built(tmp_path)
    script, icon = await get(tmp_path, "/explorer/assets/index-1.js"), await get(tmp_path, "/explorer/icon.svg")
    assert script.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert icon.headers["cache-control"] == "no-cache"
    assert script.headers["content-security-policy"] == icon.headers["content-security-policy"] == explorer.POLICY


async def test_nothing_but_the_page_is_served(tmp_path: Path) -> None:
    built(tmp_path)
    (tmp_path.parent / "secret").write_text("s", encoding="utf-8")
    for path in ("/explorer/../secret", "/explorer/%2e%2e/secret", "/explorer/assets", "/explorer/none.js"):
        assert (await get(tmp_path, path)).status == 404


def test_the_policy_names_no_other_address() -> None:
    parts = dict(part.split(" ", 1) for part in explorer.POLICY.split("; "))
    assert parts["default-src"] == parts["script-src"] == parts["connect-src"] == parts["worker-src"] == "'self'"
    assert "http" not in explorer.POLICY
    assert "unsafe-eval" not in explorer.POLICY


async def test_without_the_built_page_a_plain_one_says_how_to_build_it(tmp_path: Path) -> None:
    seen = await get(tmp_path / "none", "/explorer", "/a&b")
    text = seen.body.decode()
    assert "make explorer" in text
    assert "查询页面尚未构建" in text
    assert "POST /a&amp;b" in text
    assert (await get(tmp_path / "none", "/explorer/icon.svg")).status == 404
