"""``hub diff``: breaking, dangerous and safe changes, and the exit code that stops a release."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.introspect.shell import elsewhere, run

__all__ = ["elsewhere"]
pytestmark = pytest.mark.usefixtures("elsewhere")

HEAD = 'extend schema @system(name: "w", title: "水", owner: "水务局") @rest(base: "${W_URL}")\n'


def folder(name: str, *fields: str) -> None:
    """A folder of one manifest that contributes fields to Enterprise."""
    lookup = 'type Query { byUscc(uscc: USCC! @is(field: "uscc")): Enterprise @lookup @get(path: "/e/{uscc}") }\n'
    text = HEAD + lookup + 'type Enterprise @key(fields: "uscc") { uscc: USCC! }\n'
    if fields:
        text += "extend type Enterprise {\n" + "".join(f'  "水\\nWater"\n  {each}\n' for each in fields) + "}\n"
    Path(name).mkdir()
    Path(name, "w.graphql").write_text(text, encoding="utf-8")


@pytest.mark.parametrize(
    ("old", "new", "said", "code"),
    [
        ("w: Int @grade(level: L1)", "", "BREAKING FIELD_REMOVED", 1),
        ("w: Int @grade(level: L1)", "w: String @grade(level: L1)", "BREAKING FIELD_CHANGED_KIND", 1),
        ("w: Int @grade(level: L1)", "w: Int @grade(level: L2)", "BREAKING GRADE_RAISED Enterprise.w went from L1 to L2: fewer", 1),
        ("w: Int @grade(level: L2)", "w: Int @grade(level: L1)", "DANGEROUS GRADE_LOWERED Enterprise.w went from L2 to L1: more", 0),
        ("", "w: Int @grade(level: L1)", "SAFE FIELD_ADDED Enterprise.w: Int was added.", 0),
        ("w: Int @grade(level: L1)", 'w: Int @grade(level: L1) @requiresScopes(scopes: [["a"]])', "BREAKING SCOPES_NARROWED", 1),
        ('w: Int @grade(level: L1) @requiresScopes(scopes: [["a", "b"]])',
         'w: Int @grade(level: L1) @requiresScopes(scopes: [["a"]])', "DANGEROUS SCOPES_WIDENED", 0),
        ("w: Int @grade(level: L1)", 'w: Int @grade(level: L1) @deprecated(reason: "old")', "SAFE DEPRECATION_CHANGED", 0),
        ("w: Int @grade(level: L1)", "w: Int @grade(level: L1) @from(path: \"elsewhere\")", "0 breaking, 0 dangerous, 0 safe", 0),
    ],
)  # fmt: skip
def test_a_change_has_its_weight(old: str, new: str, said: str, code: int, capsys: pytest.CaptureFixture[str]) -> None:
    folder("old", *([old] if old else []))
    folder("new", *([new] if new else []))
    assert run("diff", "old", "new") == code
    told = capsys.readouterr().out
    assert said in told
    assert len(told.splitlines()) == (1 if said.startswith("0") else 2)


def test_a_printed_schema_is_a_side_as_well(capsys: pytest.CaptureFixture[str]) -> None:
    folder("old")
    folder("new", "w: Int @grade(level: L1)")
    assert run("schema", "--systems", "old") == 0
    Path("old.graphql").write_text(capsys.readouterr().out, encoding="utf-8")
    assert run("diff", "old.graphql", "new") == 0
    assert capsys.readouterr().out.splitlines()[-1] == "0 breaking, 0 dangerous, 1 safe"


def test_what_cannot_be_compared_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    folder("old")
    Path("bad.graphql").write_text("type {", encoding="utf-8")
    assert run("diff", "old", "none") == 1
    assert "Cannot read none" in capsys.readouterr().err
    assert run("diff", "old", "bad.graphql") == 1
    assert "neither a folder of manifests nor SDL" in capsys.readouterr().err
    folder("faulty", "w: Nix @grade(level: L1)")
    assert run("diff", "old", "faulty") == 1
    assert "UNKNOWN_TYPE" in capsys.readouterr().err
