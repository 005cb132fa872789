"""What can be wrong with manifests: every code once, and how a fault is shown.

A fault has a stable code, a place, a message and the edit that mends it. ``docs/manifest-faults.md`` has a section with a wrong
and a right example for each code (a test proves it). Must not know what a manifest means: the checks live beside what they check.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any, Literal

from graphql.language import Node
from graphql.pyutils import did_you_mean, suggestion_list

SHOWN = 20  # faults of one code that are shown before the rest is only counted
Severity = Literal["error", "warning", "notice"]


@dataclass(frozen=True, slots=True)
class Code:
    """``zh`` and ``en`` are its title; a fault's message says what exactly."""

    code: str
    zh: str
    en: str
    severity: Severity = "error"


_ALL = (
    Code("SYNTAX", "语法错误", "The file does not parse"),
    Code("UNKNOWN_WORD", "未知的指令", "A directive that manifests do not have"),
    Code("MISPLACED_WORD", "指令位置不当", "A directive where it means nothing"),
    Code("UNKNOWN_ARGUMENT", "未知的参数", "An argument that the directive does not have"),
    Code("MISSING_ARGUMENT", "缺少参数", "A required argument is missing"),
    Code("BAD_ARGUMENT", "参数值有误", "An argument's value is of the wrong form"),
    Code("BAD_PATH", "路径表达式有误", "A path, expression, comparison or template does not parse"),
    Code("OUT_OF_RANGE", "数值超出范围", "A number that makes no sense there"),
    Code("DEFINED_TWICE", "重复定义", "One name is defined twice in one file"),
    Code("NOT_SUPPORTED", "不支持的写法", "A form of SDL that manifests do not use"),
    Code("NO_SYSTEM", "未声明系统", "The file does not say which system it describes, or how to reach it"),
    Code("BAD_SYSTEM_NAME", "系统名不规范", "The system's name is not a name"),
    Code("BAD_AUTH", "认证方式有误", "The parts of a credential do not fit its kind"),
    Code("BAD_VARIABLE", "变量写法有误", "A ${NAME} that is not one"),
    Code("SECRET_IN_FILE", "清单中含有口令", "A password or key stands in the file"),
    Code("SYSTEM_TWICE", "系统名重复", "Two files describe one system"),
    Code("UNKNOWN_KIND", "未知的连接器类型", "No connector of that kind is installed"),
    Code("RESERVED_NAME", "保留名称", "A name that belongs to the hub"),
    Code("UNKNOWN_TYPE", "未知的类型", "A type that is neither canonical nor contributed"),
    Code("UNKNOWN_FIELD", "未知的字段", "A bound field that the canonical type does not have"),
    Code("NO_SUCH_ARGUMENT", "字段无此参数", "An argument of a bound field that the canonical field does not have"),
    Code("FIELD_EXISTS", "字段已存在", "A contributed field that the canonical type already has"),
    Code("TYPE_MISMATCH", "类型不符", "A bound field of another type than the canonical one"),
    Code("UNKNOWN_ENUM_VALUE", "未知的枚举值", "A value that the canonical enum does not have"),
    Code("ENUM_TEXT_TWICE", "枚举文本重复", "One source text stands for two enum values"),
    Code("CONTRIBUTED_TWICE", "重复贡献", "Two systems contribute one name without @shareable, or differently"),
    Code("NO_GRADE", "缺少分级", "A contributed field without @grade"),
    Code("NO_SCOPE", "缺少权限范围", "A mutation that asks for no scope"),
    Code("BAD_SCOPE", "权限范围有误", "A scope that no token can carry, or none where some are meant"),
    Code("NO_DESCRIPTION", "缺少双语说明", "Something contributed without a Chinese and an English description"),
    Code("GRADE_LOWERED", "降低分级", "A canonical field's grade is lowered"),
    Code("INVALID_SCHEMA", "组合结果无效", "The contributed types do not make a valid schema"),
    Code("BAD_KEY", "主键有误", "A @key field that is missing, nullable or not a plain value"),
    Code("NOT_A_KEY", "参数不是主键", "The arguments of a lookup do not make a key of its type"),
    Code("UNKNOWN_KEY_FIELD", "未知的主键字段", "@is names a field that the type does not have"),
    Code("KEY_WITHOUT_LOOKUP", "主键无查询方式", "Fields are bound, but there is no way to fetch them"),
    Code("KEY_COLUMN_MISMATCH", "主键列不一致", "The key's column is named in two ways"),
    Code("NOT_BOUND_HERE", "本文件未绑定该类型", "Rows of a type whose fields this file does not bind"),
    Code("NO_PLACE", "未说明数据位置", "A field that does not say where its rows lie"),
    Code("WRONG_PLACE", "指令与系统类型不符", "A place that this kind of system does not have"),
    Code("UNKNOWN_PLACEHOLDER", "未知的占位符", "A {name} that is neither a key nor an argument"),
    Code("NO_PLACEHOLDER", "缺少占位符", "A call that never sends its key"),
    Code("NO_MATCH", "缺少 batch.match", "Rows of a batch cannot be told apart"),
    Code("BAD_JOIN", "关联条件有误", "@join does not fit the two types"),
    Code("BAD_BATCH", "批量键有误", "batch.by is not the key that is asked by"),
    Code("BAD_PAGE", "分页方式有误", "The parts of a page do not fit its style"),
    Code("BAD_CACHE", "缓存设置有误", "Answers are kept for a time that was not given"),
    Code("BAD_UNDO", "撤销方式有误", "@send(undo:) does not lead to a mutation that can be called with what there is"),
    Code("BAD_PARTS", "对象组成有误", "An embedded object cannot be read from the row as written"),
    Code("BAD_REQUIRE", "@require 有误", "@require does not lead to one plain value of the entity, or its argument goes nowhere"),
    Code("REQUIRE_CYCLE", "循环依赖", "Fields require each other in a circle"),
    Code("BOUND_TWICE", "重复办理", "Two systems carry out one mutation or subscription"),
    Code("NON_NULL_HAZARD", "非空风险", "A non-null field is served by a system that may not have it"),
    Code("TWO_ANCHORS", "多个存在性来源", "Two systems decide whether an entity exists"),
    Code("UNREACHABLE", "无法到达", "No query leads to this binding"),
    Code("NO_TARGET_LOOKUP", "引用无法展开", "A reference to entities that no system can look up by that key", "warning"),
    Code("NO_BATCH", "列表之下逐个调用", "A call for each element of a list", "warning"),
    Code("ODD_SCOPE", "权限范围疑似笔误", "A scope that looks like another one misspelt", "warning"),
    Code("TWO_SOURCES", "一数多源", "Two systems say that they are the source of one value", "notice"),
    Code("NO_ANCHOR", "存在性无来源", "Nobody decides whether an entity exists", "notice"),
    Code("IDLE_FILTER", "筛选或排序无从使用", "A filter or order that nobody can use", "notice"),
    Code("NOT_SERVED", "暂无来源", "A canonical field that no system serves, or none looks up", "notice"),
)  # fmt: skip

