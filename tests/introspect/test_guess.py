"""Which canonical field a column is taken for: tables of examples, one column a line."""

from __future__ import annotations

import pytest

from hub.introspect.found import Column
from hub.introspect.guess import WORTH, best, guesses
from hub.introspect.terms import terms
from tests.introspect.small import LICENCES, USCCS, standard

CANON = standard()
BROKEN = tuple(code[:-1] + ("A" if code[-1] != "A" else "B") for code in USCCS)


@pytest.mark.parametrize(
    ("entity", "column", "field"),
    [
        ("Enterprise", Column("TYSHXYDM", "text", samples=USCCS), "uscc"),
        ("Enterprise", Column("tyshxydm", "text"), "uscc"),
        ("Enterprise", Column("统一社会信用代码", "text"), "uscc"),
        ("Enterprise", Column("tongyishehuixinyongdaima", "text"), "uscc"),
        ("Enterprise", Column("tong_yi_she_hui_xin_yong_dai_ma", "text"), "uscc"),
        ("Enterprise", Column("credit_code", "text"), "uscc"),
        ("Enterprise", Column("unifiedSocialCreditCode", "text"), "uscc"),
        ("Enterprise", Column("A1", "text", comment="统一社会信用代码"), "uscc"),
        ("Enterprise", Column("A1", "text", comment="统一社会信用代码（18位）"), "uscc"),
        ("Enterprise", Column("A1", "text", samples=USCCS), "uscc"),
        ("Enterprise", Column("QYMC", "text"), "name"),
        ("Enterprise", Column("MC", "text", comment="企业名称"), "name"),
        ("Enterprise", Column("entName", "text"), "name"),
        ("Enterprise", Column("CLRQ", "text", samples=("20200101", "20211231")), "establishedOn"),
        ("Enterprise", Column("CLRQ", "date"), "establishedOn"),
        ("Enterprise", Column("ZCZB", "decimal"), "registeredCapital"),
        ("Enterprise", Column("DJZT", "text", samples=("存续", "吊销")), "status"),
        ("Enterprise", Column("FDDBR", "text"), "legalRepName"),
        ("Enterprise", Column("XYF", "int", comment="信用分"), "creditScore.score"),
        ("Licence", Column("ZZBS", "text", samples=LICENCES), "licenceId"),
        ("Licence", Column("x", "text", samples=LICENCES), "licenceId"),
        ("Licence", Column("bfrq", "text", samples=("2024-01-31",)), "issuedOn"),
        ("Licence", Column("czrdm", "text", samples=USCCS), "holder.uscc"),
        ("EnforcementCase", Column("AH", "text", comment="案号"), "caseNo"),
        ("EnforcementCase", Column("LARQ", "datetime"), "filedOn"),
        ("CheckResult", Column("jcsj", "bigint", samples=(1_700_000_000_000, 1_710_000_000_000)), "checkedAt"),
        ("PermitItem", Column("SFSF", "text", samples=("是", "否")), "feeRequired"),
    ],
    ids=lambda value: value.path if isinstance(value, Column) else str(value),
)
def test_is_bound(entity: str, column: Column, field: str) -> None:
    found = guesses(column, CANON.types[entity])
    assert found, "not even worth telling of"
    assert (found[0].target.name, found[0].sure) == (field, True), found[0]
    assert found[0].reasons


@pytest.mark.parametrize(
    ("entity", "column", "field", "why"),
    [
        ("Enterprise", Column("DJZT", "text", samples=("1", "2")), "status", "say which text stands for which EnterpriseStatus: '1', '2'"),
        ("Enterprise", Column("TYSHXYDM", "text", samples=BROKEN), "uscc", "0 of 6 sampled values pass"),
        ("Enterprise", Column("TYSHXYDM", "int", samples=(1, 2, 3)), "uscc", "of type int"),
        ("Enterprise", Column("CLRQ", "text"), "establishedOn", "no value was seen that shows how its dates are written"),
        ("Enterprise", Column("CLRQ", "text", samples=("2020年", "去年")), "establishedOn", "not dates in one known form"),
        ("Enterprise", Column("ZCZB", "text", samples=("一百万",)), "registeredCapital", "not numbers"),
        ("Enterprise", Column("XYF", "int"), "creditScore.score", "initials"),
    ],
    ids=lambda value: value.path if isinstance(value, Column) else None,
)
def test_is_told_and_not_bound(entity: str, column: Column, field: str, why: str) -> None:
    (found, *_) = [guess for guess in guesses(column, CANON.types[entity]) if guess.target.name == field]
    assert not found.sure
    assert why in "; ".join(found.reasons)


@pytest.mark.parametrize("column", [Column("YSL", "decimal"), Column("x", "text"), Column("remark", "text"), Column("", "text")], ids=str)
def test_is_nothing_known(column: Column) -> None:
    assert [guess.target.name for entity in CANON.types.values() for guess in guesses(column, entity) if guess.confidence >= WORTH] == []


def test_date_forms_are_taken_over() -> None:
    (first, *_) = guesses(Column("CLRQ", "text", samples=("20200101",)), CANON.types["Enterprise"])
    assert first.format == "yyyyMMdd"
    (first, *_) = guesses(Column("jcsj", "bigint", samples=(1_700_000_000_000,)), CANON.types["CheckResult"])
    assert first.format == "unix_ms"


def test_a_field_goes_to_the_likelier_column() -> None:
    columns = (Column("QYMC", "text"), Column("DWMC", "text", comment="企业名称"))
    bound, maybe = best(columns, CANON.types["Enterprise"])
    assert {path: guess.target.name for path, guess in bound.items()} == {"DWMC": "name"}
    assert maybe["QYMC"].target.name == "name"


def test_two_signs_are_worth_more_than_one() -> None:
    alone, both = (
        guesses(column, CANON.types["Enterprise"])[0].confidence
        for column in (Column("TYSHXYDM", "text"), Column("TYSHXYDM", "text", samples=USCCS))
    )
    assert alone < both < 1


@pytest.mark.parametrize("term", [term for term in terms() if term.means], ids=lambda term: term.means)
def test_every_term_means_a_field_that_is_there(term: object) -> None:
    means = term.means  # type: ignore[attr-defined]  # a Term
    entity, _, field = means.partition(".")
    assert CANON.types[entity].field(field).name == field


@pytest.mark.parametrize("entity", CANON.types.values(), ids=lambda entity: entity.name)
def test_every_canonical_field_is_known_by_its_own_name_and_description(entity: object) -> None:
    for field in entity.fields:  # type: ignore[attr-defined]  # a CanonType
        many = bool(field.lists)
        found = [g.target.name for g in guesses(Column(field.name, "text", many=many, comment=field.zh), entity)]  # type: ignore[arg-type]
        assert field.name in found
