"""What the four systems know of 2,000 enterprises, in native words. Always the same. Must not know the hub.

The shape is that of a fan-out as gateways are measured by: one row, one row, 20 rows and 10 rows an enterprise.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from typing import Any

from schema.identifiers import complete_uscc, organisation_code

ENTERPRISES = 2_000
PERMITS, INSPECTIONS = 20, 10
CODES = tuple(complete_uscc("91330106" + organisation_code(f"{10_000_000 + number}")) for number in range(ENTERPRISES))
_STREETS = ("文三路", "中山北路", "环城西路", "人民大道")
_KINDS = ("食品经营许可证", "道路运输经营许可证", "危险化学品经营许可证", "医疗器械经营许可证")

Row = dict[str, Any]


def _register(code: str, choose: random.Random) -> list[Row]:
    name = f"{choose.choice('甲乙丙丁戊')}{choose.randrange(10_000)}"
    status = choose.choice(("存续", "存续", "存续", "吊销", "注销"))
    where = f"杭州市西湖区{choose.choice(_STREETS)}{choose.randrange(1, 900)}号"
    return [{"tyshxydm": code, "qymc": f"杭州{name}有限公司", "zs": where, "djzt": status, "fddbr": {"xm": f"张{name}", "zjlx": "111"}}]


def _credit(code: str, choose: random.Random) -> list[Row]:
    return [{"tyshxydm": code, "pf": choose.randrange(300, 1000), "dj": choose.choice("ABCD"), "pjsj": f"{_day(choose)}093000"}]


def _permits(code: str, choose: random.Random) -> list[Row]:
    return [
        {
            "czr": code,
            "bh": f"XK{choose.randrange(10**8):08d}",
            "mc": choose.choice(_KINDS),
            "fzrq": _day(choose),
            "yxqz": _day(choose),
            "jg": "杭州市西湖区市场监督管理局",
        }
        for _ in range(PERMITS)
    ]


def _inspections(code: str, choose: random.Random) -> list[Row]:
    return [
        {"xydm": code, "jcbh": f"JC{choose.randrange(10**8):08d}", "rq": _day(choose), "jg": choose.choice(("合格", "限期整改"))}
        for _ in range(INSPECTIONS)
    ]


def _day(choose: random.Random) -> str:
    return f"{choose.randrange(2015, 2031)}{choose.randrange(1, 13):02d}{choose.randrange(1, 29):02d}"


SYSTEMS: Mapping[str, Callable[[str, random.Random], list[Row]]] = {
    "register": _register,
    "credit": _credit,
    "permits": _permits,
    "inspections": _inspections,
}


def rows(system: str, code: str) -> list[Row]:
    """What ``system`` has of the enterprise ``code``."""
    return SYSTEMS[system](code, random.Random(f"{system}/{code}"))
