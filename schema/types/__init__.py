"""The canonical types, one module per area. Each field has a grade and a description in Chinese and English.

Fields have no resolvers: the engine answers them from the systems bound to them. Must not know any system.
"""

from schema.types.query import Query
from schema.types.subscription import Subscription

KEYS: dict[str, tuple[tuple[str, ...], ...]] = {
    "Enterprise": (("uscc",),),
    "Licence": (("licenceId",),),
    "EnforcementCase": (("caseNo",),),
    "CheckResult": (("checkNo",),),
    "PermitItem": (("itemCode",),),
}
"""Canonical entity type -> its keys, each a tuple of public field names."""

__all__ = ["KEYS", "Query", "Subscription"]
