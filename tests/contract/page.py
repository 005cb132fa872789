"""docs/contract.md: rules of the contract × kinds. ``python -m tests.contract.page`` writes it from the suite and ``table``."""

from __future__ import annotations

from tests.contract.table import COLUMNS, RULES, UNTRIED
from tests.house.files import ROOT

PAGE = ROOT / "docs" / "contract.md"
_HEAD = """\
<!-- Made by `python -m tests.contract.page` from connectors/contract.py and tests/contract/table.py. Correct it there. -->

# 连接器约定 · The contract, kind by kind

每种连接器都要通过同一套测试（`connectors/contract.py`），数据源都是真实的服务。`✓` 表示已验证；
`engine` 表示该类连接器没有声明此项能力，由引擎完成，测试验证它确实交还给引擎。

Every kind of connector passes one suite (`connectors/contract.py`), over real sources that hold the same rows. `✓`: tried, and it
holds. `engine`: no relation of this kind declares the ability; the engine does it, and the rules on what is not declared prove that
it is left to it. What each kind does when its source is at fault is in [faults](faults.md).
"""


def page() -> str:
    """The page as Markdown."""
    names = [*(column.name for column in COLUMNS), *UNTRIED]
    lines = ["| rule | " + " | ".join(names) + " |", "| --- " * (1 + len(names)) + "|"]
    lines += [
        f"| {_said(rule)} | " + " | ".join([*(column.cell(rule) for column in COLUMNS), *("n/a" for _ in UNTRIED)]) + " |" for rule in RULES
    ]
    reasons = ["| kind | rule | why |", "| --- | --- | --- |"]
    for column in COLUMNS:
        reasons += [f"| {column.name} | {_said(rule)} | {why} |" for rule, why in (*column.never.items(), *column.partly.items())]
    reasons += [f"| {kind} | all | {why} |" for kind, why in UNTRIED.items()]
    table, why_not = "\n".join(lines), "\n".join(reasons)
    return f"{_HEAD}\n{table}\n\n## 例外 · Exceptions\n\n{why_not}\n"


def _said(rule: str) -> str:
    return rule.removeprefix("test_").replace("_", " ").replace("engines ", "engine's ")


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    print(PAGE.name)