CODES: dict[str, Code] = {entry.code: entry for entry in _ALL}


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """One thing wrong. ``line`` and ``column`` count from 1; 0 where no file is to blame. ``fix`` is the edit."""

    file: str
    line: int
    column: int
    code: str
    message: str
    fix: str = ""

    @property
    def severity(self) -> Severity:
        return CODES[self.code].severity

    @property
    def is_error(self) -> bool:
        return self.severity == "error"


def fault(code: str, file: str, node: Node | None, message: str, fix: str = "", *, offset: int = 0) -> Fault:
    """A fault at a node of a file; ``offset`` counts characters from the node's beginning. The code must be registered."""
    assert code in CODES, code
    token = node.loc.start_token if node is not None and node.loc is not None else None
    return Fault(file, token.line if token else 0, token.column + offset if token else 0, code, message, fix)


def suggest(name: str, known: Iterable[str]) -> str:
    """`` Did you mean 'timeout'?`` or nothing."""
    return did_you_mean(suggestion_list(name, _few(name, known)))


def correction(name: str, known: Iterable[str], otherwise: str) -> str:
    """The edit for a wrong name: the nearest known one, or something else to do."""
    near = nearest(name, known)
    return f"write {near}, or {otherwise}" if near else otherwise


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that was probably meant."""
    found = suggestion_list(name, _few(name, known))
    return found[0] if found else None


def _few(name: str, known: Iterable[str]) -> Collection[str]:
    """Sorted, so that equally near names are suggested in one order."""
    return sorted(set(known) - {name})


def format_fault(found: Fault) -> str:
    """``file:line:column CODE message`` and, on a second line, the fix. What no file is to blame for has no place."""
    place = f"{found.file}:{found.line}:{found.column} " if found.line else ""
    mark = "" if found.is_error else f" ({found.severity})"
    text = f"{place}{found.code}{mark} {found.message}"
    return f"{text}\n    fix: {found.fix}" if found.fix else text


def capped(faults: Iterable[Fault], most: int = SHOWN) -> tuple[list[Fault], dict[str, int]]:
    """The first ``most`` faults of each code, in order, and how many more there are of it: one slip in a template makes hundreds."""
    shown: list[Fault] = []
    seen: dict[str, int] = {}
    for found in faults:
        seen[found.code] = seen.get(found.code, 0) + 1
        if seen[found.code] <= most:
            shown.append(found)
    return shown, {code: number - most for code, number in seen.items() if number > most}


def as_data(found: Fault) -> dict[str, Any]:
    """For JSON output: the fault's parts, its severity and its title in both languages."""
    entry = CODES[found.code]
    return {
        "code": found.code, "severity": entry.severity, "file": found.file, "line": found.line, "column": found.column,
        "message": found.message, "fix": found.fix, "title": {"zh": entry.zh, "en": entry.en},
    }  # fmt: skip
