"""The project speaks of itself alone: no machine's paths, no download addresses, nothing left for later."""

from __future__ import annotations

import re

import pytest

from tests.house.files import ROOT, files

# Assembled, so that this file does not find itself.
UNFINISHED = re.compile(r"\b(TO" + r"DO|FIX" + r"ME|HA" + r"CK|raise NotImpl" + r"ementedError)\b")
MACHINE = re.compile(r"(?<![\w.:/-])/(work|root|home|Us" + r"ers|private)/[\w.]")
REGISTRY = re.compile(
    r"pypi\.o" + r"rg|pythonhos" + r"ted|registry\.np" + r"mjs|npmmi" + r"rror|unp" + r"kg\.com|jsdel" + r"ivr|es" + r"m\.sh"
)


def hits(pattern: re.Pattern[str]) -> list[str]:
    found = []
    for path in files():
        try:
            text = (ROOT / path).read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        found += [f"{path}:{text.count(chr(10), 0, match.start()) + 1} {match[0]}" for match in pattern.finditer(text)]
    return found


@pytest.mark.parametrize("pattern", [UNFINISHED, MACHINE, REGISTRY], ids=["unfinished", "machine", "registry"])
def test_no_file_holds(pattern: re.Pattern[str]) -> None:
    assert hits(pattern) == []


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (UNFINISHED, "# TO" + "DO later"),
        (MACHINE, "open('/ro" + "ot/x')"),
        (MACHINE, "see /wor" + "k/main"),
        (REGISTRY, "https://registry.np" + "mjs.org/react"),
    ],
)
def test_it_is_seen(pattern: re.Pattern[str], text: str) -> None:
    assert pattern.search(text)


@pytest.mark.parametrize("text", ["GET /home", "https://hub.example/home/page", "the work/ folder", "a hackney carriage"])
def test_plain_words_pass(text: str) -> None:
    assert not any(pattern.search(text) for pattern in (UNFINISHED, MACHINE, REGISTRY))
