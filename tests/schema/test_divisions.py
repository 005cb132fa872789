"""Divisions: the table's own counts, what retired codes became, and who is covered by a prefix on which day."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schema.divisions import change, codes, covers, is_province, name, significant, successors
from schema.identifiers import check_division

BEFORE = date(2000, 1, 1)
TODAY = date(2026, 1, 1)


@pytest.mark.parametrize(("province", "cities", "counties"), [("31", 1, 16), ("32", 13, 95), ("33", 11, 90), ("34", 16, 104)])
def test_each_province_has_all_its_divisions(province: str, cities: int, counties: int) -> None:
    found = codes(province)
    assert [len([code for code in found if len(code) == length]) for length in (2, 4, 6)] == [1, cities, counties]


def test_the_counties_of_each_city_of_zhejiang() -> None:
    counts = {name(city): len(codes(city)) - 1 for city in codes("33") if len(city) == 4}
    assert counts == {
        "杭州市": 13, "宁波市": 10, "温州市": 12, "嘉兴市": 7, "湖州市": 5, "绍兴市": 6,
        "金华市": 9, "衢州市": 6, "舟山市": 4, "台州市": 9, "丽水市": 9,
    }  # fmt: skip


def test_anhui_has_no_3409_and_no_longer_a_3414() -> None:
    assert not {"3409", "3414"} & set(codes("34"))
    assert name("3414") == "巢湖市"


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("33", "浙江省"), ("330000", "浙江省"), ("3212", "泰州市"), ("3310", "台州市"), ("310107", "普陀区"), ("330903", "普陀区"),
        ("331127", "景宁畲族自治县"), ("310115", "浦东新区"), ("330421", "嘉善县"), ("330103", "下城区"), ("330106000000", "西湖区"),
        ("330199", None), ("330106001", None),
    ],
)  # fmt: skip
def test_names(code: str, expected: str | None) -> None:
    assert name(code) == expected


@pytest.mark.parametrize("code", codes())
def test_every_code_of_the_table_passes_its_check(code: str) -> None:
    assert check_division(code) == code
    assert name(code)
    assert is_province(code[:2])
    assert len(code) != 6 or code[:4] in codes()


@pytest.mark.parametrize(
    ("retired", "last_day", "became"),
    [
        ("330103", date(2021, 4, 8), {"330105"}),
        ("330104", date(2021, 4, 8), {"330102", "330114"}),
        ("330185", date(2017, 8, 10), {"330112"}),
        ("331021", date(2017, 5, 3), {"331083"}),
        ("330183", date(2015, 2, 14), {"330111"}),
        ("310103", date(2011, 6, 7), {"310101"}),
        ("310108", date(2015, 11, 3), {"310106"}),
        ("310119", date(2009, 5, 5), {"310115"}),
        ("310230", date(2016, 7, 21), {"310151"}),
    ],
)
def test_a_retired_code_has_successors_from_its_day_on(retired: str, last_day: date, became: set[str]) -> None:
    assert successors(retired, last_day) == {retired}
    ended = change(retired)
    assert ended is not None
    assert (ended.on - last_day).days == 1
    assert successors(retired, ended.on) == became
    assert became <= set(codes())
    assert retired not in codes()


def test_a_code_retired_twice_over_is_followed_to_the_end() -> None:
    assert successors("341422", date(2011, 8, 21)) == {"341422"}
    assert successors("341422", date(2015, 1, 1)) == {"340225"}
    assert successors("341422", TODAY) == {"340281"}


def test_a_town_of_a_retired_county_goes_where_the_county_went() -> None:
    assert successors("330103001", TODAY) == {"330105"}
    assert successors("330106001", TODAY) == {"330106001"}


@pytest.mark.parametrize(
    ("prefix", "code", "inside"),
    [
        ("33", "330106", True),
        ("3301", "330106001002", True),
        ("330106", "330106001", True),
        ("330106001", "330106", False),
        ("3302", "330106", False),
        ("3301", "3310", False),
        ("330100", "330106", True),  # filled up with zeros it is the city
        ("330000", "3310", True),
        ("3301", "330103", True),  # retired, of this city all along
        ("330105", "330103", True),  # merged into it
        ("330103", "330105", False),  # nobody's view grows by a merger
        ("330103", "330103", True),
        ("330102", "330104", False),  # split over two
        ("330114", "330104", False),
        ("330185", "330112", True),  # raised: the same territory under a new code
        ("330185", "330112001", True),
        ("330112", "330185", True),
        ("3401", "341402", True),  # another city now
        ("3402", "341422", True),
        ("341422", "340281", True),
        ("3405", "341424", False),  # one town went elsewhere
    ],
)
def test_who_is_covered_today(prefix: str, code: str, inside: bool) -> None:
    assert covers(prefix, code, TODAY) is inside


def test_cover_depends_on_the_day() -> None:
    assert not covers("330105", "330103", date(2021, 4, 8))
    assert covers("330105", "330103", date(2021, 4, 9))
    assert not covers("330185", "330112", date(2017, 8, 10))


@given(st.sampled_from([*codes(), "330103", "330104", "330185", "341422", "341424"]), st.dates(BEFORE, TODAY))
def test_every_code_is_covered_by_itself_and_by_where_it_went(code: str, on: date) -> None:
    assert covers(code, code, on)
    assert covers(code[:2], code, on)
    assert all(successors(successor, on) == {successor} for successor in successors(code, on))
    if len(successors(code, on)) == 1:
        (successor,) = successors(code, on)
        assert covers(successor, code, on)


@given(st.sampled_from(codes("33")), st.sampled_from(codes("33")))
def test_cover_of_codes_in_force_is_the_prefix(prefix: str, code: str) -> None:
    assert covers(prefix, code, TODAY) is code.startswith(prefix)


@pytest.mark.parametrize(
    ("code", "expected"),
    [("330000", "33"), ("330100", "3301"), ("330110", "330110"), ("330106000", "330106"), ("330106001000", "330106001"), ("33", "33")],
)
def test_filling_zeros_say_nothing(code: str, expected: str) -> None:
    assert significant(code) == expected
