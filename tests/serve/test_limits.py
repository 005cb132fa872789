"""What a document holds, measured without parsing it; compared with what the parser sees."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    Lexer,
    OperationDefinitionNode,
    SelectionSetNode,
    Source,
    TokenKind,
    get_introspection_query,
    parse,
)
from hypothesis import given
from hypothesis import strategies as st

from hub.errors import Refused
from hub.serve.limits import Gate, Limits, measure

WIDE = Limits(tokens=10**9, depth=10**6)


def counted(text: str) -> dict[str, int]:
    """The same numbers from graphql-core's syntax tree, fragments walked at each spread."""
    document = parse(text)
    fragments = {d.name.value: d for d in document.definitions if isinstance(d, FragmentDefinitionNode)}

    def walk(selections: SelectionSetNode | None, depth: int, top: bool) -> dict[str, int]:
        found = {"fields": 0, "root_fields": 0, "aliases": 0, "directives": 0, "depth": depth}
        for node in selections.selections if selections else ():
            found["directives"] += len(node.directives or ())
            if isinstance(node, FragmentSpreadNode):
                fragment = fragments[node.name.value]
                found["directives"] += len(fragment.directives or ())
                inner = walk(fragment.selection_set, depth, top)
            elif isinstance(node, FieldNode):
                found["fields"] += 1
                found["root_fields"] += top
                found["aliases"] += node.alias is not None
                inner = walk(node.selection_set, depth + 1, False) if node.selection_set else {}
            else:
                assert isinstance(node, InlineFragmentNode)
                inner = walk(node.selection_set, depth + 1, top)
            for name, number in inner.items():
                found[name] = max(found[name], number) if name == "depth" else found[name] + number
        return found

    totals = []
    for definition in document.definitions:
        if isinstance(definition, OperationDefinitionNode):
            found = walk(definition.selection_set, 1, True)
            found["directives"] += len(definition.directives or ())
            found["directives"] += sum(len(v.directives or ()) for v in definition.variable_definitions or ())
            totals.append(found)
    return {name: max(total[name] for total in totals) for name in totals[0]}


def tokens(text: str) -> int:
    lexer, count = Lexer(Source(text)), 0
    while lexer.advance().kind is not TokenKind.EOF:
        count += 1
    return count


# --- documents at random ---------------------------------------------------------------------------------------------------------

NAMES = st.sampled_from(["a", "b", "on", "query", "fragment", "type", "_x"])
ARGUMENTS = st.sampled_from(
    ["", "(x: 1)", '(x: "}{ # @ ...F \\" ")', '(x: """}{ @ " \\""" ...""")', "(x: [{y: {z: [1 -2.5e3]}}])", "(x: $v, y: null)", "(x: E)"]
)
DIRECTIVES = st.sampled_from(["", "@d", "@d(if: $v) @e", '@d(x: "@")'])
SPACE = st.sampled_from([" ", ",", "\n", "# { @ ... \n", "\ufeff"])


@st.composite
def selections(draw: st.DrawFn, depth: int, spreads: list[str]) -> str:
    parts = []
    for _ in range(draw(st.integers(1, 3))):
        kind = draw(st.sampled_from(["leaf", "object", "inline", "spread"]))
        directive = draw(DIRECTIVES)
        inner = draw(selections(depth - 1, spreads)) if depth and kind in ("object", "inline") else ""
        if kind == "spread" and spreads:
            parts.append(f"...{draw(st.sampled_from(spreads))} {directive}")
        elif kind == "inline" and inner:
            condition = draw(st.sampled_from(["", "on T", "on on"]))
            parts.append(f"... {condition} {directive} {inner}")
        else:
            alias = draw(st.sampled_from(["", "x:", "on :"]))
            parts.append(f"{alias}{draw(NAMES)}{draw(ARGUMENTS)} {directive} {inner}")
    return "{" + draw(SPACE).join(parts) + "}"


@st.composite
def documents(draw: st.DrawFn) -> str:
    """An operation or two, and fragments that spread only those after them."""
    names = [f"F{n}" for n in range(draw(st.integers(0, 3)))]
    head = draw(st.sampled_from(["", "query", "query Q", 'query Q($v: [[Int!]!] = [[1]] @d, $w: In = {a: "{"}) @d', "mutation fragment"]))
    parts = [f"{head} {draw(selections(3, names))}"]
    parts += [f"fragment {name} on T {draw(DIRECTIVES)} {draw(selections(2, names[n + 1 :]))}" for n, name in enumerate(names)]
    if head and draw(st.booleans()):
        parts.append(f"query Other {draw(selections(1, []))}")
    return draw(SPACE).join(draw(st.permutations(parts)))


@given(documents())
def test_what_is_measured_is_what_is_parsed(text: str) -> None:
    size, real = measure(text, WIDE), counted(text)
    assert size.tokens == tokens(text)
    for name in ("root_fields", "depth"):
        assert getattr(size, name) >= real[name]
    # A fragment that nobody spreads, or spreads elsewhere, may hold more than the operations do; never less is measured.
    for name in ("fields", "aliases", "directives"):
        assert getattr(size, name) >= real[name]
    if "fragment F" not in text:
        assert {name: getattr(size, name) for name in ("fields", "root_fields", "aliases", "directives")} == {
            name: real[name] for name in ("fields", "root_fields", "aliases", "directives")
        }


