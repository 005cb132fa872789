"""``extensions.explain`` of a request: the plan alone, beside the answer, or with what its steps really did.

    plan      the answer, and its plan
    dryRun    the plan; nothing is called, ``data`` is null
    analyze   the answer, its plan and what each step did; shares no call with other requests, so that all it shows is its own

Decides who may: operators and clients with the scope ``hub:explain``. Systems have their names only for operators and the scope
``hub:systems``; what the caller may not see is left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, cast, get_args

from auth.policy import explains, names_systems
from auth.principal import Principal
from hub.errors import Refused
from hub.plan.explain import explained
from hub.plan.model import QueryPlan
from hub.plan.view import View, mentioned
from hub.run.analysis import Analysis
from hub.run.prepared import Policy
from schema.registry import Registry

Mode = Literal["plan", "dryRun", "analyze"]


@dataclass(slots=True)
class Telling:
    """How one request wants its plan told."""

    mode: Mode
    analysis: Analysis | None = field(default=None)


def wanted(extensions: Mapping[str, Any] | None, principal: Principal) -> Telling | None:
    """What ``extensions`` ask for. Raises Refused: BAD_REQUEST for another mode, FORBIDDEN for who may not see plans."""
    asked = (extensions or {}).get("explain")
    if asked is None:
        return None
    if asked not in get_args(Mode):
        modes = ", ".join(get_args(Mode))
        raise Refused("BAD_REQUEST", f"extensions.explain 须为 {modes} 之一。", f"extensions.explain is one of {modes}.")
    if not explains(principal):
        raise Refused("FORBIDDEN", "无权查看查询计划。", "You may not see plans; ask for the scope hub:explain.")
    return Telling(cast(Mode, asked), Analysis() if asked == "analyze" else None)


def told(telling: Telling, plan: QueryPlan, registry: Registry, policy: Policy, principal: Principal) -> dict[str, Any]:
    """The plan as this caller may see it: ``mode``, ``text``, and the same as data."""
    rows = [registry.coordinates[name] for name in sorted(mentioned(plan)) if name in registry.coordinates]
    view = View(policy(principal, rows) | plan.denied, names_systems(principal))
    found = explained(plan, registry, view)
    more: dict[str, Any] = {}
    if telling.analysis is not None:
        found = replace(found, measured={number: tally.data for number, tally in sorted(telling.analysis.steps.items())})
        more["assemblyMs"] = round(telling.analysis.assembly * 1000, 3)
    return {"mode": telling.mode, "epoch": registry.epoch, "text": found.text, **found.data, **more}
