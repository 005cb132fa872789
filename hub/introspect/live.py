"""Manifests against their sources as they are: tables, columns, fields and paths that a manifest names and a source does not have.

What can be compared depends on the kind: a database, a folder, a WSDL, a GraphQL and a gRPC service tell all; of a REST service only what
its lists without a key bring is seen, the rest is for ``hub try``. Raises nothing: a source that cannot be asked is a finding.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from graphql import GraphQLSchema, build_client_schema, get_introspection_query, get_named_type, is_object_type
from graphql.language import Node

from connectors.graphql import GraphqlConnector
from connectors.paths import read_all, steps
from connectors.spi import Ask, Call, Connector, Field, SourceError
from connectors.sql import SqlConnector
from connectors.sql.reflect import Table
from schema.entries import Manifest
from schema.faults import nearest
from schema.registry import Binding, Role

CODES: Mapping[str, str] = {
    "NOT_CONNECTED": "the deployment does not give an address or a secret",
    "CANNOT_ASK": "the source cannot be reached, refuses, or fails",
    "MISSING_TABLE": "a database has no such table or view, a folder no such file",
    "MISSING_COLUMN": "a table or a file has no such column",
    "MISSING_FIELD": "a GraphQL, SOAP or gRPC service has no such field, operation or argument",
    "MISSING_PATH": "no row of a list has anything at this path",
}
_SECONDS = 20.0


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One difference, at its place in the manifest; lines and columns count from 1."""

    file: str
    line: int
    column: int
    code: str
    message: str
    fix: str = ""

    def __str__(self) -> str:
        text = f"{self.file}:{self.line}:{self.column} {self.code} {self.message}"
        return f"{text}\n    fix: {self.fix}" if self.fix else text


async def compare(manifest: Manifest, bindings: Sequence[Binding], connector: Connector) -> list[Finding]:
    """Every difference between a manifest's bindings and its source."""
    try:
        async with asyncio.timeout(_SECONDS):
            if isinstance(connector, SqlConnector):
                tables = {each.name: each for each in await connector.tables()}
                found = [one for each in bindings for one in _table(manifest, each, tables)]
            elif isinstance(connector, GraphqlConnector):
                data: Any = await connector.introspect(get_introspection_query(descriptions=False))
                schema = build_client_schema(data)
                found = [one for each in bindings for one in _root(manifest, each, schema)]
            elif (told := getattr(connector, "operations", None)) is not None:  # SOAP and gRPC, whose packages need not be there
                await connector.describe()
                operations = {each.name: each for each in await told()}
                words = ("The WSDL", "element") if connector.kind == "soap" else ("The service", "field")
                found = [one for each in bindings for one in _operation(manifest, each, operations, *words)]
            elif connector.kind == "files":
                await connector.describe()
                found = [one for each in bindings for one in await _file(manifest, each, connector)]
            else:
                await connector.describe()
                found = [one for each in bindings if each.role is Role.SCAN for one in await _list(manifest, each, connector)]
    except SourceError as error:
        detail = f" ({error.detail})" if error.detail else ""
        found = [finding(manifest, None, "CANNOT_ASK", f"{manifest.name}: {error.message}{detail}")]
    except TimeoutError:
        found = [finding(manifest, None, "CANNOT_ASK", f"{manifest.name}: no answer within {_SECONDS:.0f} seconds.")]
    return sorted(set(found))


def finding(manifest: Manifest, node: Node | None, code: str, message: str, fix: str = "") -> Finding:
    """A finding at a node, else at what says how the system is reached."""
    at = node or (manifest.source.node if manifest.source else None)
    token = at.loc.start_token if at is not None and at.loc is not None else None
    return Finding(manifest.file, token.line if token else 1, token.column if token else 1, code, message, fix)


def _near(name: str, known: Iterable[str]) -> tuple[str, str]:
    found = nearest(name, known)
    return (f" Did you mean '{found}'?", f"write {found}") if found else ("", "")


