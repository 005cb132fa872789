"""Reading a manifest's text into graphql-core's syntax tree, in less time: one regular expression finds the usual tokens.

Names, punctuation and strings on one line are most of a manifest. Whatever else is there, comments, block strings, numbers and all
mistakes, graphql-core's own lexer reads. Must not know what a manifest is.
"""

from __future__ import annotations

import re

from graphql.language import DocumentNode, Lexer, Source, Token, TokenKind
from graphql.language.parser import Parser

# Blanks; then a name, a sign, or a string that is neither empty nor a block, with simple escapes.
_USUAL = re.compile(
    r"([ \t,\n\ufeff]*)"
    r"(?:([A-Za-z_][A-Za-z0-9_]*)"
    r"|([!$&():=@\[\]{|}])"
    r'|"((?:[^"\\\r\n\ud800-\udfff]|\\["\\/bfnrt])+)")'
)
_SIGNS = {kind.value: kind for kind in TokenKind if len(kind.value) == 1}
_ESCAPED = re.compile(r"\\(.)")
_ESCAPES = {'"': '"', "\\": "\\", "/": "/", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}


def parsed(source: Source) -> DocumentNode:
    """The document, as ``graphql.parse`` gives it. Raises GraphQLSyntaxError."""
    return Parser(source, lexer=QuickLexer(source)).parse_document()


class QuickLexer(Lexer):
    """graphql-core's lexer, with a short way for the usual tokens."""

    def read_next_token(self, start: int) -> Token:
        """The token at ``start`` or after the blanks there."""
        found = _USUAL.match(self.source.body, start)
        if found is None:
            return super().read_next_token(start)
        blank, name, sign, text = found.groups()
        if "\n" in blank:
            self.line += blank.count("\n")
            self.line_start = start + blank.rindex("\n") + 1
        at, end = found.end(1), found.end()
        column = 1 + at - self.line_start
        if name is not None:
            return Token(TokenKind.NAME, at, end, self.line, column, name)
        if sign is not None:
            return Token(_SIGNS[sign], at, end, self.line, column)
        if "\\" in text:
            text = _ESCAPED.sub(lambda escape: _ESCAPES[escape[1]], text)
        return Token(TokenKind.STRING, at, end, self.line, column, text)
