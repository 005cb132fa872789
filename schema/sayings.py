"""What the arguments of one word have to say together, beyond their types: which parts of a page or a credential go with which kind,
which numbers make sense, what a scope looks like, and that no secret stands in a file.

Each rule looks at one word alone and yields slips. Knows no other word, no type and no system.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from graphql.language import ListValueNode, Node, ObjectValueNode, StringValueNode

from schema.entries import Word


@dataclass(frozen=True, slots=True)
class Slip:
    """One thing wrong with a word; ``offset`` counts characters from the beginning of ``node``."""

    code: str
    node: Node
    message: str
    fix: str
    offset: int = 0


def slips(word: Word) -> Iterator[Slip]:
    """All that is wrong with a word whose arguments have the right types."""
    yield from _numbers(word)
    for rule in _RULES.get(word.name, ()):
        yield from rule(word)


# ---- pages, batches and credentials

_PARTS: Mapping[str, Mapping[str, tuple[str, ...]]] = {  # of @get(page:) and of auth: part -> the kinds it goes with, the usual one first
    "page": {"page": ("PAGE",), "first": ("PAGE",), "offset": ("OFFSET",), "cursor": ("CURSOR",), "next": ("CURSOR",)},
    "auth": {
        "secret": ("API_KEY", "BASIC", "BEARER", "HMAC", "OAUTH2"),
        "header": ("API_KEY",),
        "query": ("API_KEY",),
        "user": ("BASIC", "OAUTH2", "HMAC"),
        "tokenUrl": ("OAUTH2",),
        "scope": ("OAUTH2",),
        "algorithm": ("HMAC",),
        "signed": ("HMAC",),
    },
}


def _page(word: Word) -> Iterator[Slip]:
    page = word.args.get("page")
    if page is None:
        return
    style = str(page["style"])
    yield from _idle(word, "page", style, "BAD_PAGE")
    if style == "LINK" and str(word.args.get("method")) != "GET":
        message = "Links are followed by GET; this place is asked by POST."
        yield Slip("BAD_PAGE", word.value_node("page"), message, "write another style")
    if style == "CURSOR" and not page.get("next"):
        message = "Pages by CURSOR need `next`: where the answer holds the mark of the next part."
        yield Slip("BAD_PAGE", word.value_node("page"), message, 'add next: "…", a path in the answer')


_USERS = {"BASIC": "user's name", "OAUTH2": "client's id", "HMAC": "application's id"}


def _auth(word: Word) -> Iterator[Slip]:
    auth = word.args.get("auth")
    if auth is None:
        return
    kind, node = str(auth["kind"]), word.value_node("auth")
    yield from _idle(word, "auth", kind, "BAD_AUTH")
    if kind in _PARTS["auth"]["secret"] and not auth.get("secret"):
        yield Slip("BAD_AUTH", node, f"{kind} needs `secret`.", 'add secret: "…", the name of the secret')
    if kind in _PARTS["auth"]["user"] and not auth.get("user"):
        yield Slip("BAD_AUTH", node, f"{kind} needs `user`.", f'add user: "…", the name of the secret that holds the {_USERS[kind]}')
    if kind == "OAUTH2" and not auth.get("tokenUrl"):
        yield Slip("BAD_AUTH", node, "OAUTH2 needs `tokenUrl`.", 'add tokenUrl: "${NAME}", the address that gives tokens')
    if kind == "API_KEY" and bool(auth.get("header")) is bool(auth.get("query")):
        yield Slip("BAD_AUTH", node, "An API_KEY goes into one place.", 'write header: "…" or query: "…", one of the two')


def _tls(word: Word) -> Iterator[Slip]:
    tls = word.args.get("tls")
    if tls is not None and bool(tls.get("certificate")) is not bool(tls.get("key")):
        message = "A certificate is shown together with its private key."
        yield Slip("BAD_AUTH", word.value_node("tls"), message, 'write certificate: "…", a file, and key: "…", a secret; or none of them')


def _basic(word: Word) -> Iterator[Slip]:
    auth = word.args.get("auth")
    if auth is not None and str(auth["kind"]) != "BASIC":
        message = f"A folder knows no {auth['kind']}."
        yield Slip("BAD_AUTH", word.value_node("auth"), message, 'write {kind: BASIC, user: "…", secret: "…"}')


def _idle(word: Word, argument: str, kind: str, code: str) -> Iterator[Slip]:
    """Parts that are given and mean nothing with this kind: the author expects something that will not happen."""
    for name, owners in _PARTS[argument].items():
        node = _inside(word.value_node(argument), name)
        if node is not None and kind not in owners:
            yield Slip(code, node, f"`{name}` goes with {' or '.join(owners)}; here it is {kind}.", f"remove {name}, or write {owners[0]}")


def _source_keeps(word: Word) -> Iterator[Slip]:
    """A place may leave ``cache`` to its source; a source has nobody to leave it to."""
    if word.args.get("stale") is not None and not word.args.get("cache"):
        message = "`stale` says how much longer than `cache` an answer may be served, and there is no `cache`."
        yield Slip("BAD_CACHE", word.value_node("stale"), message, 'add cache: "60s"')


def _single(word: Word) -> Iterator[Slip]:
    if word.args.get("single") and word.args.get("batch"):
        message = "`single` says that the source takes one key a call, `batch` that it takes many."
        yield Slip("BAD_BATCH", word.value_node("single"), message, "keep one of the two")


def _charset(word: Word) -> Iterator[Slip]:
    name = word.args.get("charset")
    if name is not None and not _is_charset(str(name)):
        message = f"There is no charset {name!r}."
        yield Slip("BAD_ARGUMENT", word.value_node("charset"), message, 'write the name of one: "GB18030", "UTF-8", "Big5"')


def _is_charset(name: str) -> bool:
    try:
        " ".encode(name)
    except (LookupError, ValueError):
        return False
    return True


def _broker(word: Word) -> Iterator[Slip]:
    auth = word.args.get("auth")
    if auth is not None and str(auth["kind"]) not in ("BASIC", "BEARER"):
        message = f"A broker knows no {auth['kind']}."
        yield Slip("BAD_AUTH", word.value_node("auth"), message, 'write {kind: BASIC, user: "…", secret: "…"}')


def _metadata(word: Word) -> Iterator[Slip]:
    """What the metadata of a call can carry as it stands."""
    auth, node = word.args.get("auth"), word.value_node("auth")
    if auth is None:
        return
    if str(auth["kind"]) not in ("API_KEY", "BASIC", "BEARER"):
        yield Slip("BAD_AUTH", node, f"A gRPC call carries no {auth['kind']}.", 'write {kind: BEARER, secret: "…"}')
    elif auth.get("query"):
        yield Slip("BAD_AUTH", node, "A gRPC call has no query.", 'write header: "…" instead of query')


def _modern(word: Word) -> Iterator[Slip]:
    node = _inside(word.value_node("tls"), "old")
    if node is not None and word.args["tls"].get("old"):
        yield Slip("BAD_AUTH", node, "gRPC does not speak TLS 1.0 and 1.1.", "remove old")


# ---- numbers

_LEAST: Mapping[tuple[str, ...], tuple[float, str]] = {  # where -> what a number there has to be at least
    ("limits", "concurrency"): (1, "at least 1"),
    ("limits", "retries"): (0, "at least 0"),
    ("limits", "timeout"): (0.001, 'longer than "0s"'),
    ("limits", "breaker", "failures"): (0, "at least 0"),
    ("limits", "breaker", "within"): (0.001, 'longer than "0s"'),
    ("limits", "breaker", "pause"): (0.001, 'longer than "0s"'),
    ("limits", "breaker", "probes"): (1, "at least 1"),
    ("batch", "max"): (1, "at least 1"),
    ("page", "size"): (1, "at least 1"),
    ("page", "first"): (0, "at least 0"),
    ("keep", "count"): (1, "at least 1"),
    ("keep", "age"): (0.001, 'longer than "0s"'),
    ("maxBytes",): (1, "at least 1"),
    ("poolSize",): (1, "at least 1"),
    ("quiet",): (0.001, 'longer than "0s"'),
}


def _numbers(word: Word) -> Iterator[Slip]:
    for path, (least, wanted) in _LEAST.items():
        value: Any = word.args
        node: Node | None = word.value_node(path[0])
        for step in path:
            value = value.get(step) if isinstance(value, Mapping) else None
        for step in path[1:]:
            node = _inside(node, step)
        if value is not None and node is not None and value < least:
            yield Slip("OUT_OF_RANGE", node, f"@{word.name}({'.'.join(path)}) has to be {wanted}.", f"write a value that is {wanted}")


# ---- scopes

_SCOPE = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+")  # RFC 6749, 3.3: what a token can carry


def _scopes(word: Word) -> Iterator[Slip]:
    node, lists = word.value_node("scopes"), word.args["scopes"]
    if not lists or not all(lists):
        message = "An empty list asks for no scope: everybody may see it."
        yield Slip("BAD_SCOPE", node, message, 'name the scopes: [["enterprise:read"]], or remove @requiresScopes')
    for at, every in enumerate(lists):
        for place, scope in enumerate(every):
            if not _SCOPE.fullmatch(scope):
                message = f"No token can carry the scope {scope!r}."
                fix = "write letters, digits, ':', '.', '-' or '_', without spaces; several scopes are several texts"
                yield Slip("BAD_SCOPE", _element(_element(node, at), place), message, fix)


# ---- addresses and headers

_VARIABLE = re.compile(r"\$\{[A-Za-z_][A-Za-z0-9_]*\}")
_PASSWORD = re.compile(r"://[^/?#@\s]*?:([^/?#@\s]+)@")
_SECRET_HEADER = re.compile(r"authorization|cookie|token|secret|password|api-?key|app-?key", re.IGNORECASE)


def _texts(word: Word) -> Iterator[Slip]:
    """Every text of a source word: variables are whole, and no password is among them."""
    for argument in word.node.arguments or ():
        for node in _strings(argument.value):
            yield from _variables(node)
            found = _PASSWORD.search(node.value)
            if found is not None and not _VARIABLE.search(found[1]):
                message = "A password stands in the file."
                fix = 'write the whole address as "${NAME}", and give it in the environment or in hub.toml'
                yield Slip("SECRET_IN_FILE", node, message, fix, _offset(node, found.start(1)))


def _variables(node: StringValueNode) -> Iterator[Slip]:
    for found in re.finditer(r"\$\{", node.value):
        if not _VARIABLE.match(node.value, found.start()):
            message = "'${' begins the name of a variable, and here none follows."
            fix = "write ${NAME}: letters, digits and '_', a letter first"
            yield Slip("BAD_VARIABLE", node, message, fix, _offset(node, found.start()))


def _headers(word: Word) -> Iterator[Slip]:
    for at, header in enumerate(word.args.get("headers") or ()):
        if _SECRET_HEADER.search(header["name"]) and not _VARIABLE.search(header["value"]):
            node = _inside(_element(word.value_node("headers"), at), "value") or word.value_node("headers")
            message = f"The header '{header['name']}' carries a secret, and its value stands in the file."
            yield Slip("SECRET_IN_FILE", node, message, 'write auth: {…, secret: "…"}, or value: "${NAME}"')


def _header(word: Word) -> Iterator[Slip]:
    """SOAP headers are plain data of any depth; a secret there is ``{secret: NAME}``."""
    for name, node in _named_texts(word.value_node("header")) if "header" in word.args else ():
        if name != "secret" and _SECRET_HEADER.search(name) and not _VARIABLE.search(node.value):
            message = f"The SOAP header's '{name}' is a secret, and its value stands in the file."
            yield Slip("SECRET_IN_FILE", node, message, f'write {name}: {{secret: "…"}}, the name of the secret')


_RULES: Mapping[str, tuple[Callable[[Word], Iterator[Slip]], ...]] = {
    "get": (_page, _single),
    "field": (_single,),
    "call": (_single,),
    "rest": (_auth, _tls, _texts, _headers, _charset, _source_keeps),
    "graphql": (_auth, _tls, _texts, _headers, _source_keeps),
    "soap": (_auth, _tls, _texts, _headers, _header, _source_keeps),
    "grpc": (_auth, _metadata, _tls, _modern, _texts, _headers, _source_keeps),
    "sql": (_texts, _source_keeps),
    "files": (_auth, _basic, _texts),
    "stream": (_auth, _broker, _texts),
    "python": (_texts, _source_keeps),
    "requiresScopes": (_scopes,),
}


# ---- where things stand


def _inside(node: Node | None, name: str) -> Node | None:
    """The value of a part of an object as it stands in the file; None where it is not given."""
    fields = node.fields if isinstance(node, ObjectValueNode) else ()
    return next((each.value for each in fields if each.name.value == name), None)


def _element(node: Node, at: int) -> Node:
    """An element of a list; a single value stands for a list of one."""
    return node.values[at] if isinstance(node, ListValueNode) and at < len(node.values) else node


def _strings(node: Node) -> Iterator[StringValueNode]:
    if isinstance(node, StringValueNode):
        yield node
    elif isinstance(node, ListValueNode):
        for each in node.values:
            yield from _strings(each)
    elif isinstance(node, ObjectValueNode):
        for part in node.fields:
            yield from _strings(part.value)


def _named_texts(node: Node) -> Iterator[tuple[str, StringValueNode]]:
    """Each text that is a part of an object, at any depth, with the name of the part."""
    for part in node.fields if isinstance(node, ObjectValueNode) else ():
        if isinstance(part.value, StringValueNode):
            yield part.name.value, part.value
        yield from _named_texts(part.value)
    for each in node.values if isinstance(node, ListValueNode) else ():
        yield from _named_texts(each)


def _offset(node: StringValueNode, at: int) -> int:
    """The character after the opening quote; a block's lines are indented, so there the block itself is shown."""
    return 0 if node.block else 1 + at
