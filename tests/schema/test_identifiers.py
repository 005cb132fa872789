"""Check algorithms: the standards' own vectors, codes made here and broken here, and what a refusal says."""

from __future__ import annotations

import re
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schema.identifiers import (
    IDENTIFIERS,
    QUALITY,
    USCC_ALPHABET,
    BadIdentifier,
    check_division,
    check_item_code,
    check_licence_id,
    check_resident_id,
    check_uscc,
    complete_licence_id,
    complete_resident_id,
    complete_uscc,
    organisation_code,
    quality_division,
    quality_item_code,
    quality_licence_id,
    quality_resident_id,
    quality_uscc,
    upgrade_15,
)

ALNUM = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
PROVINCES = ("11", "31", "32", "33", "34", "65")

divisions = st.builds("{}{:04}".format, st.sampled_from(PROVINCES), st.integers(0, 9999))
usccs = st.builds(
    lambda kind, division, body: complete_uscc(kind + division + organisation_code(body)),
    st.sampled_from(["11", "12", "52", "91", "92", "93", "N1"]),
    divisions,
    st.text("0123456789ABCDEFGHJKLMNPQRTUWXY", min_size=8, max_size=8),
)
births = st.dates(date(1900, 1, 1), date(2025, 12, 31))
resident_ids = st.builds(
    lambda division, born, sequence: complete_resident_id(f"{division}{born:%Y%m%d}{sequence:03}"), divisions, births, st.integers(0, 999)
)
licence_ids = st.builds(
    lambda body, serial, issuer, number, version: complete_licence_id(f"{body}{serial:03}", issuer, number, f"{version:03}"),
    usccs,
    st.integers(0, 999),
    usccs,
    st.text(ALNUM, min_size=1, max_size=20),
    st.integers(0, 999),
)
item_codes = st.one_of(
    st.from_regex(r"(00|33)[0-9]{10}", fullmatch=True),
    st.builds("{}{}{}".format, usccs, st.integers(1, 6), st.from_regex(r"33[0-9]{10}", fullmatch=True)),
    st.builds("{}{}{}".format, usccs, st.integers(1, 6), st.from_regex(r"33[0-9]{12}", fullmatch=True)),
)


def refused(scalar: str, text: str) -> BadIdentifier:
    with pytest.raises(BadIdentifier) as caught:
        IDENTIFIERS[scalar](text)
    return caught.value


def fault(scalar: str, text: str) -> BadIdentifier | None:
    try:
        IDENTIFIERS[scalar](text)
    except BadIdentifier as bad:
        return bad
    return None


# --- USCC


@pytest.mark.parametrize(
    "code",
    [
        "91330106MA2AXK0T11",
        "113300000024820150",
        "91330106MA27000820",  # remainder 0 gives 0, not 31
        "91330106MA2700269Y",
        "91330106MA270004XF",  # the organisation code within ends in X
        "91350100M000100Y43",
        "91310115MA1K35XY5H",
        "91320500MA1NQ7K24J",
        "91340100MA2TYR882Q",
        "92330782MA2HXNQ55M",
        "52330000MJ87T3K12E",
        "N1330481MF0A12B3XE",
    ],
)
def test_known_codes_pass(code: str) -> None:
    assert check_uscc(code) == code
    assert check_uscc(code.lower()) == code
    assert complete_uscc(code[:17]) == code


def test_a_wrong_check_character_is_named_with_the_right_one() -> None:
    bad = refused("USCC", "91350100M000100Y4Z")
    assert (bad.position, bad.found) == (18, "Z")  # Z is in no such code at all
    bad = refused("USCC", "91350100M000100Y4X")
    assert (bad.position, bad.found, bad.expected) == (18, "X", "check character '3'")
    assert bad.zh == "统一社会信用代码第18位为“X”，应为校验码“3”。"
    assert bad.en == "USCC: character 18 is 'X', expected check character '3'."