def _table(manifest: Manifest, binding: Binding, tables: Mapping[str, Table]) -> Iterator[Finding]:
    name = str(binding.relation.native.get("table", ""))
    table = tables.get(name)
    if table is None:
        hint, fix = _near(name, tables)
        yield finding(manifest, _word(manifest, binding.type, "table"), "MISSING_TABLE", f"There is no table '{name}'.{hint}", fix)
        return
    columns = [each.name for each in table.columns]
    for field in binding.relation.fields:
        column = field.path or _own(binding, field)
        if column and column not in columns:
            hint, fix = _near(column, columns)
            node = _field(manifest, binding, field)
            yield finding(manifest, node, "MISSING_COLUMN", f"Table '{name}' has no column '{column}'.{hint}", fix)


async def _file(manifest: Manifest, binding: Binding, connector: Any) -> list[Finding]:
    """The newest delivery of a file: that it is there, can be taken, and has the columns."""
    name = str(binding.relation.native.get("file", ""))
    at = _word(manifest, binding.type, "file")
    try:
        columns = await connector.columns(binding.relation)
    except SourceError as error:
        detail = f" ({error.detail})" if error.detail else ""
        code = "MISSING_TABLE" if error.kind == "missing" else "CANNOT_ASK"
        message = f"There is no file '{name}'." if error.kind == "missing" else f"File '{name}': {error.message}{detail}"
        return [finding(manifest, at, code, message)]
    found = []
    for column, field in ((field.path or _own(binding, field), field) for field in binding.relation.fields):
        if column and column not in columns:
            hint, fix = _near(column, columns)
            node = _field(manifest, binding, field) or at
            found.append(finding(manifest, node, "MISSING_COLUMN", f"File '{name}' has no column '{column}'.{hint}", fix))
    return found


def _own(binding: Binding, field: Field) -> str:
    """A key without a path lies in the table's own key."""
    own = dict(zip(binding.relation.keys, binding.relation.native.get("key", ()), strict=False))
    return str(own.get(field.name, ""))


def _root(manifest: Manifest, binding: Binding, schema: GraphQLSchema) -> Iterator[Finding]:
    name = str(binding.relation.native.get("name", binding.relation.name))
    query = schema.query_type
    fields = query.fields if query else {}
    node = _call(manifest, binding)
    if name not in fields:
        hint, fix = _near(name, fields)
        yield finding(manifest, node, "MISSING_FIELD", f"The source's query type has no field '{name}'.{hint}", fix)
        return
    argument = binding.relation.native.get("argument")
    if argument and argument not in fields[name].args:
        hint, fix = _near(argument, fields[name].args)
        yield finding(manifest, node, "MISSING_FIELD", f"The source's field '{name}' has no argument '{argument}'.{hint}", fix)
    row: Any = get_named_type(fields[name].type)
    for step in steps(str(binding.relation.native.get("at") or "")):
        row = get_named_type(row.fields[step].type) if is_object_type(row) and step in row.fields else None
    if row is None:
        yield finding(manifest, node, "MISSING_FIELD", f"There is nothing at '{binding.relation.native.get('at')}' below '{name}'.")
        return
    yield from _within(manifest, binding, binding.relation.fields, row, None)


def _within(manifest: Manifest, binding: Binding, columns: Iterable[Field], row: Any, outer: Field | None) -> Iterator[Finding]:
    for column in columns:
        kind: Any = row
        if "... on" in column.path:
            continue  # read under a type condition: which type that is, the rows say
        for step in steps(column.path):
            if isinstance(step, int):
                continue
            fields = getattr(kind, "fields", {})
            if step not in fields and step != "__typename":
                hint, fix = _near(str(step), fields)
                node = _field(manifest, binding, outer or column)
                message = f"The source's type '{getattr(kind, 'name', '?')}' has no field '{step}'.{hint}"
                yield finding(manifest, node, "MISSING_FIELD", message, fix)
                kind = None
                break
            kind = get_named_type(fields[step].type) if step in fields else None
        if column.items and kind is not None:
            yield from _within(manifest, binding, column.items, kind, outer or column)


