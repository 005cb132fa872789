"""The query page in a real browser: it loads from our address alone, runs a query, and a token changes the answer."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def seen(script: Callable[..., Any], chromium: str, ready: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Any:
    pictures = tmp_path_factory.mktemp("pictures")
    found = script("page.mjs", url=ready["issuer"] + "/explorer", chromium=chromium, token=ready["tokens"]["app"], pictures=str(pictures))
    return {**found, "pictures": pictures, "token": ready["tokens"]["app"], "issuer": ready["issuer"]}


def test_the_page_is_ours(seen: Any) -> None:
    assert (seen["title"], seen["heading"]) == ("一网枢纽 Yiwang Hub", "一网枢纽 Yiwang Hub")
    assert seen["tokenType"] == "password"
    assert seen["buttons"] == ["显示 Show", "清除 Clear"]


def test_nothing_comes_from_another_address(seen: Any) -> None:
    assert len(seen["requests"]) > 5
    parts = [urlsplit(url) for url in seen["requests"] if not url.startswith("data:")]
    assert {f"{part.scheme}://{part.netloc}" for part in parts} == {seen["issuer"]}


def test_the_policy_is_not_violated_and_nothing_fails(seen: Any) -> None:
    assert (seen["violations"], seen["errors"]) == ([], [])


def test_the_first_query_is_answered_and_shown(seen: Any) -> None:
    run = seen["runs"][0]
    assert run["status"] == 200
    assert len(run["body"]["data"]["enterprises"]["nodes"]) == 3
    assert '"data"' in run["shown"]


def test_the_token_changes_the_answer(seen: Any) -> None:
    anonymous, app = (run["body"] for run in seen["runs"])
    assert anonymous["data"]["hub"]["me"]["audience"] == "ANONYMOUS"
    assert {error["extensions"]["code"] for error in anonymous["errors"]} == {"FORBIDDEN"}
    assert all(node["address"] is None for node in anonymous["data"]["enterprises"]["nodes"])
    assert app["data"]["hub"]["me"]["audience"] == "APP"
    assert all(node["address"] for node in app["data"]["enterprises"]["nodes"])
    assert "errors" not in app


def test_the_token_lives_in_the_tabs_session_alone(seen: Any) -> None:
    assert (seen["kept"], seen["afterReload"]) == (seen["token"], seen["token"])
    assert seen["localStorage"] == []
    assert seen["cleared"] is None


def test_pictures_are_taken(seen: Any) -> None:
    folder: Path = seen["pictures"]
    assert sorted(file.name for file in folder.iterdir()) == ["anonymous.png", "documentation.png", "with-token.png", "wrong-field.png"]
    assert all(file.stat().st_size > 20_000 for file in folder.iterdir())
