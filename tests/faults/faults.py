"""The list of faults: what a department's system may do to the hub, each once. Must not know any kind of system."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fault:
    """``name`` is how tests and tables call it; ``zh`` and ``en`` say what the source does."""

    name: str
    zh: str
    en: str


FAULTS = (
    Fault("refuses", "拒绝连接", "nobody listens at its address"),
    Fault("hangs", "接受连接后不应答", "takes the request and never answers"),
    Fault("resets", "收到请求后重置连接", "reads the request and resets the connection"),
    Fault("drips", "每次只发一个字节", "sends one byte at a time, without end"),
    Fault("wrong_length", "声明的长度与内容不符", "announces less than it sends"),
    Fault("truncated", "内容中途断开", "ends in the middle of its answer"),
    Fault("fails_500", "返回 500", "answers 500, or its like"),
    Fault("busy_429", "返回 429 与 Retry-After", "answers 429 with Retry-After, or its like"),
    Fault("denied_midway", "中途返回 401", "answers the first batch and refuses the credential for the next"),
    Fault("html", "应为数据处返回 HTML", "sends a page of HTML where data were due"),
    Fault("wrong_charset", "字符集与声明不符", "sends another charset than it says"),
    Fault("huge", "内容超大", "sends more than the hub takes"),
    Fault("deep", "嵌套过深", "nests 100,000 levels deep"),
    Fault("null_key", "主键为空的行", "sends a row whose key is null"),
    Fault("missing_key", "缺少主键的行", "sends a row without its key"),
    Fault("extra_row", "多出未请求的行", "sends a row that nobody asked for"),
    Fault("doubled_row", "同一主键两行", "sends two rows for one key"),
    Fault("doubled_name", "同名成员两次", "gives a name twice in one record"),
    Fault("other_order", "行序不同", "sends rows in another order than the keys"),
    Fault("number_as_text", "数字写成文本", "writes numbers as texts"),
    Fault("long_numbers", "19 位编号与长金额写成数字", "writes ids of 19 digits, and amounts as long, as numbers"),
    Fault("not_a_number", "数值为 NaN", "sends NaN where a number was due"),
    Fault("invalid_date", "不存在的日期", "sends the 30th of February"),
    Fault("renamed_column", "字段改名", "has renamed a column"),
    Fault("dropped_column", "字段被删", "has dropped a column"),
    Fault("clock_skew", "时钟偏差一天", "has a clock that is a day off"),
    Fault("certificate_expired", "证书过期", "shows a certificate that has expired"),
    Fault("pool_exhausted", "连接数用尽", "has no connection left for the hub"),
    Fault("restarted", "两批之间重启", "restarts between two batches"),
    Fault("redelivered", "消息重复投递", "delivers a message twice"),
    Fault("out_of_order", "消息乱序", "delivers messages out of order"),
    Fault("poisoned", "无法解析的消息", "delivers a message that cannot be read"),
)
NAMES = tuple(fault.name for fault in FAULTS)
MESSAGES = ("redelivered", "out_of_order", "poisoned")  # of streams alone
