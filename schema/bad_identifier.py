"""How an identifier's fault is named: the first character at fault, what stands there and what should.

The error and the few steps that all checks of schema.identifiers share. Must not know any one standard.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NoReturn


class BadIdentifier(ValueError):
    """An identifier that fails its check.

    ``position`` is the 1-based place of the first character at fault, ``found`` what stands there (empty where the text ends),
    ``expected`` what should. ``zh`` and ``en`` say so to people. The whole value is never part of any of them.
    """

    def __init__(self, scalar: str, position: int, found: str, expected: str, expected_zh: str) -> None:
        self.scalar = scalar
        self.position = position
        self.found = found
        self.expected = expected
        self.zh = f"{NAMES[scalar]}第{position}位{_found_zh(found)}，应为{expected_zh}。"
        self.en = f"{scalar}: character {position} is {_found_en(found)}, expected {expected}."
        super().__init__(self.en)


NAMES = {
    "USCC": "统一社会信用代码",
    "ResidentID": "公民身份号码",
    "ItemCode": "事项编码",
    "LicenceID": "电子证照标识",
    "Division": "行政区划代码",
}


def _found_zh(found: str) -> str:
    return f"为“{found}”" if found else "缺失"


def _found_en(found: str) -> str:
    return repr(found) if found else "missing"


DIGITS = "0123456789"
DIGIT = ("a digit", "数字")
ALNUM = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def refuse(scalar: str, text: str, at: int, expected: str, expected_zh: str, width: int = 1) -> NoReturn:
    raise BadIdentifier(scalar, at + 1, text[at : at + width], expected, expected_zh)


def require_length(scalar: str, text: str, length: int) -> None:
    if len(text) < length:
        refuse(scalar, text, len(text), f"{length} characters in all", f"共{length}位")
    if len(text) > length:
        refuse(scalar, text, length, f"the end after {length} characters", f"在第{length}位结束")


def require_alphabet(scalar: str, text: str, alphabet: str, expected: tuple[str, str], start: int = 0, end: int | None = None) -> None:
    if not text[start:end].strip(alphabet):  # all of them are in it; the loop below only looks for the one that is not
        return
    for at in range(start, len(text) if end is None else end):
        if text[at] not in alphabet:
            refuse(scalar, text, at, *expected)


def upper(text: str) -> str:
    """Upper case, ASCII letters only: other scripts have letters that would turn into ASCII ones or into two."""
    return text.upper() if text.isascii() else "".join(char.upper() if char.isascii() else char for char in text)


def quality(check: Callable[[str], str], text: str, odd: Callable[[str], str | None] | None = None) -> str | None:
    """What ``check`` refuses, else what ``odd`` says of the canonical text."""
    try:
        canonical = check(text)
    except BadIdentifier as bad:
        return bad.en
    return odd(canonical) if odd else None
