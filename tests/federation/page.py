"""docs/estates.md: what a federation can say, and the calls that show it. ``python -m tests.federation.page`` writes it."""

from __future__ import annotations

from collections.abc import Mapping

from tests.federation.estate import Case
from tests.federation.items import CASES, ITEMS, Item
from tests.house.files import ROOT

PAGE = ROOT / "docs" / "estates.md"
LONGEST = 110  # characters of a query
_HEAD = """\
<!-- Made by `python -m tests.federation.page` from tests/federation/items.py and tests/federation/estates. Correct it there. -->

# 联邦行为 · What federation can say, item by item

每种行为都有一个测试世界（`tests/federation/estates`）：几个子图共用一份数据。同一查询分别发给枢纽和持有全部数据的单体服务，
答案必须相同；表中为各子图收到的请求数，多一个少一个都不通过。「参考网关」是 npm 上的参考实现对同一查询发出的请求总数。

Each item has an estate (`tests/federation/estates`): a few subgraphs over one set of rows. The same query goes to the hub and to a monolith
that holds all of it. The answers are equal, and each subgraph gets as many requests as stand here, no more and no fewer
(`tests/federation/test_estates.py`). The reference gateway from npm is asked the same (`make test-npm`): how many requests it makes in
all (**bold** where they are more), or what it does otherwise, for which it is not counted. How plans are made is in
[federation](federation.md).
"""


def page() -> str:
    """The page as Markdown."""
    lines = ["| item | 行为 | case | query | subgraph calls | reference gateway |", "| --- " * 6 + "|"]
    return "\n".join([_HEAD, *lines, *map(_row, ITEMS)]) + "\n"


def _row(item: Item) -> str:
    cases = [(name, CASES[name][1]) for name in item.cases]
    names = [*(f"`{name}`" for name, _ in cases), *(f"`{name.partition('::')[2]}`" for name in item.tests)]
    queries = [_short(case.query) for _, case in cases]
    cells = [names, queries, [_calls(case.calls) for _, case in cases], [_theirs(case) for _, case in cases]]
    return f"| {item.name} | {item.zh} | " + " | ".join("<br>".join(cell) or "n/a" for cell in cells) + " |"


def _short(query: str) -> str:
    text = " ".join(query.split())
    return f"`{text if len(text) <= LONGEST else text[: LONGEST - 1] + '…'}`"


def _calls(calls: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in calls.items()) or "none"


def _theirs(case: Case) -> str:
    if case.unlike:
        return case.unlike
    total = sum((case.reference or case.calls).values())
    return f"**{total}**" if case.reference else str(total)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    print(PAGE.name)
