"""Composing again after a change: what comes out is what composing anew gives, and what has not changed is not touched."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from graphql import print_schema
from hypothesis import given
from hypothesis import strategies as st

from bench.manifests import manifests
from connectors.kinds import KINDS
from schema.canonical import canonical
from schema.compose import Composition, compose, parse_manifest
from tests.properties import examples
from tests.schema.small import canonical as small

TEXTS = {each.file: each.text for each in manifests(20)}
SLIPS_AND_CHANGES = {
    "nothing": ("", ""),
    "a remark": ("extend schema", "# a remark\nextend schema"),
    "another column": ('path: "MC"', 'path: "MINGCHENG"'),
    "another column of a canonical field": ('path: "QYMC"', 'path: "MINGCHENG"'),
    "another place": ('"/api/', '"/v2/api/'),
    "another table": ('@table(name: "T_', '@table(name: "S_'),
    "other words": ('\\nName"', '\\nThe name"'),
    "other words about the system": ('title: "', 'title: "新'),
    "a higher grade": ("@grade(level: L1)", "@grade(level: L2)"),
    "a higher grade of a canonical field": ("@serves(authority: REPLICA)", "@serves(authority: REPLICA) @grade(level: L3)"),
    "a scope": ("@grade(level: L1)", '@grade(level: L1) @requiresScopes(scopes: [["a"]])'),
    "no grade": (" @grade(level: L1)", ""),
    "another type": (": String @from", ": Int @from"),
    "another name": ("issuedOn", "givenOn"),
    "another key": ("recordNo", "number"),
    "one more key": ('@key(fields: "recordNo")', '@key(fields: "recordNo") @key(fields: "enterprise")'),
    "no anchor": ("existence: ANCHOR, coverage: COMPLETE", "existence: CONTRIBUTES, coverage: PARTIAL"),
    "not shared": (" @shareable", ""),
    "hidden": ("@grade(level: L1)", "@grade(level: L1) @inaccessible"),
    "internal": ("@grade(level: L1)", "@grade(level: L1) @internal"),
    "deprecated": ("@grade(level: L1)", '@grade(level: L1) @deprecated(reason: "old")'),
    "no condition": ("@filter(ops: [EQ, IN])", ""),
    "a canonical field less": ("  name: String", "  nam: String"),
    "an enum value less": ('  VALID @from(path: "1")\n', ""),
    "an unknown word": ("@from(", "@form("),
    "a bad path": ('path: "MC"', 'path: "a..b"'),
    "bad syntax": ("{", "{{"),
    "another system": ('@system(name: "', '@system(name: "x'),
    "no file": ("", None),
}


def composed(texts: Mapping[str, str], before: Composition | None = None) -> Composition:
    return compose(canonical(), [parse_manifest(text, file) for file, text in texts.items()], kinds=set(KINDS), before=before)


def changed(texts: Mapping[str, str], file: str, change: str) -> dict[str, str]:
    """The texts after a change of one of them, which may be to no avail, to take it away or to bring it back."""
    old, new = SLIPS_AND_CHANGES[change]
    rest = {name: text for name, text in texts.items() if name != file}
    return rest if new is None else rest | {file: texts.get(file, TEXTS[file]).replace(old, new, 1 if old else 0)}


CHANGES = st.tuples(st.sampled_from(sorted(TEXTS)), st.sampled_from(sorted(SLIPS_AND_CHANGES)))


@given(st.lists(CHANGES, min_size=1, max_size=4))
@examples(30)
def test_composing_again_after_any_changes_gives_what_composing_anew_gives(changes: list[tuple[str, str]]) -> None:
    texts: dict[str, str] = dict(TEXTS)
    before = good = composed(texts)
    for file, change in changes:
        texts = changed(texts, file, change)
        anew = composed(texts)
        printed = print_schema(anew.schema)
        for base in (before, good):
            again = composed(texts, base)
            assert again.faults == anew.faults
            assert again.registry == anew.registry
            assert print_schema(again.schema) == printed
        before = again
        good = again if again.ok else good


def only(change: str) -> str:
    """A system that a change applies to, one of the made-up ones if there is."""
    old, _ = SLIPS_AND_CHANGES[change]
    return next(file for file, text in reversed(TEXTS.items()) if old in text)


BINDINGS = ["a remark", "another column", "another column of a canonical field", "another place", "another table", "no condition"]


@pytest.mark.parametrize("change", [*BINDINGS, "a higher grade", "a scope"])
def test_a_change_that_no_sdl_shows_leaves_the_schema_and_the_other_systems_as_they_are(change: str) -> None:
    before = composed(TEXTS)
    file = only(change)
    after = composed(changed(TEXTS, file, change), before)

    assert before.work is not None
    assert after.work is not None
    assert after.schema is before.schema
    assert [name for name, part in after.work.parts.items() if part is not before.work.parts[name]] == [file]


@pytest.mark.parametrize("change", ["other words", "another name", "hidden", "deprecated"])
def test_a_change_of_what_is_public_makes_the_schema_anew(change: str) -> None:
    before = composed(TEXTS)
    after = composed(changed(TEXTS, only(change), change), before)

    assert after.ok
    assert after.schema is not before.schema


def test_another_canonical_schema_begins_anew() -> None:
    again, anew = compose(small(), [], kinds=set(KINDS), before=composed(TEXTS)), compose(small(), [], kinds=set(KINDS))

    assert again.registry == anew.registry
    assert again.schema.type_map.keys() == anew.schema.type_map.keys()