@pytest.mark.parametrize("letter", "IOSVZ")
def test_letters_left_out_of_the_alphabet_are_named(letter: str) -> None:
    bad = refused("USCC", f"91330106M{letter}2AXK0T11")
    assert (bad.position, bad.found) == (10, letter)
    assert "other than I, O, S, V, Z" in bad.en


@pytest.mark.parametrize(("text", "position", "found"), [("", 1, ""), ("9133", 5, ""), ("91330106MA2AXK0T11 ", 19, " ")])
def test_a_wrong_length_is_named(text: str, position: int, found: str) -> None:
    bad = refused("USCC", text)
    assert (bad.position, bad.found) == (position, found)


def test_a_code_that_a_tutorial_printed_fails_both_checks() -> None:
    code = "91310115MA1H8R7C6D"
    assert refused("USCC", code).position == 18
    assert organisation_code(code[8:16]) != code[8:17]


def test_every_substitution_and_transposition_of_a_code_is_caught() -> None:
    code = "91350100M000100Y43"
    substituted = {code[:at] + char + code[at + 1 :] for at in range(18) for char in USCC_ALPHABET} - {code}
    swapped = {code[:at] + code[at + 1] + code[at] + code[at + 2 :] for at in range(17)} - {code}
    assert (len(substituted), len(swapped)) == (540, 13)
    for text in substituted | swapped:
        refused("USCC", text)


@given(usccs)
def test_a_code_made_here_passes_without_a_notice(code: str) -> None:
    assert check_uscc(code) == code
    assert quality_uscc(code) is None


@given(usccs, st.integers(0, 17), st.sampled_from(USCC_ALPHABET))
def test_a_code_with_one_other_character_is_refused(code: str, at: int, char: str) -> None:
    mutated = code[:at] + char + code[at + 1 :]
    if mutated != code:
        refused("USCC", mutated)
        assert quality_uscc(mutated) is not None


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("91330106MA2AXK0T2", "character 17 is '2', expected check character '1' of the organisation code"),
        ("Q1330106MA2AXK0T1", "character 1 is 'Q', which is no known registration authority"),
        ("91990106MA2AXK0T1", "characters 3 to 8 are no known division"),
    ],
)
def test_softer_faults_pass_with_a_notice(body: str, says: str) -> None:
    code = complete_uscc(body)
    assert check_uscc(code) == code
    assert says in str(quality_uscc(code))


def test_the_organisation_code_of_the_standard() -> None:
    assert organisation_code("D2143569") == "D2143569X"
    with pytest.raises(ValueError, match="eight characters"):
        organisation_code("D214356")


# --- ResidentID


@pytest.mark.parametrize("number", ["33010619900101123X", "310115198506120042", "11010519491231002X"])
def test_known_numbers_pass(number: str) -> None:
    assert check_resident_id(number) == number
    assert complete_resident_id(number[:17]) == number


def test_a_lower_case_x_is_taken() -> None:
    assert check_resident_id("33010619900101123x") == "33010619900101123X"


def test_a_retired_division_stays_valid() -> None:
    number = complete_resident_id("33010319900101123")
    assert check_resident_id(number) == number
    assert quality_resident_id(number) is None


@pytest.mark.parametrize("first", ["81", "82", "83", "91"])
def test_residence_permits_follow_the_same_check(first: str) -> None:
    assert quality_resident_id(complete_resident_id(first + "000019900101123")) is None


def test_an_unknown_province_passes_with_a_notice() -> None:
    number = complete_resident_id("01000019900101123")
    assert "no known province" in str(quality_resident_id(number))


@pytest.mark.parametrize(
    ("text", "position", "found"),
    [
        ("330106199902290011", 13, "29"),
        ("330106199013010011", 11, "13"),
        ("330106001301010011", 7, "0013"),
        ("33010619900101123A", 18, "A"),
        ("3301061990010112A0", 17, "A"),
        ("330106900101123", 16, ""),
        ("33010619900101123X0", 19, "0"),
    ],
)
def test_a_wrong_number_is_named_by_position(text: str, position: int, found: str) -> None:
    bad = refused("ResidentID", text)
    assert (bad.position, bad.found) == (position, found)