@given(st.text(max_size=200) | st.text(alphabet='{}()[]:@."#\\ abon$!\n', max_size=200))
def test_any_text_is_measured(text: str) -> None:
    assert measure(text).tokens <= len(text)


# --- the single numbers -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "name", "number"),
    [
        ("{ a b c }", "root_fields", 3),
        ("{ ... { a } ...F } fragment F on Q { b c }", "root_fields", 3),
        ("{ a { b { c } } }", "depth", 3),
        ("{ a(x: [[[[1]]]]) }", "depth", 5),
        ("{ a { ...F } } fragment F on T { b { c } }", "depth", 3),
        ("{ x: a y: b { z: c } }", "aliases", 3),
        ("{ a(x: {y: 1}) }", "aliases", 0),
        ("query @a ($v: Int @b) { a @c ...F @d } fragment F on T @e { b }", "directives", 3),
        ("{ a a a a }", "repeats", 6),
        ("{ a { a } }", "repeats", 0),
        ("{ x: a x: b { c } }", "repeats", 1),
        ("{ a ...F } fragment F on T { a }", "repeats", 1),
        ("{ a } fragment F on T { b } fragment G on T { c }", "fragments", 2),
    ],
)
def test_one_number(text: str, name: str, number: int) -> None:
    expected = number + 2 if name == "directives" else number  # those of the operation's head
    assert getattr(measure(text), name) == expected


def test_a_fragment_bomb_is_counted_without_going_off() -> None:
    levels = 200
    text = "{ ...F0 }" + "".join(f"fragment F{n} on Q {{ ...F{n + 1} x: q {{ ...F{n + 1} }} }}" for n in range(levels))
    started = time.process_time()
    size = measure(text + f"fragment F{levels} on Q {{ a }}", WIDE)
    assert size.fields == 10**9
    assert time.process_time() - started < 1


def test_fragments_in_a_circle_are_left_to_validation() -> None:
    assert measure("{ ...A } fragment A on Q { a ...B } fragment B on Q { b ...A }").fields >= 2


def test_a_long_chain_of_fragments_is_measured() -> None:
    text = "{ ...F0 }" + "".join(f"fragment F{n} on Q {{ ...F{n + 1} }}" for n in range(5000))
    assert measure(text, WIDE).fragments == 5000


def test_measuring_stops_where_a_limit_is_passed() -> None:
    started = time.process_time()
    assert measure("{" * 10_000_000).depth == Limits().depth + 1
    assert measure("a " * 5_000_000).tokens == Limits().tokens + 1
    assert time.process_time() - started < 1


def test_an_unclosed_string_does_not_take_for_ever() -> None:
    started = time.process_time()
    for text in ('{ a(x: """' + '\\"' * 200_000, '{ a(x: "' + "\\" * 400_000, '"' * 300_001):
        measure(text)
    assert time.process_time() - started < 2


# --- the gate ---------------------------------------------------------------------------------------------------------------------


def test_the_introspection_of_tools_passes() -> None:
    gate = Gate(Limits())
    gate.check(get_introspection_query())
    gate.check(get_introspection_query(descriptions=True, specified_by_url=True, schema_description=True, input_value_deprecation=True))


@pytest.mark.parametrize(
    ("limits", "text", "name"),
    [
        (Limits(tokens=3), "{ a b }", "tokens"),
        (Limits(depth=1), "{ a { b } }", "depth"),
        (Limits(fields=1), "{ a { b } }", "fields"),
        (Limits(root_fields=1), "{ a b }", "root_fields"),
        (Limits(aliases=1), "{ x: a y: a }", "aliases"),
        (Limits(directives=1), "{ a @x @y }", "directives"),
        (Limits(fragments=1), "{ a } fragment F on T { b } fragment G on T { b }", "fragments"),
        (Limits(repeats=1), "{ a a a }", "repeats"),
    ],
)
def test_a_refusal_names_the_limit_and_the_numbers(limits: Limits, text: str, name: str) -> None:
    with pytest.raises(Refused) as caught:
        Gate(limits).check(text)
    refused, limit = caught.value, getattr(limits, name)
    assert (refused.code, refused.data) == ("TOO_LARGE", {"limit": name, "max": limit})
    assert f"the limit is {limit} ({name})" in refused.en
    assert f"上限为 {limit}" in refused.zh


def test_the_gate_forgets_the_oldest_when_its_memory_is_full() -> None:
    gate = Gate(Limits(), remember=40)
    for n in range(100):
        gate.check(f"{{ a{n} }}")
        assert sum(map(len, gate._passed)) <= 40


def test_the_words_are_those_of_the_documentation() -> None:
    with pytest.raises(Refused) as caught:
        Gate(Limits()).check("{a" * 21)
    page = (Path(__file__).parents[2] / "docs" / "serving.md").read_text(encoding="utf-8")
    assert f"{caught.value.zh} {caught.value.en}" in page
