"""Relay connections, once for all node types: ``Connection[Licence]`` is ``LicenceConnection`` in the schema."""

from typing import Generic, TypeVar

import strawberry

from schema.types.planned import planned, words

Node = TypeVar("Node")


@strawberry.type(description=words("分页信息", "Where a page lies in its list"))
class PageInfo:
    has_next_page: bool = planned("是否有下一页", "Whether more follows")
    has_previous_page: bool = planned("是否有上一页", "Whether something comes before")
    start_cursor: str | None = planned("本页首条的游标", "Cursor of the first item; null on an empty page")
    end_cursor: str | None = planned("本页末条的游标", "Cursor of the last item; null on an empty page")


@strawberry.type(description=words("列表中的一条", "One item of a list, with its cursor"))
class Edge(Generic[Node]):
    cursor: str = planned("游标", "Cursor, to be sent as `after`")
    node: Node = planned("内容", "The item")


@strawberry.type(
    description=words("分页列表，按 orderBy 与主键排序", "One page of a list, ordered as asked for and then by the items' key")
)
class Connection(Generic[Node]):
    edges: list[Edge[Node]] = planned("带游标的条目", "The items with their cursors")
    nodes: list[Node] = planned("条目", "The items")
    page_info: PageInfo = planned("分页信息", "Where this page lies in the list")
    total_count: int | None = planned(
        "总条数，无法确知时为空并附提示", "How many items the whole list has; null, with a notice, when that cannot be known"
    )
