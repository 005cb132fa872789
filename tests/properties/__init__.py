"""What holds for every schema, system, truth and question, checked on random ones against the oracle.

``HUB_EXAMPLES=20000 pytest tests/properties`` runs long.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, Phase, settings


def examples(count: int) -> Callable[[Any], Any]:
    """So many examples in the everyday run, the same each time; ``HUB_EXAMPLES`` of them, always new, if it is set."""
    asked = os.environ.get("HUB_EXAMPLES")
    return settings(
        max_examples=int(asked) if asked else count,
        derandomize=not asked,
        database=None,
        deadline=None,
        phases=(Phase.explicit, Phase.generate),  # a seed does not shrink; ``reduce`` makes failing cases small
        suppress_health_check=list(HealthCheck),
    )
