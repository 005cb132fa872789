"""The quick look at a manifest: what it lets pass, the rules of SDL would have let pass too."""

from __future__ import annotations

import re

from graphql import GraphQLSyntaxError
from graphql.language import Source
from hypothesis import assume, given
from hypothesis import strategies as st

from bench.manifests import manifests
from schema.lexing import parsed
from schema.manifest import _Reader
from schema.tidy import tidy

WHOLE = """
extend schema
  @system(name: "a", title: "甲", owner: "乙")
  @rest(base: "b", auth: {kind: API_KEY, header: "h", secret: "s"}, headers: [{name: "n", value: "v"}])
interface Named @shareable { name: String @grade(level: L1) }
union Some @shareable = Firm | Other
enum State { "开\\nOpen" OPEN @from(path: "1") SHUT }
type Query {
  one(a: ID! = "x" @is(field: "a"), b: [Op!] = [{c: 1, d: {e: 2}}]): Firm @lookup @get(path: "/{a}", batch: {by: "a"})
}
type Firm implements Named @key(fields: "a") @key(fields: "b") @entity @mock(rows: [{a: 1, b: [2]}]) {
  a: ID! @from(path: "a")
  b: State @grade(level: L1)
}
extend type Firm @serves(priority: 1) {
  c(x: Int @require(field: "b")): Int @get(path: "/c") @requiresScopes(scopes: [["a"]]) @deprecated
}
extend type Query { more: [Firm] @grade(level: L2) }
"""
TOKENS = re.findall(r'"[^"]*"|\w+|\s+|.', WHOLE)
WORDS = sorted(
    {*TOKENS, "extend", "scalar", "input", "directive", "Grade", "null", "@key", "@grade(level: L1)", "@skip(if: true)", "@unknown"}
)


@given(st.lists(st.tuples(st.integers(0, len(TOKENS) - 1), st.integers(0, 3), st.sampled_from(WORDS)), min_size=1, max_size=4))
def test_where_the_quick_look_finds_nothing_the_rules_find_nothing(changes: list[tuple[int, int, str]]) -> None:
    tokens = list(TOKENS)
    for at, how, word in changes:
        tokens[at] = ("", word, f"{tokens[at]} {word}", f"{tokens[at]} {tokens[at]}")[how]
    try:
        document = parsed(Source("".join(tokens)))
    except GraphQLSyntaxError:
        assume(False)
    reader = _Reader("file")
    reader.check_rules(document)

    assert not (tidy(document) and reader.faults)


def test_manifests_in_order_pass_at_once() -> None:
    assert all(tidy(parsed(Source(each.text))) for each in manifests(60))
    assert tidy(parsed(Source(WHOLE)))
