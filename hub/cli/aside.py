"""``hub dead-letters``: the messages of streams that could not be taken: how many, when, why, and on request what they looked like.

Read from what the hub keeps, whether it runs or not; no broker is asked. A message may hold anything, persons too, so none is shown as it
was: names of JSON stay, and of each value its form alone (``2024-01-05`` is ``9999-99-99``, ``张三`` is ``字字``).
"""

from __future__ import annotations

import json
import sqlite3
from datetime import datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Column, Table

from connectors.streams.messages import SHANGHAI, Poison, decoded
from connectors.streams.store import Aside, Dead, aside
from hub.cli.shared import Fault, configured, counted

REASONS = {
    "EMPTY": "空消息 nothing in it",
    "TOO_LARGE": "过大 larger than maxBytes",
    "TOO_DEEP": "嵌套过深 nested too deeply",
    "NOT_UTF8": "不是 UTF-8 not UTF-8",
    "NOT_JSON": "不是 JSON not JSON",
    "NOT_AN_OBJECT": "不是对象 no object where a row is due",
    "NO_KEY": "缺主键 no key",
    "BAD_KEY": "主键不是单值 its key is no plain value",
    "NO_ORDER": "缺顺序 nothing says which is newer",
    "BAD_ORDER": "顺序无法识别 its number or time cannot be read",
    "MISSING": "缺必填值 a value is missing that has to be there",
    "WRONG_TYPE": "类型不符 a value is of another type than its field",
    "UNREADABLE": "无法识别 it cannot be read",
}
_LONGEST = 400  # characters of a message that are shown
_FILE = "stream.sqlite"


def dead_letters(system: str, file: Path | None, *, show: bool, most: int) -> int:
    """Of one system, or of all that keep messages. Exit code 0, whether there are any or not. Raises Fault, BadConfig."""
    config = configured(file)
    folder = config.at(config.systems.data)
    kept = {each.parent.name: each for each in sorted(folder.glob(f"*/{_FILE}"))}
    if system and system not in kept:
        there = ", ".join(kept) or "none"
        raise Fault(f"没有 {system} 的消息存档。", f"Nothing is kept of a stream {system} in {folder}; there is something of: {there}.")
    if not kept:
        print(f"尚无消息存档。 No stream has been read yet: {folder} holds nothing.")
    console = Console(highlight=False, soft_wrap=True)
    for name, path in kept.items():
        if system in ("", name):
            try:
                topics = aside(path)
            except sqlite3.Error as error:
                raise Fault(f"无法读取 {path}。", f"{path} cannot be read: {type(error).__name__}.") from None
            for topic in topics:
                _tell(console, name, topic, show=show, most=most if system else 0)
    return 0


def _tell(console: Console, system: str, topic: Aside, *, show: bool, most: int) -> None:
    taken = topic.counts.applied + topic.counts.repeated + topic.counts.late
    aside_ = f"{counted(topic.counts.dead, 'message')} put aside"
    console.print(f"{system} {topic.path} ({topic.type}): {aside_}, {taken} taken, last heard {_time(topic.heard)}", markup=False)
    shown = topic.dead[:most]
    if not shown:
        return
    table = Table("时间 when", Column("原因 reason", no_wrap=True), "位置 where", Column("字节 bytes", justify="right"), "说明 meaning")
    for one in shown:
        table.add_row(_time(one.at), one.reason, one.place, str(one.size), REASONS.get(one.reason, ""))
    console.print(table)
    if len(topic.dead) > len(shown):
        console.print(f"… 另有 and {len(topic.dead) - len(shown)} more: --most {len(topic.dead)}")
    if show:
        console.print("内容只显示形式 Contents by their form alone, newest first:")
        for one in shown:
            console.print(f"  {form(one)}", markup=False)


def _time(at: float | None) -> str:
    return datetime.fromtimestamp(at, SHANGHAI).isoformat(" ", "seconds") if at is not None else "never"


def form(one: Dead) -> str:
    """A message without what it says."""
    try:
        text = json.dumps(_form(decoded(one.body, one.size + 1)), ensure_ascii=False)
    except Poison:  # no JSON, or only its beginning
        text = _veiled(one.body.decode("utf-8", "replace"))
    cut = len(text) > _LONGEST or one.size > len(one.body)
    return text[:_LONGEST] + "…" * cut


def _form(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _form(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_form(inner) for inner in value]
    return value if value is None or isinstance(value, bool) else _veiled(str(value))


def _veiled(text: str) -> str:
    return "".join(map(_veil, text))


def _veil(c: str) -> str:
    """A character's kind; marks, blanks and signs are their own."""
    if c.isalpha():
        return "x" if c.isascii() else "字"
    return "9" if c.isnumeric() else c
