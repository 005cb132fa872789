"""What the arguments of one word have to say together: each slip with its code and the character it stands at."""

from __future__ import annotations

import pytest

from schema.compose import parse_manifest
from tests.schema.small import codes, composed, manifest

LIST = (
    'extend type Query { "目录\\nA list" shops2: [Shop!] @grade(level: L1) @get(path: "/s", %s) }\n'
    'type Shop @key(fields: "uscc") { uscc: USCC! }'
)


def told(source: str, body: str = "") -> list[str]:
    """Each fault's code, and what stands at its place."""
    read = manifest("a", body, source)
    lines = ('extend schema @system(name: "a", title: "系统", owner: "厅") ' + source + "\n" + body).splitlines()
    return [f"{found.code} {lines[found.line - 1][found.column - 1 :]}" for found in read.faults]


@pytest.mark.parametrize(
    "source",
    [
        '@rest(base: "https://tax.example/api", auth: {kind: API_KEY, query: "key", secret: "tax.key"})',
        '@rest(base: "${A}/${B}", auth: {kind: BASIC, user: "u", secret: "p"}, limits: {retries: 0, rate: "1/s"})',
        '@graphql(url: "${A}", auth: {kind: BEARER, secret: "t"}, headers: [{name: "X-Api-Key", value: "${KEY}"}])',
        '@rest(base: "${A}", auth: {kind: OAUTH2, tokenUrl: "${T}", user: "u", secret: "s", scope: "a b"})',
        '@soap(wsdl: "a.wsdl", auth: {kind: HMAC, user: "u", secret: "s", algorithm: SM3, signed: {nonce: "N"}})',
        '@graphql(url: "${A}", tls: {ca: "ca.pem", certificate: "hub.pem", key: "a.key", old: true})',
        '@sql(url: "postgresql://${USER}:${PASSWORD}@db.example/tax", poolSize: 1)',
        '@sql(url: "sqlite:///tax.db")',
        '@graphql(url: "${A}", auth: {kind: FORWARD})',
        '@rest(base: "${A}", charset: "gb18030")',
        '@python(connector: "memory", options: {rows: [{price: "5 $"}]})',
    ],
)
def test_what_fits_together(source: str) -> None:
    assert told(source) == []


@pytest.mark.parametrize(
    ("source", "code", "at"),
    [
        ('@rest(base: "x", auth: {kind: API_KEY, secret: "k"})', "BAD_AUTH", "{kind: API_KEY"),
        ('@rest(base: "x", auth: {kind: API_KEY, header: "A", query: "b", secret: "k"})', "BAD_AUTH", "{kind: API_KEY"),
        ('@rest(base: "x", auth: {kind: BEARER, header: "A", secret: "k"})', "BAD_AUTH", '"A"'),
        ('@rest(base: "x", auth: {kind: BEARER, user: "u", secret: "k"})', "BAD_AUTH", '"u"'),
        ('@rest(base: "x", auth: {kind: BEARER, scope: "a", secret: "k"})', "BAD_AUTH", '"a"'),
        ('@rest(base: "x", auth: {kind: BEARER})', "BAD_AUTH", "{kind: BEARER}"),
        ('@rest(base: "x", auth: {kind: FORWARD, secret: "k"})', "BAD_AUTH", '"k"'),
        ('@stream(url: "x", auth: {kind: FORWARD})', "BAD_AUTH", "{kind: FORWARD}"),
        ('@files(base: "x", auth: {kind: FORWARD})', "BAD_AUTH", "{kind: FORWARD}"),
        ('@rest(base: "x", auth: {kind: OAUTH2, user: "u", secret: "k"})', "BAD_AUTH", "{kind: OAUTH2"),
        ('@rest(base: "x", auth: {kind: OAUTH2, tokenUrl: "t", secret: "k"})', "BAD_AUTH", "{kind: OAUTH2"),
        ('@stream(url: "x", auth: {kind: OAUTH2, tokenUrl: "t", user: "u", secret: "k"})', "BAD_AUTH", "{kind: OAUTH2"),
        ('@rest(base: "x", auth: {kind: HMAC, secret: "k"})', "BAD_AUTH", "{kind: HMAC"),
        ('@rest(base: "x", auth: {kind: BEARER, algorithm: SM3, secret: "k"})', "BAD_AUTH", "SM3"),
        ('@rest(base: "x", tls: {certificate: "hub.pem"})', "BAD_AUTH", "{certificate"),
        ('@soap(wsdl: "x", tls: {key: "k"})', "BAD_AUTH", "{key"),
        ('@rest(base: "x", auth: {kind: BEARER, secret: "_k"})', "BAD_PATH", "_k"),
        ('@rest(base: "x", auth: {kind: BASIC, user: "two words", secret: "k"})', "BAD_PATH", "two words"),
        ('@rest(base: "http://${A-B}/x")', "BAD_VARIABLE", "${A-B}"),
        ('@sql(url: "${A")', "BAD_VARIABLE", "${A"),
        ('@python(connector: "memory", options: {rows: ["${}"]})', "BAD_VARIABLE", "${}"),
        ('@sql(url: "mysql://root:Abc123@db/tax")', "SECRET_IN_FILE", "Abc123@"),
        ('@rest(base: "x", headers: [{name: "x-token", value: "Abc123"}])', "SECRET_IN_FILE", '"Abc123"'),
        ('@rest(base: "x", headers: {name: "Cookie", value: "Abc123"})', "SECRET_IN_FILE", '"Abc123"'),
        ('@rest(base: "x", limits: {retries: -1})', "OUT_OF_RANGE", "-1"),
        ('@rest(base: "x", limits: {timeout: "0s"})', "OUT_OF_RANGE", '"0s"'),
        ('@rest(base: "x", maxBytes: 0)', "OUT_OF_RANGE", "0"),
        ('@rest(base: "x", charset: "GB18O30")', "BAD_ARGUMENT", '"GB18O30"'),
        ('@sql(url: "x", poolSize: 0)', "OUT_OF_RANGE", "0"),
    ],
)
def test_a_slip_in_how_a_system_is_reached(source: str, code: str, at: str) -> None:
    (found,) = told(source)
    assert found.startswith(f"{code} {at}")


