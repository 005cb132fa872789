"""Three departments with rows that belong to each other: farms, the checks made there, the laboratories that made them.

``python -m bench.farms farms|checks|laboratories`` prints its port and serves one of them until it is ended. Their manifests lie here
too. Must not know the hub.
"""

from __future__ import annotations

import random
from typing import Any

FARMS = 1_000
CHECKS = 5  # at each farm
LABORATORIES = 500
LEAVES = FARMS * 3 + FARMS * CHECKS * (4 + 3)
_PRODUCE = ("杨梅", "龙井茶", "大黄鱼", "胡柚", "雪菜", "铁皮石斛")

Rows = list[dict[str, Any]]


def day(choose: random.Random, year: int) -> str:
    return f"{year}{choose.randrange(1, 13):02d}{choose.randrange(1, 29):02d}"


def rows() -> dict[str, Rows]:
    """Always the same ones, in native words."""
    choose = random.Random(20260101)
    farms = [{"ncbh": f"NC{number:05d}", "mc": f"第{number}农场", "mj": choose.randrange(5, 900)} for number in range(FARMS)]
    laboratories = [{"jgbh": f"JC{number:04d}", "mc": f"第{number}检测中心", "yxq": day(choose, 2027)} for number in range(LABORATORIES)]
    checks = [
        {
            "pcbh": f"PC{number:06d}",
            "ncbh": f"NC{number // CHECKS:05d}",
            "pm": choose.choice(_PRODUCE),
            "js": choose.randrange(1, 500),
            "cyrq": day(choose, 2025),
            "jgbh": f"JC{choose.randrange(LABORATORIES):04d}",
        }
        for number in range(FARMS * CHECKS)
    ]
    return {"farms": farms, "checks": checks, "laboratories": laboratories}
