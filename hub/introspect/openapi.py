"""A REST service as ``Found``, from its OpenAPI document (3.0 or 3.1): reads by GET, and searches by POST.

Raises SourceError.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin

from connectors.paths import reader
from connectors.spi import SourceError
from hub.introspect.documents import data_of, is_address, text_of
from hub.introspect.found import Found, Param, Relation
from hub.introspect.shapes import Document, Node, Rows, Schema, columns, rows_of, with_examples
from hub.introspect.terms import camel, plain

_SEARCH = re.compile(r"query|search|list|find|page|select|fetch|chaxun|cx$|查询|检索|列表|查找", re.IGNORECASE)
_SEVERAL = re.compile(r"逗号|多个|批量|comma|several|multiple", re.IGNORECASE)
_PAGES = ("page", "pageno", "pagenum", "pageindex", "current", "currentpage", "pagenumber")
_LIMITS = ("pagesize", "size", "limit", "rows", "perpage", "pagelimit")
_OFFSETS = ("offset", "start", "skip")


async def find(
    place: str, *, name: str, variable: str, operations: Sequence[str] = (), headers: Mapping[str, str] | None = None
) -> tuple[Found, str]:
    """(what the document at ``place`` describes, the address of the service as it says). Raises SourceError.

    ``operations`` are operation ids or ``GET /path``; all reads if none are named.
    """
    data = data_of(await text_of(place, headers))
    if not isinstance(data, Mapping):
        raise SourceError("broken", "This is no OpenAPI document.")
    version = str(data.get("openapi") or "")
    if not version.startswith(("3.0", "3.1")):
        said = f"OpenAPI {data['swagger']}" if "swagger" in data else version or "without a version"
        raise SourceError("broken", f"This is no document of OpenAPI 3.0 or 3.1 ({said}). Convert it first.")
    document = Document(data)
    notes: list[str] = []
    every = list(_operations(document))
    known = {each for one in every for each in one.names}
    absent = [each for each in operations if each not in known]
    if absent:
        listed = ", ".join(sorted(one.names[-1] for one in every))
        raise SourceError("missing", f"There is no operation {absent[0]!r}; there are: {listed}.")
    chosen = [one for one in every if not operations or set(one.names) & set(operations)]
    relations = [relation for one in chosen if (relation := _relation(document, one, notes)) is not None]
    base, address = _base(data, variable, place)
    auth = _auth(document, name, notes)
    info = data.get("info") if isinstance(data.get("info"), Mapping) else {}
    source = {"base": base, **({"auth": auth} if auth else {})}
    return Found("rest", tuple(relations), str((info or {}).get("title") or ""), source, tuple(dict.fromkeys(notes))), address


@dataclass(frozen=True, slots=True)
class _Operation:
    path: str
    method: str
    said: Node
    parameters: tuple[Node, ...]

    @property
    def names(self) -> tuple[str, ...]:
        own = str(self.said.get("operationId") or "")
        return (*([own] if own else []), f"{self.method} {self.path}")


def _operations(document: Document) -> Iterator[_Operation]:
    """Reads: GET, and POST that is called a search."""
    for path, node in sorted((document.data.get("paths") or {}).items()):
        item, _ = document.resolve(node)
        for method in ("get", "post"):
            said = item.get(method)
            if not isinstance(said, Mapping) or said.get("deprecated"):
                continue
            words = f"{path} {said.get('operationId') or ''} {said.get('summary') or ''}"
            if method == "post" and not _SEARCH.search(words):
                continue
            both = [*(item.get("parameters") or ()), *(said.get("parameters") or ())]
            merged = {(one.get("in"), one.get("name")): one for one in (document.resolve(each)[0] for each in both)}
            yield _Operation(str(path), method.upper(), said, tuple(merged.values()))


def _relation(document: Document, one: _Operation, notes: list[str]) -> Relation | None:
    rows, example = _answer(document, one)
    if rows is None:
        notes.append(f"Left out: {one.names[-1]}; its document does not say what rows it answers with.")
        return None
    params, query, fields = _params(document, one)
    page, paging = _page(params, document, one, rows) if rows.many else ({}, frozenset())
    if rows.code:
        notes.append("Its answers carry a code of their own: say which one means that nothing was found, by `errors` on @rest.")
    found = with_examples(columns(document, rows.schema), _rows(example, rows))
    place = {
        "path": one.path,
        "method": one.method,
        "at": rows.at,
        "page": page,
        "query": tuple(each for each in query if each not in paging),
        "fields": tuple(each for each in fields if each not in paging),
    }
    last = next((part for part in reversed(one.path.split("/")) if part and "{" not in part), "rows")
    return Relation(
        one.names[0],
        found,
        str(rows.schema.words.get("title") or one.said.get("summary") or "").strip(),
        params=tuple(each for each in params if each.name not in paging),
        many=rows.many,
        row=rows.schema.name or camel(last) or one.names[0],
        place=place,
    )


def _answer(document: Document, one: _Operation) -> tuple[Rows | None, Any]:
    """The rows of the successful answer, and an example of the whole answer."""
    content = _response(document, one).get("content") or {}
    media = next((content[kind] for kind in sorted(content) if "json" in kind or kind == "*/*"), None)
    if not isinstance(media, Mapping):
        return None, None
    example = media.get("example")
    for given in (media.get("examples") or {}).values():
        example = document.resolve(given)[0].get("value") if example is None else example
    schema = document.schema(media.get("schema"))
    return rows_of(document, schema), example if example is not None else schema.words.get("example")


def _response(document: Document, one: _Operation) -> Node:
    """The successful answer."""
    responses = one.said.get("responses") or {}
    return document.resolve(next((responses[code] for code in (*("200", 200, "201", "2XX"), "default") if code in responses), None))[0]


def _rows(example: Any, rows: Rows) -> list[Any]:
    found = reader(rows.at)(example) if example is not None else None
    return found if isinstance(found, list) else [found]


def _params(document: Document, one: _Operation) -> tuple[list[Param], tuple[str, ...], tuple[str, ...]]:
    """(all parameters, those in the query, those in the body)."""
    found, query, fields = [], [], []
    for each in one.parameters:
        name, where = str(each.get("name")), each.get("in")
        if where not in ("path", "query"):
            if each.get("required"):
                found.append(Param(name, True))  # nothing can be put into it: the call is left out
            continue
        schema = document.schema(each.get("schema"))
        comment = str(each.get("description") or schema.words.get("description") or "")
        joined = schema.kind == "array" and each.get("explode") is False and each.get("style", "form") == "form"
        several = joined or (schema.kind == "string" and bool(_SEVERAL.search(comment)))
        found.append(Param(name, bool(each.get("required")) and "default" not in schema.words, several, _head(comment)))
        if where == "query":
            query.append(name)
    body, _ = document.resolve(one.said.get("requestBody"))
    content = body.get("content") or {}
    media = next((content[kind] for kind in sorted(content) if "json" in kind), None)
    schema = document.schema(media.get("schema")) if isinstance(media, Mapping) else Schema("", "", {}, {})
    for name, node in schema.properties.items():
        inner = document.schema(node)
        required = name in (schema.words.get("required") or ()) and "default" not in inner.words
        found.append(Param(str(name), required, inner.kind == "array", _head(str(inner.words.get("description") or ""))))
        fields.append(str(name))
    if body.get("required") and not schema.properties:
        found.append(Param("body", True))
    return found, tuple(query), tuple(fields)


def _head(comment: str) -> str:
    """The first words of a comment, which name the thing."""
    return re.split(r"[，,。;；\n]", comment.strip())[0].strip()


def _page(params: Sequence[Param], document: Document, one: _Operation, rows: Rows) -> tuple[dict[str, Any], frozenset[str]]:
    """(the words of @get(page:), the parameters that it takes up)."""
    named = {plain(each.name): each.name for each in params}
    limit = next((named[each] for each in _LIMITS if each in named), None)
    page = next((named[each] for each in _PAGES if each in named), None)
    offset = next((named[each] for each in _OFFSETS if each in named), None)
    linked = one.method == "GET" and any(str(name).lower() == "link" for name in _response(document, one).get("headers") or ())
    turn = {"style": "PAGE", "page": page} if page else {"style": "OFFSET", "offset": offset} if offset else None
    if not linked and (turn is None or limit is None):
        return {}, frozenset()
    said = _said(document, one, limit) if limit else {}
    most = said.get("maximum", said.get("default", 100))
    size = {"limit": limit, "size": most if isinstance(most, int) and 0 < most <= 1000 else 100} if limit else {}
    total = {"total": rows.total} if rows.total else {}
    paging = frozenset(each for each in (page or offset, limit) if each)
    if linked or turn is None:
        return {"style": "LINK", **size, **total}, paging
    first = _said(document, one, page).get("default", 1) if page else 1
    start = {"first": 0} if first == 0 and page else {}
    return {**turn, **size, **start, **total}, paging


def _said(document: Document, one: _Operation, name: str) -> Node:
    node = next((each.get("schema") for each in one.parameters if each.get("name") == name), None)
    return document.schema(node).words


def _base(data: Node, variable: str, place: str) -> tuple[str, str]:
    """(the base as written, the address that the document gives for the variable)."""
    servers = data.get("servers")
    url = str(servers[0].get("url") or "") if isinstance(servers, list) and servers and isinstance(servers[0], Mapping) else ""
    if is_address(url) and "{" not in url:
        return f"${{{variable}}}", url.rstrip("/")
    if url.startswith("/") and "{" not in url:
        whole = urljoin(place, url).rstrip("/") if is_address(place) else ""
        return (f"${{{variable}}}", whole) if whole else (f"${{{variable}}}{url.rstrip('/')}", "")
    # Without servers the service is where its document is.
    return f"${{{variable}}}", urljoin(place, "/").rstrip("/") if not servers and is_address(place) else ""


def _auth(document: Document, name: str, notes: list[str]) -> dict[str, Any]:
    """The first scheme that the document demands, in the words of @rest(auth:)."""
    schemes = (document.data.get("components") or {}).get("securitySchemes") or {}
    demanded = [each for one in document.data.get("security") or () if isinstance(one, Mapping) for each in one] or list(schemes)
    for each in demanded:
        said, _ = document.resolve(schemes.get(each))
        kind, how = said.get("type"), str(said.get("scheme") or "").lower()
        if kind == "apiKey" and said.get("in") in ("header", "query"):
            return {"kind": "API_KEY", str(said["in"]): str(said.get("name")), "secret": f"{name}.key"}
        if kind == "http" and how == "basic":
            return {"kind": "BASIC", "user": f"{name}.user", "secret": f"{name}.password"}
        if kind in ("http", "oauth2", "openIdConnect"):
            if kind != "http":
                notes.append(f"It wants a token by {kind}; the hub sends the fixed token of the secret {name}.token.")
            return {"kind": "BEARER", "secret": f"{name}.token"}
        notes.append(f"Its security scheme {each} ({kind}) is none that the hub has.")
    return {}
