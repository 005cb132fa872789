"""``hub check``, ``hub explain``, ``hub schema``: nothing is called, nothing is changed."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import orjson
from graphql import GraphQLError, print_schema
from rich.console import Console

from auth.policy import denied
from auth.principal import Audience, Principal
from hub.app import BadManifests
from hub.cli.running import MISUSED
from hub.cli.shared import Fault, configured, with_folder
from hub.clock import SystemClock
from hub.config import Config
from hub.connected import composed, core_roots
from hub.folders import manifests_folder
from hub.plan.operation import Unplannable
from hub.run.engine import Engine
from hub.run.sources import Sources
from schema.compose import Composition
from schema.coordinates import Grade
from schema.explained import sections
from schema.faults import CODES, SHOWN, as_data, capped, format_fault, suggest
from schema.faults import Fault as ManifestFault
from schema.subgraph import subgraph_sdl
from schema.visible import visible

# What a caller of each kind usually may see; a client's own ceiling is in its registration.
_USUAL = {Audience.ANONYMOUS: Grade.L1, Audience.APP: Grade.L2, Audience.PARTNER: Grade.L3, Audience.OPERATOR: Grade.L4}


def check(folder: Path | None, file: Path | None, *, as_json: bool, everything: bool = False) -> int:
    """Exit code 1 when a fault is an error. JSON always holds all faults."""
    config = with_folder(configured(file), folder)
    place = manifests_folder(config)
    with Console(stderr=True).status(f"检查 Checking {place}"):
        composition = composed(place)
    if as_json:
        sys.stdout.buffer.write(orjson.dumps([as_data(fault) for fault in composition.faults], option=orjson.OPT_INDENT_2) + b"\n")
    else:
        show_faults(composition.faults, Console(highlight=False, soft_wrap=True).print, everything=everything)
        if composition.ok:
            systems, schema = len(composition.registry.systems), composition.registry
            print(f"正确 OK: {systems} 个系统 systems, {len(schema.coordinates)} 个字段 fields, epoch {schema.epoch}")
    return 0 if composition.ok else 1


def show_faults(faults: Sequence[ManifestFault], say: Callable[..., Any], *, everything: bool = False) -> None:
    """Each fault with its place and its mending, of one code no more than can be read; then how many there are."""
    shown, more = capped(faults, len(faults) if everything else SHOWN)
    for fault in shown:
        say(format_fault(fault), markup=False)
    for code, number in more.items():
        say(f"… 另有 {number} 处 {code} … and {number} more {code} (hub check --all)", markup=False)
    errors = sum(fault.is_error for fault in faults)
    if faults:
        say(f"{errors} 个错误 errors, {len(faults) - errors} 个提示 notes", markup=False)


def meaning(code: str) -> int:
    """Print what a code means, with a wrong and a right example. Exit code 2 for a code that there is not."""
    name = code.strip().upper().replace("-", "_")
    if name not in CODES:
        print(f"没有代码 {code}。 There is no code '{code}'.{suggest(name, CODES)}", file=sys.stderr)
        return MISUSED
    print(f"{name}\n\n{sections()[name]}")
    return 0


def explain(
    query: str,
    file: Path | None,
    *,
    systems: Path | None,
    operation: str | None,
    variables: str,
    grade: str,
    scopes: Iterable[str],
    as_json: bool,
) -> int:
    """Print the plan for a caller with these rights."""
    text = sys.stdin.read() if query == "-" else _read(Path(query))
    composition = _good(with_folder(configured(file), systems))
    registry = composition.registry
    engine = Engine(composition.schema, registry, Sources(registry.systems, {}, SystemClock()), core_roots=core_roots(composition))
    principal = Principal("explain", Audience.OPERATOR, frozenset(scopes), Grade[grade])
    document = engine.parse(text)
    if document.errors:
        for error in document.errors:
            print(_placed(query, error), file=sys.stderr)
        return 1
    try:
        found = engine.explained(document, _object(variables), operation_name=operation, principal=principal)
        print(orjson.dumps(found.data, option=orjson.OPT_INDENT_2).decode() if as_json else found.text)
    except Unplannable as bound:
        raise Fault(f"查询过于复杂: {bound}。", f"Too complex to plan: {bound}.") from None
    except LookupError:
        known = ", ".join(document.operations)
        raise Fault(f"请用 --operation 指明操作: {known}。", f"Name the operation by --operation: {known}.") from None
    return 0


def schema(file: Path | None, *, systems: Path | None, audience: str | None, grade: str | None, subgraph: bool = False) -> int:
    """Print SDL: everything, or what callers of a kind or up to a grade may see; as a ``subgraph`` with the keys of entities."""
    composition = _good(with_folder(configured(file), systems))
    found = composition.schema
    if audience is not None or grade is not None:
        kind = Audience(audience or Audience.OPERATOR)
        ceiling = Grade[grade] if grade else _USUAL[kind]
        rows = composition.registry.coordinates
        known = frozenset(scope for row in rows.values() for alternative in row.scopes for scope in alternative)
        hidden = denied(Principal("schema", kind, known, ceiling), rows.values())
        found = visible(found, lambda name: name not in hidden)
    print(subgraph_sdl(found, composition.registry) if subgraph else print_schema(found))
    return 0


def _good(config: Config) -> Composition:
    composition = composed(manifests_folder(config))
    if not composition.ok:
        raise BadManifests(composition.faults)
    return composition


def _object(text: str) -> dict[str, Any]:
    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise Fault("变量不是有效的 JSON。", f"The variables are not valid JSON: {error}.") from None
    if not isinstance(found, dict):
        raise Fault("变量须为 JSON 对象。", "Variables are a JSON object.")
    return found


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Fault(f"无法读取 {path}。", f"Cannot read {path}: {error}.") from None


def _placed(query: str, error: GraphQLError) -> str:
    place = error.locations[0] if error.locations else None
    return f"{query}:{place.line}:{place.column} {error.message}" if place else f"{query} {error.message}"
