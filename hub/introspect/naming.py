"""What a contributed type or field is called, how it is described, and how careful to be with it.

Pure. A name comes from a known term, else from the source's own; a description that nobody has written says so.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from functools import cache

from hub.introspect import evidence
from hub.introspect.found import Column
from hub.introspect.terms import Term, camel, plain, terms
from schema.coordinates import Grade

_PERSONAL_ZH = re.compile(r"姓名|电话|手机|身份证|证件号|住址|邮箱|银行|账号|帐号|出生|性别|民族|联系人|联系方式|地址")
_PERSONAL_EN = re.compile(
    r"phone|mobile|email|idcard|residentid|personname|contactname|birth|bankaccount|homeaddress|gender|address|passport", re.IGNORECASE
)
_CJK = re.compile(r"[\u4e00-\u9fff]")
_LATIN = re.compile(r"[A-Za-z]")
_PREFIX = re.compile(r"^(t|tb|tbl|v|vw|dim|dwd|ods|fact)_", re.IGNORECASE)
RESERVED = frozenset({"Query", "Mutation", "Subscription", "String", "Int", "Float", "Boolean", "ID", "hub"})


@dataclass(frozen=True, slots=True)
class Called:
    """``zh`` and ``en`` describe; ``read`` is the word that mere initials were taken for."""

    name: str
    zh: str
    en: str
    read: str = ""


@cache
def _by_word() -> dict[str, Term]:
    found: dict[str, Term] = {}
    for term in terms():
        for word in (*term.chinese, *term.english, term.pinyin, *(each for each in term.initials if len(each) > 2)):
            found.setdefault(word, term)
    # Two letters stand for many things; only those of the general words are taken.
    for term in terms():
        if not term.means:
            for word in term.initials:
                found.setdefault(word, term)
    return found


def term_of(column_path: str, comment: str = "") -> Term | None:
    """The term that a comment or a name is."""
    words = _by_word()
    head = re.split(r"[(（:：,，]", comment.strip())[0].strip()
    last = column_path.rpartition(".")[2].strip()
    found = words.get(head) or words.get(last) or words.get(plain(last))
    # What a department says of its column counts for more than initials, which fit many words.
    if found is not None and _CJK.search(head) and head not in found.chinese and plain(last) in found.initials:
        return None
    return found


def call(column: Column, place: str) -> Called:
    """What to call a contributed field; ``place`` is what stands for it where nothing can be made of its name."""
    term = term_of(column.path, column.comment)
    own = camel(column.path)
    name = own if own and (term is None or plain(own) in term.english) else term.name if term else own or place
    outer, dot, _ = column.path.rpartition(".")
    if dot and term is not None and camel(outer):
        name = camel(outer) + term.name[:1].upper() + term.name[1:]
    comment = " ".join(column.comment.split())
    own_zh = column.path if _CJK.search(column.path) else ""
    zh = comment if _CJK.search(comment) else term.chinese[0] if term else own_zh
    said = comment if _LATIN.search(comment) and not _CJK.search(comment) else ""
    en = said or (_spoken(term.name) if term else _spoken(own) if _is_english(column.path) else "")
    what = column.path
    last = plain(what.rpartition(".")[2])
    read = term.chinese[0] if term and not comment and last in term.initials and last not in term.english else ""
    return Called(name, zh or f"待补充说明：{what}", en or f"To be written: {what}", read)


def _is_english(path: str) -> bool:
    """Whether a name reads as words: several of them, each with a vowel and long enough. Initials in pinyin do not."""
    parts = re.findall(r"[A-Z]?[a-z]{3,}", camel(path))
    return bool(parts) and all(re.search(r"[aeiouy]", part.lower()) for part in parts) and sum(map(len, parts)) >= len(camel(path)) - 2


def _spoken(name: str) -> str:
    words = re.findall(r"[A-Z]?[a-z]+|[0-9]+|[A-Z]+", name)
    return " ".join(word.lower() for word in words).capitalize()


def grade(column: Column) -> tuple[Grade, str]:
    """The careful grade of a contributed field, and why."""
    term = term_of(column.path, column.comment)
    if evidence.identifier("ResidentID", column).share >= 0.8 and len(evidence.distinct(column)) > 2:
        return Grade.L3, "its values pass the check of resident ids"
    if evidence.mobiles(column).share >= 0.8 and len(evidence.distinct(column)) > 2:
        return Grade.L3, "its values look like mobile numbers"
    if (term is not None and term.personal) or _PERSONAL_ZH.search(column.comment) or _PERSONAL_EN.search(camel(column.path)):
        return Grade.L3, "it looks personal"
    if _PERSONAL_ZH.search(column.path):
        return Grade.L3, "it looks personal"
    return Grade.L2, ""


def type_name(name: str, system: str, taken: Collection[str]) -> str:
    """The name of a contributed type: the source's own, with the system's before it where that is taken."""
    own = pascal(_PREFIX.sub("", name))
    whole = pascal(system)
    for candidate in (own, whole + own, *(f"{whole}{own}{n}" for n in range(2, 1000))):
        if candidate and candidate not in taken and candidate not in RESERVED and not candidate.startswith("__"):
            return candidate
    raise ValueError(name)


def pascal(name: str) -> str:
    found = camel(name)
    return found[:1].upper() + found[1:]


def unused(name: str, taken: Collection[str], prefix: str = "") -> str:
    """``name``, with a prefix or a number where it is taken."""
    if name not in taken and name not in RESERVED:
        return name
    if prefix:
        name = camel(prefix) + name[:1].upper() + name[1:]
    return next(each for each in (name, *(f"{name}{n}" for n in range(2, 10_000))) if each not in taken and each not in RESERVED)


def described(comment: str, name: str) -> tuple[str, str]:
    """(Chinese, English) of something with a comment; what is missing says so."""
    comment = " ".join(comment.split())
    zh = comment if _CJK.search(comment) else ""
    en = comment if _LATIN.search(comment) and not _CJK.search(comment) else _spoken(camel(name)) if _is_english(name) else ""
    return zh or f"待补充说明：{name}", en or f"To be written: {name}"