def _operation(manifest: Manifest, binding: Binding, operations: Mapping[str, Any], who: str, part: str) -> Iterator[Finding]:
    """What a service says that an operation brings. An element whose type it leaves open may hold anything."""
    native = binding.relation.native
    name, node = str(native.get("operation", "")), _call(manifest, binding)
    if name not in operations:
        hint, fix = _near(name, operations)
        yield finding(manifest, node, "MISSING_FIELD", f"{who} has no operation '{name}'.{hint}", fix)
        return
    rows = _elements(operations[name].output, str(native.get("at") or ""))
    if isinstance(rows, str):
        message = f"There is no {part} '{rows}' on the way to '{native.get('at')}' in what '{name}' brings."
        yield finding(manifest, node, "MISSING_FIELD", message)
        return
    match = (native.get("batch") or {}).get("match", "")
    for column in binding.relation.fields:
        found = _elements(rows, column.path or match)
        inner = [(item, _elements(found, item.path)) for item in column.items] if not isinstance(found, str) else []
        for each, missing in ((column, found), *inner):
            if isinstance(missing, str):
                at = _field(manifest, binding, column)
                message = f"{who} has no {part} '{missing}' for '{each.path}' in what '{name}' brings."
                yield finding(manifest, at, "MISSING_FIELD", message)


def _elements(elements: Sequence[Any], path: str) -> Sequence[Any] | str:
    """What lies within the element at ``path``, or the step that is not there."""
    for step in steps(path):
        if isinstance(step, int) or not elements:
            continue
        found = next((each for each in elements if each.name == step), None)
        if found is None:
            return step
        elements = found.inside
    return elements


async def _list(manifest: Manifest, binding: Binding, connector: Connector) -> list[Finding]:
    """The first page of a list: a path at which no row has anything."""
    relation = replace(binding.relation, keys=())
    plan = connector.plan(Ask(relation.name, tuple(each.name for each in relation.fields)), relation)
    columns: dict[str, list[Any]] = {}
    async for page in connector.fetch(plan, Call()):
        columns = page.columns
        break
    found = []
    for field in relation.fields:
        values = columns.get(field.name, [])
        empty = [field] if values and all(value is None for value in values) else []
        elements = [element for value in values if isinstance(value, list) for element in value]
        empty += [item for item in field.items if elements and all(each is None for each in read_all(item.path, elements))]
        for each in empty:
            message = f"No row of the first page has anything at '{each.path}'."
            found.append(finding(manifest, _field(manifest, binding, field), "MISSING_PATH", message, "look at a reply by `hub try`"))
    return found


def _word(manifest: Manifest, type_name: str, word: str) -> Node | None:
    return next((each.words[word].node for each in manifest.types if each.name == type_name and word in each.words), None)


def _call(manifest: Manifest, binding: Binding) -> Node | None:
    """The field whose call a binding is: a lookup of ``type Query``, a link of its owner, a root."""
    name = binding.field or f"Query.{binding.id.partition('.')[2]}"
    owner, _, own = name.partition(".")
    for each in manifest.types:
        if each.name == owner and own in each.fields:
            entry = each.fields[own]
            return next((entry.words[word].node for word in ("get", "field", "call", "join") if word in entry.words), entry.node)
    return None


def _field(manifest: Manifest, binding: Binding, field: Field) -> Node | None:
    """Where a manifest says that a column lies: at the field, else at the table or call that its key belongs to."""
    first = field.name.partition(".")[0]
    for each in manifest.types:
        if each.name == binding.type and first in each.fields:
            entry = each.fields[first]
            return entry.words["from"].node if "from" in entry.words else entry.node
    return _call(manifest, binding) or _word(manifest, binding.type, "table")
