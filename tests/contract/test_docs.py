"""What docs/connectors.md shows is what ``hub new connector`` writes and passes the contract; its tables name every setting."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest

from connectors.calls import Words as CallWords
from connectors.files.words import Words as FilesWords
from connectors.graphql_document import Words as GraphqlWords
from connectors.kinds import KINDS, load
from connectors.rest.place import Words as RestWords
from connectors.settings import word
from connectors.sql.statement import Words as SqlWords
from connectors.streams.messages import Words as StreamWords
from connectors.template.test_gateway import TestGateway as TestGateway  # the contract, collected here

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "connectors.md").read_text(encoding="utf-8")

WORDS = {
    "rest": RestWords,
    "sql": SqlWords,
    "graphql": GraphqlWords,
    "soap": CallWords,
    "grpc": CallWords,
    "files": FilesWords,
    "stream": StreamWords,
}


def test_the_page_shows_the_template() -> None:
    (code, *_) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    assert code == (ROOT / "connectors" / "template" / "gateway.py").read_text(encoding="utf-8")


def test_it_is_short() -> None:
    code = (ROOT / "connectors" / "template" / "gateway.py").read_text(encoding="utf-8")
    body = code[code.index("@dataclass") :]
    assert len([line for line in body.splitlines() if line.strip()]) < 40


@pytest.mark.parametrize("kind", KINDS)
def test_every_setting_is_documented(kind: str) -> None:
    words = WORDS[kind]
    section = PAGE[PAGE.index(f"\n### {kind}\n") :].split("\n### ")[1]
    missing = [word(one.name) for one in (*fields(load(kind).Settings), *fields(words)) if f"`{word(one.name)}`" not in section]
    assert [name for name in missing if name not in ("cache", "stale")] == []
