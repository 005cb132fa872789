"""Who may see which coordinates: examples from the grades, and the properties that must hold for all."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auth.policy import denied, explains, fingerprint, names_systems
from auth.principal import ANONYMOUS, Audience, Principal
from schema.coordinates import Coordinate, Grade

NAME = Coordinate("Enterprise", "name", Grade.L1, True)
STATUS = Coordinate("EnforcementCase", "status", Grade.L2, True)
PHONE = Coordinate("Enterprise", "phone", Grade.L3, True, scopes=(frozenset({"market:contact"}), frozenset({"market:read", "case:1"})))
ADDRESS = Coordinate("Person", "address", Grade.L1, True, scopes=(frozenset({"hukou:address"}),))
ALL = (NAME, STATUS, PHONE, ADDRESS)

SCOPES = ("a", "b", "c", "d")
held = st.frozensets(st.sampled_from(SCOPES))
grades = st.sampled_from(Grade)
principals = st.builds(Principal, id=st.just("x"), audience=st.sampled_from(Audience), scopes=held, ceiling=grades)
rows = st.lists(
    st.builds(
        Coordinate,
        type=st.just("T"),
        field=st.text("abcdefgh", min_size=1, max_size=3),
        grade=grades,
        nullable=st.just(True),
        scopes=st.lists(held, max_size=3).map(tuple),
    ),
    max_size=12,
    unique_by=lambda row: row.name,
)


def test_anonymous_callers_see_l1_that_asks_for_no_scope() -> None:
    assert denied(ANONYMOUS, ALL) == {"EnforcementCase.status", "Enterprise.phone", "Person.address"}


def test_a_principal_called_anonymous_gains_nothing_by_a_high_ceiling_and_scopes() -> None:
    dressed = Principal(audience=Audience.ANONYMOUS, ceiling=Grade.L4, scopes=frozenset({"hukou:address", "hub:explain"}))
    assert denied(dressed, ALL) == denied(ANONYMOUS, ALL)
    assert not explains(dressed)


@pytest.mark.parametrize(
    ("scopes", "ceiling", "unseen"),
    [
        ("", Grade.L2, {"Enterprise.phone", "Person.address"}),
        ("market:contact hukou:address", Grade.L2, {"Enterprise.phone"}),
        ("market:contact", Grade.L3, {"Person.address"}),
        ("market:read", Grade.L3, {"Enterprise.phone", "Person.address"}),
        ("market:read case:1 hukou:address", Grade.L3, set()),
    ],
)
def test_ceiling_and_scopes_must_both_allow(scopes: str, ceiling: Grade, unseen: set[str]) -> None:
    partner = Principal("p", Audience.PARTNER, frozenset(scopes.split()), ceiling)
    assert denied(partner, ALL) == unseen


@pytest.mark.parametrize(
    ("principal", "may"),
    [
        (ANONYMOUS, False),
        (Principal("a", Audience.APP), False),
        (Principal("a", Audience.APP, frozenset({"hub:explain"})), True),
        (Principal("o", Audience.OPERATOR), True),
    ],
)
def test_plans_are_shown_to_operators_and_by_scope(principal: Principal, may: bool) -> None:
    assert explains(principal) is may


def test_systems_are_named_to_operators_and_by_a_scope_of_its_own() -> None:
    seeing = Principal("a", Audience.APP, frozenset({"hub:systems"}))
    assert names_systems(seeing)
    assert not explains(seeing)
    assert not names_systems(Principal("a", Audience.APP, frozenset({"hub:explain"})))
    assert names_systems(Principal("o", Audience.OPERATOR))


@given(principals, rows)
def test_denied_is_exactly_what_the_rule_says(principal: Principal, table: list[Coordinate]) -> None:
    nobody = principal.audience is Audience.ANONYMOUS
    for row in table:
        high = row.grade > (1 if nobody else principal.ceiling)
        locked = bool(row.scopes)
        for need in row.scopes:
            if all(not nobody and scope in principal.scopes for scope in need):
                locked = False
        assert (row.name in denied(principal, table)) == (high or locked)


@given(principals, rows, held, grades)
def test_more_scopes_or_a_higher_ceiling_never_take_anything_away(
    principal: Principal, table: list[Coordinate], more: frozenset[str], ceiling: Grade
) -> None:
    raised = replace(principal, scopes=principal.scopes | more, ceiling=max(principal.ceiling, ceiling))
    assert denied(raised, table) <= denied(principal, table)


@given(principals, rows)
def test_each_coordinate_is_judged_by_itself(principal: Principal, table: list[Coordinate]) -> None:
    assert denied(principal, table) == frozenset().union(*(denied(principal, [row]) for row in table))


@given(st.frozensets(st.text("abc.", max_size=4)), st.frozensets(st.text("abc.", max_size=4)))
def test_masks_with_one_fingerprint_are_equal(one: frozenset[str], other: frozenset[str]) -> None:
    assert (fingerprint(one) == fingerprint(other)) == (one == other)
