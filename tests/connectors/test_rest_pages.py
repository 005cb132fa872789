"""REST: how pages are asked for, and how they end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from aiohttp import web

from connectors.rest import RestConnector
from connectors.spi import Ask, Secret, SourceError
from tests.connectors.test_rest import asked, fetched, relation


def rows(*numbers: int) -> list[dict[str, int]]:
    return [{"dm": number} for number in numbers]


@pytest.mark.parametrize(
    ("page", "answers", "expected"),
    [
        ({"style": "PAGE", "page": "p"}, [rows(1, 2, 3), rows(4), rows(5, 6), []], "p=1 p=2 p=3 p=4"),
        ({"style": "PAGE", "page": "p", "first": 0, "limit": "n", "size": 9}, [rows(1, 2, 3, 4, 5, 6), []], "p=0&n=9 p=1&n=9"),
        ({"style": "PAGE", "page": "p", "total": "total"}, [rows(1, 2, 3), rows(4), rows(5, 6)], "p=1 p=2 p=3"),
        ({"style": "OFFSET", "offset": "o"}, [rows(1, 2), rows(3, 4, 5), rows(6), []], "o=0 o=2 o=5 o=6"),
        ({"style": "CURSOR", "cursor": "c", "next": "next"}, [rows(1, 2), [], rows(3, 4, 5, 6)], " c=m%3D1 c=m%3D2"),
        ({"style": "NONE"}, [rows(1, 2, 3, 4, 5, 6)], ""),
    ],
)  # fmt: skip
async def test_pages_end_with_an_empty_one_or_the_total(page: dict[str, Any], answers: list[Any], expected: str) -> None:
    """A short page is no end: departments cut pages as they like."""
    documents = [{"rows": some, "total": "6", "next": f"m={i}" if i < len(answers) else ""} for i, some in enumerate(answers, 1)]
    one = relation({"path": "/list", "at": "rows", "page": page})
    async with asked(*documents) as (connector, seen):
        found = await fetched(connector, connector.plan(Ask("r", ("uscc",)), one))
    assert found.columns["uscc"] == [1, 2, 3, 4, 5, 6]
    assert seen == [f"/api/list?{query}" if query else "/api/list" for query in expected.split(" ")]


def linked(numbers: list[dict[str, int]], *links: str) -> web.Response:
    found = web.json_response({"rows": numbers, "total": 6})
    for link in links:
        found.headers.add("Link", link)
    return found


LINKS = {"style": "LINK", "limit": "n", "size": 2}


async def list_of(connector: RestConnector, page: Mapping[str, Any] = LINKS) -> list[Any]:
    found = await fetched(connector, connector.plan(Ask("r", ("uscc",)), relation({"path": "/list?zt=1", "at": "rows", "page": page})))
    return found.columns["uscc"]


async def test_links_are_followed_until_there_is_none() -> None:
    """A short page and an empty one are no end, and whatever the link says is what is asked for."""
    answers = [
        linked(rows(1, 2), '<list?after=2&x=%2Fa>; rel="next"'),
        linked(rows(3), '</api/list?after=3>; rel=prev, </elsewhere/9?q=%E4%B8%AD>; title="a, b"; rel="last NEXT"'),
        linked([], '</api/list>; rel="first"', '<?after=5>; rel=next'),
        linked(rows(4, 5), '</about>; rel="next"; anchor="/other"', '</first>; rel="start"; rel="next"'),
    ]  # fmt: skip
    async with asked(*answers) as (connector, seen):
        assert await list_of(connector) == [1, 2, 3, 4, 5]
    assert seen == ["/api/list?zt=1&n=2", "/api/list?after=2&x=%2Fa", "/elsewhere/9?q=%E4%B8%AD", "/elsewhere/9?after=5"]


async def test_links_end_at_the_total_too() -> None:
    async with asked(linked(rows(1, 2, 3), "<?p=2>; rel=next"), linked(rows(4, 5, 6), "<?p=3>; rel=next")) as (connector, seen):
        assert await list_of(connector, {"style": "LINK", "total": "total"}) == [1, 2, 3, 4, 5, 6]
    assert len(seen) == 2


async def test_what_is_enough_needs_no_next_page() -> None:
    """Wherever its link leads."""
    one = relation({"path": "/list", "at": "rows", "page": {"style": "LINK"}}, limit=True)
    async with asked(linked(rows(1, 2), "<http://dept.example/>; rel=next")) as (connector, seen):
        found = await fetched(connector, connector.plan(Ask("r", ("uscc",), limit="n"), one), params={"n": 2})
    assert (found.columns["uscc"], len(seen)) == ([1, 2], 1)


@pytest.mark.parametrize(
    "link",
    [
        "http://127.0.0.1:1/api/list?p=2",
        "https://dept.example/list",
        "//dept.example/list",
        "{scheme}s://{host}/list",
        "{scheme}://user@{host}/list",
        "{scheme}://{host}@dept.example/list",
        "file:///etc/passwd",
        "http://[::",
    ],
)
async def test_a_link_to_another_origin_is_not_followed(link: str) -> None:
    """The credential would go along."""
    answer = linked(rows(1))
    async with asked(answer) as (connector, seen):
        scheme, _, host = connector.settings.base.removesuffix("/api").partition("://")
        answer.headers["Link"] = f'<{link.replace("{scheme}", scheme).replace("{host}", host)}>; rel="next"'
        with pytest.raises(SourceError, match="leads elsewhere") as caught:
            await list_of(connector)
    assert (caught.value.kind, len(seen)) == ("broken", 1)


async def test_a_link_that_repeats_the_credential_does_not_double_it() -> None:
    key = {"kind": "API_KEY", "query": "key", "secret": Secret("k1")}
    async with asked(linked(rows(1), "<?p=2&key=k1>; rel=next"), linked(rows(2)), auth=key) as (connector, seen):
        assert await list_of(connector) == [1, 2]
    assert seen == ["/api/list?zt=1&n=2&key=k1", "/api/list?p=2&key=k1"]


async def test_links_that_go_round_are_broken() -> None:
    answers = [linked(rows(i), f"<?p={i % 3}>; rel=next") for i in range(9)]
    async with asked(*answers) as (connector, seen):
        with pytest.raises(SourceError, match="the same page again"):
            await list_of(connector)
    assert len(seen) == 4


@pytest.mark.parametrize(
    ("page", "answers"),
    [
        ({"style": "PAGE"}, [{"rows": rows(1, 2)}] * 9),
        ({"style": "OFFSET"}, [{"rows": rows(1, 2)}] * 9),
        (
            {"style": "CURSOR", "next": "next"},
            [{"rows": rows(1), "next": "a"}, {"rows": rows(2), "next": "b"}, {"rows": rows(3), "next": "a"}],
        ),
        ({"style": "CURSOR", "next": "next"}, [{"rows": [], "next": 7}] * 9),
    ],
)
async def test_the_same_page_again_is_broken(page: dict[str, Any], answers: Sequence[Any]) -> None:
    """Whoever does not know the parameter sends page one for ever."""
    async with asked(*answers) as (connector, seen):
        with pytest.raises(SourceError, match="the same page again") as caught:
            await fetched(connector, connector.plan(Ask("r", ("uscc",)), relation({"path": "/list", "at": "rows", "page": page})))
    assert (caught.value.kind, len(seen) <= 3) == ("broken", True)


async def test_enough_is_enough() -> None:
    one = relation({"path": "/list", "at": "rows", "page": {"style": "PAGE", "total": "t"}}, limit=True, total=True)
    async with asked({"rows": rows(1, 2), "t": 9}, {"rows": rows(3, 4), "t": 9}, {"rows": rows(5), "t": 9}) as (connector, seen):
        plan = connector.plan(Ask("r", ("uscc",), limit="n", total=True), one)
        found = await fetched(connector, plan, params={"n": 3})
    assert (found.columns["uscc"], found.total, len(seen)) == ([1, 2, 3], 9, 2)


@pytest.mark.parametrize("total", [-1, "many", 1.5, True, [1]])
async def test_a_total_that_is_no_number_is_broken(total: Any) -> None:
    one = relation({"path": "/list", "at": "rows", "page": {"style": "PAGE", "total": "t"}})
    async with asked({"rows": rows(1), "t": total}) as (connector, _):
        with pytest.raises(SourceError, match="total is not a number"):
            await fetched(connector, connector.plan(Ask("r", ("uscc",)), one))