@pytest.mark.parametrize(
    ("words", "code", "at"),
    [
        ('page: {style: PAGE, next: "n"}', "BAD_PAGE", '"n"'),
        ('page: {style: OFFSET, page: "p"}', "BAD_PAGE", '"p"'),
        ('page: {style: CURSOR, offset: "o", next: "n"}', "BAD_PAGE", '"o"'),
        ('page: {style: CURSOR, cursor: "c"}', "BAD_PAGE", "{style"),
        ('page: {style: LINK, next: "n"}', "BAD_PAGE", '"n"'),
        ("method: POST, page: {style: LINK}", "BAD_PAGE", "{style"),
        ("page: {style: PAGE, size: 0}", "OUT_OF_RANGE", "0"),
        ('batch: {by: "uscc", max: 0}', "OUT_OF_RANGE", "0"),
        ('batch: {by: "uscc"}, single: true', "BAD_BATCH", "true"),
    ],
)
def test_a_slip_in_how_a_list_is_read(words: str, code: str, at: str) -> None:
    (found,) = told('@rest(base: "x")', LIST % words)
    assert found.startswith(f"{code} {at}")
    assert codes(composed(manifest("a", LIST % words))) == [code]  # and nothing follows from it


@pytest.mark.parametrize("scopes", ["[]", "[[]]", '[["a b"]]', '[["税务"]]', '[["a"], []]', '[["a", "b\\""]]', '[[""]]'])
def test_scopes_that_protect_nothing_or_no_token_can_carry(scopes: str) -> None:
    body = f'extend type Shop {{ "级\\nRank" rank: Int @grade(level: L1) @requiresScopes(scopes: {scopes}) }}'
    assert [found.partition(" ")[0] for found in told('@rest(base: "x")', body)] == ["BAD_SCOPE"]


def test_a_scope_stands_where_it_is_shown() -> None:
    body = 'extend type Shop { "级\\nRank" rank: Int @requiresScopes(scopes: [["a:b"], ["c", "d e"]]) }'
    assert told('@rest(base: "x")', body) == ['BAD_SCOPE "d e"]]) }']


def test_in_a_block_of_text_the_block_is_shown() -> None:
    read = parse_manifest('extend schema @system(name: "a", title: "系统", owner: "厅") @sql(url: """\n  ${A\n""")', "a.graphql")
    assert [(found.code, found.line, found.column) for found in read.faults] == [("BAD_VARIABLE", 1, 69)]
