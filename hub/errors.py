"""The error registry: every code that a caller or an operator can meet, each exactly once. (A manifest's faults: ``schema.faults``.)

A code's entry says it in Chinese and English, who may see it and what to do; ``docs/errors.md`` has a section for each (a test
proves it). Lower packages raise exceptions that carry a code; this module alone turns them into what goes out.

    Refused      the caller must change the request          (400 or an error with data: null)
    SourceError  a system did not answer properly            (null at the field, see connectors.spi)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from connectors.spi import SourceError

Audience = Literal["caller", "operator", "author"]


@dataclass(frozen=True, slots=True)
class Code:
    """``zh`` and ``en`` are the message; ``fix`` says what to do. ``audience`` is the widest that may see it. ``known`` is the message where
    clients look for a certain one."""

    code: str
    zh: str
    en: str
    fix: str
    audience: Audience = "caller"
    retryable: bool = False
    known: str = ""


_ALL = (
    Code("BAD_REQUEST", "请求格式不正确。", "The request is not well formed.", "Send a GraphQL-over-HTTP request: a JSON object with `query`."),
    Code("GRAPHQL_PARSE_FAILED", "查询语法错误。", "The document does not parse.", "Correct the syntax at the position given."),
    Code("GRAPHQL_VALIDATION_FAILED", "查询不符合数据模型。", "The document does not fit the schema.", "Correct the field at the position given; the schema is served by introspection."),
    Code("OPERATION_NOT_FOUND", "找不到要执行的操作。", "The operation to run is missing or not named.", "Send `operationName` when the document holds several operations."),
    Code("PERSISTED_QUERY_NOT_FOUND", "没有此摘要的查询。", "No query is known by this hash.", "Send the query with its hash; clients of automatic persisted queries do so by themselves.", known="PersistedQueryNotFound"),
    Code("BAD_VARIABLES", "变量不符合声明的类型。", "A variable does not fit its type.", "Send variables of the declared types."),
    Code("BAD_IDENTIFIER", "标识代码有误。", "An identifier is wrong.", "Correct the character named in the message."),
    Code("TOO_LARGE", "请求过大。", "The request is over a limit.", "Ask for less in one request; the message names the limit."),
    Code("PLAN_TOO_COMPLEX", "查询过于复杂。", "The query is too complex to plan.", "Ask for less in one request."),
    Code("FORBIDDEN", "无权查看该字段。", "You may not see this field.", "Ask for a token whose scopes and grade cover it."),
    Code("UNAUTHENTICATED", "访问令牌无效或已过期。", "The access token is not valid.", "Fetch a new token from the token endpoint."),
    Code("SYSTEM_DOWN", "数据来源系统暂不可用。", "The source system cannot be reached.", "Ask again later; all other fields are answered.", retryable=True),
    Code("SYSTEM_SLOW", "数据来源系统响应超时。", "The source system did not answer in time.", "Ask again later; all other fields are answered.", retryable=True),
    Code("SYSTEM_BUSY", "数据来源系统繁忙。", "The source system is busy.", "Ask again later; all other fields are answered.", retryable=True),
    Code("SYSTEM_DENIED", "数据来源系统拒绝访问。", "The source system refused the hub.", "The operators have to check the hub's credential for it."),
    Code("SYSTEM_BROKEN", "数据来源系统返回了无法识别的内容。", "The source system answered something that cannot be read.", "The system's owner has to correct it."),
    Code("SYSTEM_REFUSED", "数据来源系统不接受该请求。", "The source system did not accept the request.", "Check the arguments."),
    Code("SYSTEM_CONFIG", "数据来源系统配置有误。", "The source system is not set up properly in the hub.", "The operators have to correct its manifest or secrets."),
    Code("NOT_BOUND", "暂无系统提供该字段。", "No system serves this field.", "Ask the operators which system will serve it."),
    Code("BAD_VALUE", "数据来源系统返回的值类型不符。", "The source system sent a value of the wrong type.", "The system's owner has to correct it."),
    Code("NON_NULL", "必填字段为空。", "A field that is never null has no value.", "The system's owner has to correct it."),
    Code("FILTER_NOT_PUSHABLE", "不支持该筛选条件。", "This filter cannot be applied.", "Filter by the fields named in the message."),
    Code("BAD_CURSOR", "游标无效。", "The cursor is not valid.", "Begin again without `after`."),
    Code("CURSOR_EXPIRED", "游标属于另一个列表：筛选、排序、可见范围或数据来源已变。", "The cursor belongs to another list: filter, order, what you may see or the source has changed.", "Begin again without `after`."),
    Code("ERRORS_OMITTED", "其余错误已省略。", "Further errors were left out.", "Look at `omitted` for their number; correct those that are shown first."),
    Code("OUTCOME_UNKNOWN", "请求已发出，结果不明，可能已经办理。", "The request was sent and its outcome is not known: it may have been carried out.", "Never send it again at once: ask by a query whether it was done."),
    Code("TOO_SLOW", "接收过慢，订阅已终止。", "The subscriber takes the events too slowly; the subscription has ended.", "Subscribe again, and take each event before the next ones come, or ask for less of each."),
    Code("SCHEMA_CHANGED", "数据模型已更新，订阅已终止。", "The schema has changed; the subscription has ended.", "Subscribe again.", retryable=True),
    Code("SHUTTING_DOWN", "服务正在停止。", "The hub is stopping.", "Ask another replica, or again later.", retryable=True),
    Code("INTERNAL", "系统内部错误。", "Something went wrong in the hub.", "Give the request id to the operators.", retryable=True),
)  # fmt: skip

CODES: dict[str, Code] = {entry.code: entry for entry in _ALL}

_BY_KIND = {
    "config": "SYSTEM_CONFIG",
    "invalid": "SYSTEM_REFUSED",
    "denied": "SYSTEM_DENIED",
    "missing": "SYSTEM_REFUSED",
    "busy": "SYSTEM_BUSY",
    "down": "SYSTEM_DOWN",
    "slow": "SYSTEM_SLOW",
    "broken": "SYSTEM_BROKEN",
}


class Refused(Exception):
    """A request that cannot be carried out as it stands. ``zh`` and ``en`` add what exactly; ``data`` goes into ``extensions``."""

    def __init__(self, code: str, zh: str = "", en: str = "", **data: Any) -> None:
        self.code = code
        self.zh = zh or CODES[code].zh
        self.en = en or CODES[code].en
        self.data = data
        super().__init__(f"{code}: {self.en}")


def message(code: str, zh: str = "", en: str = "") -> str:
    """What people read: Chinese, then English."""
    entry = CODES[code]
    if entry.known:
        return entry.known
    return f"{zh or entry.zh} {en or entry.en}"


def source_code(error: SourceError) -> str:
    """The code under which a caller sees a source's failure."""
    return kind_code(error.kind)


def kind_code(kind: str) -> str:
    """The code of a SourceError's kind. Raises KeyError."""
    return _BY_KIND[kind]
