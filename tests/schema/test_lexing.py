"""The quick way to read a manifest's text gives what graphql-core gives: the same tokens, the same tree, the same mistakes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from graphql import GraphQLSyntaxError, parse
from graphql.language import Lexer, Source, TokenKind
from hypothesis import given
from hypothesis import strategies as st

from bench.manifests import manifests
from schema.lexing import QuickLexer, parsed

PIECES = [
    *("name", "_x9", "type", "{", "}", "(", ")", "[", "]", ":", "=", "!", "|", "&", "$", "@", "...", "..", ".", "?", "%"),
    *('"text"', '""', '"', '"中文\\nEnglish"', '"a\\"b"', '"\\u4e2d"', '"\\x"', '"\\', '"""block\n  text"""', '"""', "'"),
    *("12", "-3.5", "-", "1e", "# a comment", "#", " ", "\t", ",", "\n", "\r\n", "\r", "\ufeff", "\x00", "\ud83d", "😀", "é", '"é😀"'),
]


def told(lexer: Lexer) -> Iterator[tuple[object, ...]]:
    """All tokens with their places, and the mistake that ends them if there is one."""
    try:
        while lexer.token.kind is not TokenKind.EOF:
            token = lexer.advance()
            yield token.kind, token.start, token.end, token.line, token.column, token.value
    except GraphQLSyntaxError as error:
        yield error.message, tuple(error.positions or ())


@given(st.lists(st.sampled_from(PIECES)).map("".join))
def test_any_text_gives_the_same_tokens_and_the_same_mistake(text: str) -> None:
    assert list(told(QuickLexer(Source(text)))) == list(told(Lexer(Source(text))))


@pytest.mark.parametrize("written", manifests(30), ids=lambda each: each.file)
def test_a_manifest_gives_the_same_tree(written: object) -> None:
    text = written.text  # type: ignore[attr-defined]

    assert parsed(Source(text)) == parse(Source(text))
