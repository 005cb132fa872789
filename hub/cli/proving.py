"""``hub test``: one manifest against its own ``@mock`` rows. Each row is read, found by its key and reached by a question."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from graphql import GraphQLSchema, get_named_type, is_leaf_type, is_object_type
from graphql.pyutils import inspect

from connectors import kinds
from connectors.paths import reader
from hub.app import BadManifests
from hub.cli.shared import Fault, counted
from hub.cli.trial import Trial, trial
from hub.mocks import Mocked, connect_mocks, key_path, mocked
from hub.run.convert import canonical
from schema.canonical import canonical as canonical_schema
from schema.compose import Composition, compose, parse_manifest
from schema.reach import all_bindings
from schema.registry import Binding, Role

_MOST = 20  # questions for each way to get at rows


@dataclass(frozen=True, slots=True)
class Result:
    """One thing that was proved or not. ``problems`` are empty when it holds."""

    what: str
    problems: tuple[str, ...] = ()


async def test(files: Sequence[Path]) -> int:
    """Exit code 1 when a question is not answered as the rows say, or a manifest has no rows. Raises BadManifests, Fault."""
    failed = 0
    for file in files:
        results = await _results(file, _read(file))
        for each in results:
            print(f"{'FAIL' if each.problems else 'ok  '} {file}: {each.what}")
            for problem in each.problems:
                print(f"       {problem}")
        failed += sum(bool(each.problems) for each in results)
        print(f"{file}: {counted(len(results), 'check')}, {sum(bool(each.problems) for each in results)} failed")
    return 1 if failed else 0


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Fault(f"无法读取 {file}。", f"Cannot read {file}: {error}.") from None


async def _results(file: Path, text: str) -> list[Result]:
    manifest = parse_manifest(text, f"{file.parent.name or '.'}/{file.name}")
    composition = compose(canonical_schema(), [manifest], kinds=frozenset(kinds.known()))
    if not composition.ok:
        raise BadManifests(composition.faults)
    given = mocked(manifest, file.parent)
    results = [Result("its mock rows are there", given.problems)] if given.problems else []
    if not given.rows:
        return [*results, Result("it has mock rows", ('write @mock(rows: […]) or @mock(file: "…") on its types',))]
    async with trial(composition, connect_mocks(composition.registry, {manifest.name: given})) as tried:
        for binding in all_bindings(composition.registry):
            rows = given.rows.get(binding.type, ())
            if not rows:
                results.append(Result(f"{binding.id} has rows of {binding.type}", (f"write @mock on type {binding.type}",)))
                continue
            results.append(Result(f"{binding.id}: {len(rows)} rows are read", tuple(_unread(composition, binding, rows))))
            for question in list(_questions(composition, binding, given))[:_MOST]:
                results.append(Result(f"{binding.id}: {question.text}", tuple(await _asked(tried, question))))
    return results


def _unread(composition: Composition, binding: Binding, rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Columns whose values the hub cannot read as the field's type, and keys that no row has."""
    for name in binding.relation.keys if binding.key else ():
        path = key_path(binding.relation, name)
        if all(reader(path)(row) is None for row in rows):
            yield f"{binding.id}: no row has the key '{name}' at '{path}'"
    fields = getattr(composition.whole.type_map.get(binding.type), "fields", {})
    for name, served in binding.fields.items():
        if served.type is not None or served.column is None or name not in fields:
            continue
        column = binding.relation.field(served.column)
        values = [reader(column.path or column.name)(row) for row in rows]
        if canonical(values, fields[name].type, column).flawed:
            yield f"{binding.type}.{name}: a value at '{column.path}' cannot be read as {inspect(fields[name].type)}"
        elif all(value is None for value in values):
            yield f"{binding.type}.{name}: no row has anything at '{column.path or column.name}'"


@dataclass(frozen=True, slots=True)
class Question:
    """A query, and where in its data something has to be."""

    text: str
    path: tuple[str, ...]


def _questions(composition: Composition, binding: Binding, given: Mocked) -> Iterator[Question]:
    """The public ways to the binding's rows, by the keys that its rows have."""
    schema, registry = composition.schema, composition.registry
    leaves = " ".join(_leaves(schema, binding))
    if binding.role is Role.SCAN:
        if binding.field is not None and leaves:
            listed = binding.field.partition(".")[2]
            yield Question(f"{{ {listed} {{ {leaves} }} }}", (listed,))
        return
    owner = binding.type if binding.role is Role.LOOKUP else (binding.field or "").partition(".")[0]
    link = (binding.field or "").partition(".")[2]
    paths = [key_path(binding.relation, name) for name in binding.relation.keys]
    keys = [tuple(reader(path)(row) for path in paths) for row in given.rows.get(binding.type, ())]
    for root in registry.roots.values():
        if root.type != owner or set(root.arguments.values()) != set(binding.key) or not leaves:
            continue
        name = root.coordinate.partition(".")[2]
        for key in dict.fromkeys(key for key in keys if None not in key):
            by_field = dict(zip(binding.key, key, strict=True))
            arguments = ", ".join(f'{argument}: "{by_field[field]}"' for argument, field in root.arguments.items())
            inner = _linked(schema, owner, link, leaves) if link else leaves
            yield Question(f"{{ {name}({arguments}) {{ {inner} }} }}", (name, *((link,) if link else ())))


def _linked(schema: GraphQLSchema, owner: str, link: str, leaves: str) -> str:
    """The selection of a link; a connection has its nodes inside."""
    kind: Any = get_named_type(getattr(schema.type_map[owner], "fields", {})[link].type)
    return f"{link} {{ nodes {{ {leaves} }} }}" if "nodes" in kind.fields and "pageInfo" in kind.fields else f"{link} {{ {leaves} }}"


def _leaves(schema: GraphQLSchema, binding: Binding) -> Iterator[str]:
    """The public plain fields that the binding serves."""
    type_ = schema.type_map.get(binding.type)
    for name in binding.fields:
        field = type_.fields.get(name) if is_object_type(type_) else None
        if field is not None and is_leaf_type(get_named_type(field.type)) and not field.args:
            yield name


async def _asked(tried: Trial, question: Question) -> list[str]:
    """What is wrong with the answer: errors, or nothing where a row is."""
    answer = await tried.ask(question.text)
    problems = [str(error.get("message")) for error in answer.get("errors", ())]
    found: Any = answer.get("data")
    for step in question.path:
        found = found.get(step) if isinstance(found, Mapping) else None
    if not problems and not found:
        problems.append(f"nothing came back at {'.'.join(question.path)}")
    return problems
