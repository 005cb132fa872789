"""docs/faults.md: kinds × faults, what the caller saw. ``python -m tests.faults.page`` writes it from the cells that the tests prove."""

from __future__ import annotations

from tests.faults.asking import RIGHT, Kind
from tests.faults.faults import FAULTS
from tests.faults.kinds import KINDS
from tests.house.files import ROOT

PAGE = ROOT / "docs" / "faults.md"
_HEAD = """\
<!-- Made by `python -m tests.faults.page` from tests/faults. Correct it there. -->

# 故障 · Faults

一个问题查三家企业（a、b、c），每家企业的五个字段来自出故障的系统，名称来自正常的登记系统。下表是调用方看到的结果：
`✓` 表示答案正确；错误代码表示相关字段为 null 并带此代码（见[错误代码](errors.md)），名称照常返回。
每一格都由 `tests/faults` 以真实连接器和环回地址上的真实服务逐一验证：没有错误的值，没有错位的行，
答案不泄露密钥、地址和系统名，日志不含密钥和数据，到时必答，不留任务。

One question asks for three enterprises (a, b, c); five fields of each come from a system at fault, the name from a register that is
well. The table says what the caller sees: `✓` is the right answer; a code ([error codes](errors.md)) says that the fields it stands
at are null and carry it, while the names are answered. Over HTTP keys go out two at a time: a and b, then c. Each cell is proved
by `tests/faults`, through the engine and the real connector, against a real server over loopback: no wrong value, no shifted row, no
secret, address or name of the system in the answer, no secret or value in a log, an answer in time, and nothing left behind.

`null` is a null without an error: the one message about b could not be read, and was put aside. That a column of JSON or XML is gone
can be told from its being empty since the manifest says that each row has it (`always: true` at fileLevel); else it would be null, too.
"""


def page() -> str:
    """The page as Markdown."""
    names = " | ".join(kind.name for kind in KINDS)
    lines = [f"| fault | 故障 | the source | {names} |", "| --- " * (3 + len(KINDS)) + "|"]
    for fault in FAULTS:
        cells = " | ".join(_cell(kind, fault.name) for kind in KINDS)
        lines.append(f"| `{fault.name}` | {fault.zh} | {fault.en} | {cells} |")
    reasons = ["| kind | fault | why it cannot happen |", "| --- | --- | --- |"]
    for kind in KINDS:
        reasons += [f"| {kind.name} | `{fault.name}` | {why} |" for fault in FAULTS if (why := kind.reason(fault.name))]
    table, why_not = "\n".join(lines), "\n".join(reasons)
    return f"{_HEAD}\n{table}\n\n## 不适用 · Not applicable\n\n`n/a` above, each with its reason.\n\n{why_not}\n"


def _cell(kind: Kind, fault: str) -> str:
    if kind.reason(fault):
        return "n/a"
    saw = kind.sees[fault]
    return "✓" if saw == RIGHT else "<br>".join(f"`{code}`{at}" for code, at in (_parted(one) for one in saw.split("; ")))


def _parted(one: str) -> tuple[str, str]:
    code, at, places = one.partition(" at ")
    return code, at and f" at {places}"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    print(PAGE.name)
