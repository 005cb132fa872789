"""The canonical root subscription fields: news that departments announce, each answered by the engine like a query about its row."""

import strawberry

from schema.scalars import USCC
from schema.types.enterprise import Enterprise
from schema.types.planned import argument, planned, words


@strawberry.type(description=words("订阅入口", "Where news is asked for"))
class Subscription:
    enterprise_changed: Enterprise | None = planned(
        "市场主体登记信息变更；不给代码则为全部",
        "An enterprise whose registration has changed; all of them without codes",
        arguments=[argument("uscc", list[USCC] | None, "只要这些统一社会信用代码", "These codes only")],
    )