def test_a_birth_in_the_future_is_refused_where_the_day_is_known() -> None:
    number = complete_resident_id("33010620300101123")
    assert check_resident_id(number) == number
    with pytest.raises(BadIdentifier) as caught:
        check_resident_id(number, on=date(2026, 1, 1))
    assert caught.value.position == 7
    assert "future" in str(quality_resident_id(number, on=date(2026, 1, 1)))


def test_the_old_form_is_upgraded_and_only_so() -> None:
    assert upgrade_15("330106900101123") == "33010619900101123X"
    refused("ResidentID", "330106900101123")
    with pytest.raises(BadIdentifier):
        upgrade_15("33010690010112")
    with pytest.raises(BadIdentifier):
        upgrade_15("330106901301123")


@given(resident_ids, st.integers(0, 17), st.sampled_from("0123456789X"))
def test_a_number_with_one_other_character_is_refused_and_not_repeated(number: str, at: int, char: str) -> None:
    assert check_resident_id(number) == number
    mutated = number[:at] + char + number[at + 1 :]
    if mutated != number:
        bad = refused("ResidentID", mutated)
        said = f"{bad} {bad.zh} {bad.en} {bad.found} {bad.expected}"
        assert mutated not in said
        assert not re.search(r"\d{6}", said)


# --- Division


@pytest.mark.parametrize("code", ["33", "3301", "330106", "330106001", "330106001002", "330000", "330100", "330103"])
def test_divisions_of_all_levels_pass(code: str) -> None:
    assert check_division(code) == code
    assert quality_division(code) is None


@pytest.mark.parametrize(
    ("text", "position", "found", "expected"),
    [
        ("", 1, "", "2 digits in all"),
        ("330", 4, "", "4 digits in all"),
        ("33010", 6, "", "6 digits in all"),
        ("3301060", 8, "", "9 digits in all"),
        ("3301060010022", 13, "2", "the end after 12 characters"),
        ("33O106", 3, "O", "a digit"),
        ("990106", 1, "99", "the two digits of a province"),
        ("３３", 1, "３", "a digit"),
    ],
)
def test_a_wrong_division_is_named(text: str, position: int, found: str, expected: str) -> None:
    bad = refused("Division", text)
    assert (bad.position, bad.found) == (position, found)
    assert expected in bad.expected
    assert quality_division(text) == bad.en


# --- ItemCode


@pytest.mark.parametrize("code", ["452004020000", "330104001000", "1133000000248201502330104001000", "113300000024820150233010400100001"])
def test_item_codes_of_the_three_lengths_pass(code: str) -> None:
    assert check_item_code(code) == code
    assert quality_item_code(code) is None


@pytest.mark.parametrize(
    ("text", "position"),
    [
        ("33010400100", 12),
        ("33010400100O", 12),
        ("3301040010001", 14),
        ("1133000000248201512330104001000", 18),  # the implementing body's check character
        ("113300000024820150A330104001000", 19),
        ("11330000002482015023301040010001", 33),
        ("1133000000248201502330104001000011", 34),
    ],
)
def test_a_wrong_item_code_is_named(text: str, position: int) -> None:
    bad = refused("ItemCode", text)
    assert bad.position == position
    assert quality_item_code(text) == bad.en


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("990104001000", "characters 1 to 2"),
        ("1133000000248201509330104001000", "character 19"),
        ("1133000000248201502990104001000", "characters 20 to 21"),
        (complete_uscc("91330106MA2AXK0T2") + "2330104001000", "character 17"),
    ],
)
def test_odd_item_codes_pass_with_a_notice(code: str, says: str) -> None:
    assert check_item_code(code) == code
    assert says in str(quality_item_code(code))


# --- LicenceID


