"""Errors that departments write into answers that look well."""

from __future__ import annotations

from typing import Any

import pytest

from connectors.rules import ErrorWord, compile_rules, verdict
from connectors.spi import SourceError


@pytest.mark.parametrize(
    ("when", "status", "document", "holds"),
    [
        ("$.code == '40401'", 200, {"code": "40401"}, True),
        ("$.code == '40401'", 200, {"code": 40401}, True),
        ("$.code == 40401", 200, {"code": "40401"}, True),
        ("$.code == '40401'", 200, {"code": "0"}, False),
        ("$.code == '40401'", 200, {}, False),
        ("$.code == '40401'", 200, ["no", "object"], False),
        ("code in ['1', \"2\", 3]", 200, {"code": 3}, True),
        ("$.code in ['1', '2']", 200, {"code": "3"}, False),
        ("$.head.rtn[0].cd in ['E,1']", 200, {"head": {"rtn": [{"cd": "E,1"}]}}, True),
        ("$.success == false", 200, {"success": False}, True),
        ("$.success != true", 200, {"success": True}, False),
        ("$.data == null", 200, {"data": None}, True),
        ("status == 404", 404, None, True),
        ("status in [404, 410]", 410, {"status": "ok"}, True),
        ("status != 'ok'", 200, {"status": "ok"}, False),
        ("status != 'ok'", 200, {"status": "失败"}, True),
        ("$.status == 404", 404, {"status": 200}, False),
        ("返回码 == '无此企业'", 200, {"返回码": "无此企业"}, True),
    ],
)
def test_when_it_is_an_error(when: str, status: int, document: Any, holds: bool) -> None:
    found = verdict(compile_rules([ErrorWord(when, "E7")]), status, document)
    assert (found is not None) is holds


@pytest.mark.parametrize(
    ("code", "kind"),
    [("NOT_FOUND", "missing"), ("BUSY", "busy"), ("DENIED", "denied"), ("DOWN", "down"), ("INVALID", "invalid"), ("E7", "invalid")],
)
def test_what_a_code_means(code: str, kind: str) -> None:
    found = verdict(compile_rules([ErrorWord("status == 200", code)]), 200, None)
    assert found is not None
    assert (found.kind, found.code) == (kind, code)


def test_the_first_rule_that_fits_counts() -> None:
    rules = compile_rules([ErrorWord("$.a == 2", "A"), ErrorWord("$.a == 1", "B"), ErrorWord("$.a == 1", "C")])
    found = verdict(rules, 200, {"a": 1})
    assert found is not None
    assert found.code == "B"


@pytest.mark.parametrize(
    ("when", "word"),
    [
        ("", "cannot read"), ("$.code", "cannot read"), ("$.code = '1'", "cannot read"), ("$.code == x", "was expected"),
        ("$.code == ", "cannot read"), ("$.code == '1' and $.x == '2'", "unexpected 'a'"), ("$.code in '1'", "takes a list"),
        ("$.code in []", "was expected"), ("$.code == '1', '2'", "takes one value"), ("$.a..b == '1'", "unexpected '.'"),
        ("$.code == 'it", "was expected"),
    ],
)  # fmt: skip
def test_a_condition_that_is_none(when: str, word: str) -> None:
    with pytest.raises(SourceError, match=word) as caught:
        compile_rules([ErrorWord(when, "E")])
    assert caught.value.kind == "config"
