"""Check algorithms of the identifiers that departments join on. Pure functions over text; each names its standard.

Three functions for each kind: ``check_x`` gives the canonical text or raises BadIdentifier (for what callers send), ``quality_x``
says in one line what is wrong or odd, or None (for what systems send, which is served all the same), and ``complete_x`` adds
the check character to a body (for seeds and tests). Must not know GraphQL or any system, and reads no clock.

What is refused is what a standard lets one compute or count: length, alphabet, check character, calendar date. What depends on
a code table that grows (authorities, provinces, item types) is only a quality notice.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from functools import partial
from operator import mul

from schema.bad_identifier import (
    ALNUM,
    DIGIT,
    DIGITS,
    NAMES,
    BadIdentifier,
    quality,
    refuse,
    require_alphabet,
    require_length,
    upper,
)
from schema.divisions import is_province

# --- USCC ---------------------------------------------------------------------------------------------------------------------

USCC_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_USCC_CHARACTER = ("a digit or a capital letter other than I, O, S, V, Z", "数字或除I、O、S、V、Z以外的大写字母")
_USCC_VALUES = {char: value for value, char in enumerate(USCC_ALPHABET)}
_USCC_WEIGHTS = tuple(pow(3, index, 31) for index in range(17))
_VALUES = {char: value for value, char in enumerate(ALNUM)}
_ORGANISATION_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)
_AUTHORITIES = frozenset("123456789ANY")


def _uscc_check(body: str) -> str:
    return USCC_ALPHABET[-sum(map(mul, map(_USCC_VALUES.__getitem__, body), _USCC_WEIGHTS)) % 31]


def check_uscc(text: str) -> str:
    """The canonical (upper-case) text of a unified social credit code (GB 32100-2015): 18 of 31 characters, I O S V Z left out.

    The last character is (31 − Σ Cᵢ·3^(i−1) mod 31) mod 31. Raises BadIdentifier. The organisation code within
    (GB 11714) is not checked here; see quality_uscc.
    """
    text = upper(text)
    _check_uscc_at("USCC", text, 0, alone=True)
    return text


def _check_uscc_at(scalar: str, text: str, start: int, *, alone: bool = False) -> None:
    """Check the 18 characters of ``text`` from ``start`` on; the caller has made sure that they are there unless ``alone``."""
    require_alphabet(scalar, text, USCC_ALPHABET, _USCC_CHARACTER, start, min(start + 18, len(text)))
    if alone:
        require_length(scalar, text, 18)
    check = _uscc_check(text[start : start + 17])
    if text[start + 17] != check:
        refuse(scalar, text, start + 17, f"check character '{check}'", f"校验码“{check}”")


def complete_uscc(body17: str) -> str:
    """The code whose first 17 characters are given. Raises BadIdentifier for a body that no check character completes."""
    body = upper(body17)
    require_alphabet("USCC", body, USCC_ALPHABET, _USCC_CHARACTER)
    require_length("USCC", body, 17)
    return body + _uscc_check(body)


def organisation_code(body8: str) -> str:
    """The organisation code (GB 11714-1997) of eight characters and its check: 11 − Σ mod 11, where 10 is X and 11 is 0.

    Raises ValueError for a body that is not eight of 0–9 and A–Z.
    """
    if len(body8) != 8 or body8.strip(ALNUM):
        raise ValueError("the body of an organisation code has eight characters of 0-9 and A-Z")
    return body8 + "0X987654321"[sum(map(mul, map(_VALUES.__getitem__, body8), _ORGANISATION_WEIGHTS)) % 11]


def quality_uscc(text: str) -> str | None:
    """What is wrong or odd about a code that a system sent, or None."""
    return quality(check_uscc, text, partial(_odd_uscc, "USCC"))


def _odd_uscc(scalar: str, code: str, start: int = 0) -> str | None:
    part = code[start : start + 18]
    if part[0] not in _AUTHORITIES:
        return f"{scalar}: character {start + 1} is {part[0]!r}, which is no known registration authority."
    if not part[2:8].isdecimal() or not (is_province(part[2:4]) or part[2:4] == "10"):
        return f"{scalar}: characters {start + 3} to {start + 8} are no known division."
    expected = organisation_code(part[8:16])[8]
    if part[16] != expected:
        return f"{scalar}: character {start + 17} is {part[16]!r}, expected check character {expected!r} of the organisation code."
    return None


# --- ResidentID ---------------------------------------------------------------------------------------------------------------

_RESIDENT_WEIGHTS = tuple(pow(2, 18 - index, 11) for index in range(1, 18))


def _resident_check(body: str) -> str:
    return "10X98765432"[sum(map(mul, map(int, body), _RESIDENT_WEIGHTS)) % 11]


def check_resident_id(text: str, *, on: date | None = None) -> str:
    """The canonical text of a citizen identity number (GB 11643-1999): 17 digits and a check character 0–9 or X.

    A lower-case x is taken. Positions 7 to 14 must be a calendar date, not after ``on`` where that is given. Whether the division
    exists is not asked: a code that was retired since stays in the numbers of those born there. Raises BadIdentifier.
    """
    text = text[:-1] + "X" if text.endswith("x") else text
    require_alphabet("ResidentID", text, DIGITS, DIGIT, 0, min(17, len(text)))
    require_length("ResidentID", text, 18)
    if text[17] not in "0123456789X":
        refuse("ResidentID", text, 17, "a digit or X", "数字或X")
    _require_birth(text, on)
    check = _resident_check(text[:17])
    if text[17] != check:
        refuse("ResidentID", text, 17, "the check character of the 17 digits before it", "与前17位相符的校验码")
    return text


def _require_birth(text: str, on: date | None) -> None:
    year, month, day = int(text[6:10]), int(text[10:12]), int(text[12:14])
    if year < 1800:
        refuse("ResidentID", text, 6, "a year of birth from 1800 on", "1800年以后的出生年份", 4)
    if not 1 <= month <= 12:
        refuse("ResidentID", text, 10, "a month 01 to 12", "01至12的月份", 2)
    try:
        born = date(year, month, day)
    except ValueError:
        refuse("ResidentID", text, 12, "a day of that month", "该月中的日期", 2)
    if on is not None and born > on:
        refuse("ResidentID", text, 6, "a date of birth that is not in the future", "不晚于今日的出生日期", 4)


def complete_resident_id(body17: str) -> str:
    """The number whose first 17 digits are given. Raises BadIdentifier."""
    require_alphabet("ResidentID", body17, DIGITS, DIGIT)
    require_length("ResidentID", body17, 17)
    _require_birth(body17, None)
    return body17 + _resident_check(body17)


def upgrade_15(text: str) -> str:
    """The 18-character number of an old one of 15 digits: the year of birth is of the 1900s. Raises BadIdentifier."""
    require_alphabet("ResidentID", text, DIGITS, DIGIT)
    require_length("ResidentID", text, 15)
    return complete_resident_id(text[:6] + "19" + text[6:])


def quality_resident_id(text: str, *, on: date | None = None) -> str | None:
    """What is wrong or odd about a number that a system sent, or None."""
    return quality(partial(check_resident_id, on=on), text, _odd_resident_id)


def _odd_resident_id(number: str) -> str | None:
    # 81 to 83 are residence permits of people of Hong Kong, Macao and Taiwan, 9 those of foreigners.
    if is_province(number[:2]) or number[:2] == "83" or number[0] == "9":
        return None
    return "ResidentID: characters 1 to 2 are no known province."


# --- Division -----------------------------------------------------------------------------------------------------------------

_DIVISION_LENGTHS = (2, 4, 6, 9, 12)


def check_division(text: str) -> str:
    """The text of a division code: 2, 4 or 6 digits (GB/T 2260), 9 with the town (GB/T 10114), 12 with the community.

    The province must exist; whether the county does depends on the date and is not asked. Raises BadIdentifier.
    """
    require_alphabet("Division", text, DIGITS, DIGIT, 0, min(12, len(text)))
    if len(text) not in _DIVISION_LENGTHS:
        if len(text) > 12:
            refuse("Division", text, 12, "the end after 12 characters", "在第12位结束")
        longer = next(length for length in _DIVISION_LENGTHS if length > len(text))
        refuse("Division", text, len(text), f"{longer} digits in all (2, 4, 6, 9 or 12 are possible)", f"共{longer}位（2、4、6、9或12位）")
    if not is_province(text[:2]):
        refuse("Division", text, 0, "the two digits of a province", "省级行政区划的两位数字", 2)
    return text


def quality_division(text: str) -> str | None:
    """What is wrong about a code that a system sent, or None."""
    return quality(check_division, text)


# --- ItemCode -----------------------------------------------------------------------------------------------------------------


def check_item_code(text: str) -> str:
    """The canonical text of a government service item's code (GB/T 39554.1-2020), in one of its three lengths.

    12 digits: division 2 + type 2 + department 2 + main item 3 + sub-item 3. 31: implementing body's USCC 18 + level 1 + those
    12. 33: those 31 + business item 2. Raises BadIdentifier.
    """
    text = upper(text)
    if len(text) <= 12:
        require_alphabet("ItemCode", text, DIGITS, DIGIT)
        if len(text) < 12:
            refuse("ItemCode", text, len(text), "12 characters in all (12, 31 or 33 are possible)", "共12位（12、31或33位）")
        return text
    require_alphabet(
        "ItemCode",
        text,
        USCC_ALPHABET,
        ("a character of the implementing body's USCC", "实施主体统一社会信用代码的字符"),
        0,
        min(18, len(text)),
    )
    require_alphabet("ItemCode", text, DIGITS, DIGIT, min(18, len(text)), min(33, len(text)))
    if len(text) not in (31, 33):
        if len(text) > 33:
            refuse("ItemCode", text, 33, "the end after 33 characters", "在第33位结束")
        longer = 31 if len(text) < 31 else 33
        refuse("ItemCode", text, len(text), f"{longer} characters in all (12, 31 or 33 are possible)", f"共{longer}位（12、31或33位）")
    _check_uscc_at("ItemCode", text, 0)
    return text


def quality_item_code(text: str) -> str | None:
    """What is wrong or odd about a code that a system sent, or None."""
    return quality(check_item_code, text, _odd_item_code)


def _odd_item_code(code: str) -> str | None:
    basic = 0
    if len(code) > 12:
        basic = 19
        if odd := _odd_uscc("ItemCode", code):
            return odd
        if code[18] not in "123456":
            return f"ItemCode: character 19 is {code[18]!r}, which is no level of government (1 to 6)."
    if code[basic : basic + 2] != "00" and not is_province(code[basic : basic + 2]):
        return f"ItemCode: characters {basic + 1} to {basic + 2} are neither 00 nor a known province."
    return None


# --- LicenceID ----------------------------------------------------------------------------------------------------------------

LICENCE_ROOT = "1.2.156.3005.2"
_CAPITAL = ("a digit or a capital letter", "数字或大写字母")


def _mod_37_36(text: str) -> str:
    """The check character of ISO 7064 MOD 37,36 (GB/T 17710) over 0–9 and A–Z."""
    product = 36
    for char in text:
        product = _PRODUCTS[product + _VALUES[char]]
    return ALNUM[(37 - product) % 36]


# product + value -> the next product: (sum mod 36, or 36 for 0) doubled, mod 37
_PRODUCTS = tuple((total % 36 or 36) * 2 % 37 for total in range(37 + 36))


def check_licence_id(text: str) -> str:
    """The canonical text of an electronic licence's identifier (GB/T 36904-2018).

    ``1.2.156.3005.2`` . type (USCC of the body that defined it + 3 digits) . issuing body . serial . version (3 digits) . check.
    The check is ISO 7064 MOD 37,36 over type, issuer, serial and version without dots. Raises BadIdentifier.
    """
    text = upper(text)
    starts = _licence_parts(text)
    kind, issuer, serial, version, check = (text[start:end] for start, end in starts)
    expected = _mod_37_36(kind + issuer + serial + version)
    if check != expected:
        refuse("LicenceID", text, starts[4][0], f"check character '{expected}'", f"校验码“{expected}”")
    return text


_LICENCE_SHAPE = re.compile(r"1\.2\.156\.3005\.2\.([0-9A-Z]{18}[0-9]{3})\.([0-9A-Z]+)\.([0-9A-Z]+)\.([0-9]{3})\.([0-9A-Z])")
_PART_LENGTHS = (21, None, None, 3, 1)


def _licence_parts(text: str) -> list[tuple[int, int]]:
    """Where each of the five parts after the root lies. Raises BadIdentifier."""
    if match := _LICENCE_SHAPE.fullmatch(text):
        return [match.span(part) for part in range(1, 6)]
    root = LICENCE_ROOT + "."  # the shape is wrong: go through it to say where
    for at, char in enumerate(root):
        if text[at : at + 1] != char:
            refuse("LicenceID", text, at, f"{char!r} of the root {LICENCE_ROOT}", f"标识根{LICENCE_ROOT}中的“{char}”")
    spans: list[tuple[int, int]] = []
    start = len(root)
    for index, length in enumerate(_PART_LENGTHS):
        last = index == len(_PART_LENGTHS) - 1
        dot = text.find(".", start)
        end = len(text) if dot < 0 or last else dot
        alphabet, expected = (DIGITS, DIGIT) if index == 3 else (ALNUM, _CAPITAL)
        require_alphabet("LicenceID", text, alphabet, expected, start, end)
        if index == 0:
            require_alphabet("LicenceID", text, DIGITS, DIGIT, min(start + 18, end), end)
        wanted = length or max(end - start, 1)
        if end - start < wanted:
            refuse("LicenceID", text, end, f"a part of {wanted} characters", f"{wanted}位的一段")
        if end - start > wanted:
            after = ("the end", "在此结束") if last else (f"a dot after {wanted} characters", f"{wanted}位之后的点")
            refuse("LicenceID", text, start + wanted, *after)
        if not last and dot < 0:
            refuse("LicenceID", text, end, "a dot", "点")
        spans.append((start, end))
        start = end + 1
    return spans


def complete_licence_id(type_code: str, issuer: str, serial: str, version: str = "001") -> str:
    """The identifier with its check character. ``type_code`` is a USCC and three digits. Raises BadIdentifier."""
    parts = [upper(part) for part in (type_code, issuer, serial, version)]
    text = ".".join((LICENCE_ROOT, *parts, "0"))
    _licence_parts(text)
    return text[:-1] + _mod_37_36("".join(parts))


def quality_licence_id(text: str) -> str | None:
    """What is wrong or odd about an identifier that a system sent, or None."""
    return quality(check_licence_id, text, _odd_licence_id)


def _odd_licence_id(code: str) -> str | None:
    try:
        _check_uscc_at("LicenceID", code, len(LICENCE_ROOT) + 1)
    except BadIdentifier as bad:
        return bad.en
    return None


IDENTIFIERS: dict[str, Callable[[str], str]] = {
    "USCC": check_uscc,
    "Division": check_division,
    "ItemCode": check_item_code,
    "LicenceID": check_licence_id,
    "ResidentID": check_resident_id,
}
"""Scalar name -> its check."""

QUALITY: dict[str, Callable[[str], str | None]] = {
    "USCC": quality_uscc,
    "Division": quality_division,
    "ItemCode": quality_item_code,
    "LicenceID": quality_licence_id,
    "ResidentID": quality_resident_id,
}
"""Scalar name -> what is odd about a value of it that a system sent."""

__all__ = [
    "IDENTIFIERS",
    "LICENCE_ROOT",
    "NAMES",
    "QUALITY",
    "USCC_ALPHABET",
    "BadIdentifier",
    "check_division",
    "check_item_code",
    "check_licence_id",
    "check_resident_id",
    "check_uscc",
    "complete_licence_id",
    "complete_resident_id",
    "complete_uscc",
    "organisation_code",
    "quality_division",
    "quality_item_code",
    "quality_licence_id",
    "quality_resident_id",
    "quality_uscc",
    "upgrade_15",
]