@pytest.mark.parametrize(
    ("parts", "check"),
    [
        (("11100000000013338W011", "11430000006122244L", "20230000403", "001"), "U"),
        (("11100000MB03271699022", "340100", "000000016", "001"), "9"),
        (("11100000000013338W009", "11330105002500287C", "2025052201", "002"), "0"),
        (("11100000000013338W001", "113300000024820150", "33202200001234567890", "001"), "A"),
        (("11100000000013661B006", "113300000024820150", "2022033000000001", "001"), "S"),
    ],
)
def test_known_licence_identifiers_pass(parts: tuple[str, str, str, str], check: str) -> None:
    text = ".".join(("1.2.156.3005.2", *parts, check))
    assert complete_licence_id(*parts) == text
    assert check_licence_id(text) == text
    assert check_licence_id(text.lower()) == text


LICENCE = "1.2.156.3005.2.11100000000013338W001.113300000024820150.33202200001234567890.001.A"


@pytest.mark.parametrize(
    ("text", "position", "found"),
    [
        (LICENCE[:-1] + "B", len(LICENCE), "B"),
        (LICENCE[:-1], len(LICENCE), ""),
        (LICENCE + "1", len(LICENCE) + 1, "1"),
        (LICENCE.replace("1.2.156", "1.2.157"), 7, "7"),
        (LICENCE.replace("W001", "W01"), 36, "."),
        (LICENCE.replace("W001", "W0001"), 37, "1"),
        (LICENCE.replace("W001", "W00A"), 36, "A"),
        (LICENCE.replace(".001.", ".01."), 80, "."),
        (LICENCE.replace("3320220", "33-0220"), 59, "-"),
        (LICENCE.replace(".33202200001234567890.", ".."), 57, "."),
        ("1.2.156.3005.2.11100000000013338W001", 37, ""),
        ("", 1, ""),
    ],
)
def test_a_wrong_licence_identifier_is_named(text: str, position: int, found: str) -> None:
    bad = refused("LicenceID", text)
    assert (bad.position, bad.found) == (position, found)
    assert quality_licence_id(text) == bad.en


def test_a_licence_type_of_an_unknown_body_passes_with_a_notice() -> None:
    text = complete_licence_id("11100000000013338X001", "340100", "1")
    assert check_licence_id(text) == text
    assert "character 33 is 'X'" in str(quality_licence_id(text))


# --- all of them


@given(st.one_of(*(st.tuples(st.just(name), made) for name, made in [
    ("USCC", usccs), ("ResidentID", resident_ids), ("LicenceID", licence_ids), ("ItemCode", item_codes), ("Division", divisions),
])))  # fmt: skip
def test_what_is_made_here_is_its_own_canonical_form(made: tuple[str, str]) -> None:
    scalar, text = made
    assert IDENTIFIERS[scalar](text) == text
    assert QUALITY[scalar](text) is None


@given(licence_ids, st.data())
def test_a_licence_identifier_with_one_other_character_is_refused(text: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(text) - 1))
    char = data.draw(st.sampled_from(ALNUM))
    mutated = text[:at] + char + text[at + 1 :]
    if mutated != text:
        refused("LicenceID", mutated)


@given(st.sampled_from(sorted(IDENTIFIERS)), st.text(max_size=90))
def test_any_text_is_either_canonical_after_one_step_or_named(scalar: str, text: str) -> None:
    bad = fault(scalar, text)
    if bad is None:
        canonical = IDENTIFIERS[scalar](text)
        assert IDENTIFIERS[scalar](canonical) == canonical
    else:
        assert 1 <= bad.position <= len(text) + 1
        assert text[bad.position - 1 :].upper().startswith(bad.found.upper())
        assert re.search(r"[\u4e00-\u9fff]", bad.zh)
        assert bad.en.startswith(f"{scalar}: character {bad.position} is ")
        assert QUALITY[scalar](text) == bad.en


def test_both_tables_name_the_same_scalars() -> None:
    assert IDENTIFIERS.keys() == QUALITY.keys() == {"USCC", "Division", "ItemCode", "LicenceID", "ResidentID"}
