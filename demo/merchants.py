"""The merchants of 外卖在线 in the synthetic world: which enterprises sell meals to be delivered, and what the kitchens' cameras saw.

Pure, like ``demo.seed``, of which it is a part of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta, timezone
from random import Random

from demo.facts import Enterprise, KitchenInspection, Merchant

CHINA = timezone(timedelta(hours=8))
INDICATORS = ("从业人员戴口罩", "从业人员戴帽", "垃圾桶加盖", "台面整洁", "无鼠患")
FIXED = (2, 0, 3)  # how many the first enterprises have, which documents name
_NO = (0, 0, 0, 0, 1, 1, 2)


def merchants(seed: int, entity: Enterprise, index: int) -> Iterator[Merchant]:
    """Those of one enterprise, in the order in which they were verified."""
    rng = Random(f"{seed}/merchants/{index}")
    for n in range(FIXED[index] if index < len(FIXED) else rng.choice(_NO)):
        verified = datetime(2025, rng.randint(1, 12), rng.randint(1, 28), rng.randint(8, 17), rng.randint(0, 59), tzinfo=CHINA)
        sunshine = rng.random() < 0.5
        yield Merchant(
            merchant_id=f"SJ{index:05}{n:02}",
            uscc=entity.uscc,
            shop_name=f"{entity.name[:8]}{n + 1}号店",
            platform_id=f"PT{rng.randint(1, 24):04}",
            food_licence_no=None if rng.random() < 0.1 else f"JY2330{rng.randrange(10**10):010}",
            licence_expires=None if rng.random() < 0.2 else date(2026 + rng.randint(0, 4), rng.randint(1, 12), rng.randint(1, 28)),
            verify_status=rng.choices(("MATCHED", "MISMATCH", "MISSING"), (8, 1, 1))[0],
            verified_at=verified,
            sunshine_kitchen=sunshine,
            orders=rng.randrange(0, 4_000_000_000),
            inspections=tuple(_inspections(rng, index, n, verified)) if sunshine else (),
        )


def _inspections(rng: Random, index: int, shop: int, verified: datetime) -> Iterator[KitchenInspection]:
    for n in range(rng.randint(0, 3)):
        passed = rng.random() < 0.8
        yield KitchenInspection(
            inspection_id=f"XJ{index:05}{shop:02}{n:02}",
            captured_at=verified + timedelta(days=n * 7, milliseconds=rng.randrange(86_400_000)),
            indicator=rng.choice(INDICATORS),
            passed=passed,
        )
