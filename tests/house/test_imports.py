"""Imports point one way: ``connectors.spi`` <- ``connectors``, ``schema``, ``auth`` <- ``hub``.

Read from the source; nothing is imported.
"""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from tests.house.files import PACKAGES, ROOT, modules

# What kinds of connectors share: none of it is a kind.
SHARED = "spi|feeds|paths|columns|plain|settings|answers|validators|credentials|tls|http|rules|calls|operations"
# Module (a pattern) -> what of the house it may import (patterns). The first row that fits counts.
MAY: tuple[tuple[str, str], ...] = (
    (r"connectors\.(paths|plain|columns)", r"-"),
    (r"connectors\.spi", r"connectors\.(paths|plain|columns)"),
    (r"connectors\.feeds", r"connectors\.spi"),
    (r"connectors\.kinds", r"connectors\..*"),
    (r"connectors\.(settings|answers|validators|credentials|tls|http|rules|calls|operations)", rf"connectors\.({SHARED})"),
    (r"connectors\.template.*", rf"connectors\.({SHARED}|contract|template).*"),
    (r"connectors\.(?P<kind>\w+).*", rf"connectors\.({SHARED}|{{kind}}).*"),
    (r"connectors", r"-"),
    (r"schema.*", r"connectors\.(spi|paths)|schema.*"),
    (r"auth.*", r"connectors\.spi|schema\.coordinates|auth.*"),
    (r"hub\.plan.*", r"connectors\.(spi|columns)|schema\.(registry|coordinates|federation).*|hub\.(plan.*|errors)"),
    (r"hub\.oracle.*", r"connectors\.(spi|paths|kinds)|schema.*|auth\.(principal|access)|hub\.(?!plan|run|serve|app|cli).*"),
    (r"hub\.cli.*", r".*"),
    (r"hub\.introspect.*", r"connectors\..*|schema.*|hub\.introspect.*"),
    (r"hub\.store\.migrate", r"migrations|hub\.store.*"),
    (r"hub\.(app|application)", r"(?!hub\.cli|demo|migrations).*"),
    (r"hub.*", r"connectors\.(spi|feeds|paths|columns|kinds)|schema.*|auth.*|hub(?!\.cli|\.app).*"),
    (r"migrations.*", r"hub\.(store|config).*|migrations.*"),
    (r"demo.*", r"(?!hub\.(plan|run|store|oracle)).*"),
    (r"systems.*", r"-"),
)
# The planner reads data and writes data: of other people's packages it may use these, of the standard library not these.
PLAN_PACKAGES = {"graphql"}
PLAN_NEVER = {"asyncio", "socket", "ssl", "time", "random", "os", "threading", "urllib", "http", "sqlite3"}
# Loaded by name: SQLAlchemy's driver for SQLite, uvicorn's parsers, zoneinfo's data where the machine has none.
NEVER_IMPORTED = {"aiosqlite", "httptools", "tzdata", "websockets"}


def name_of(path: Path) -> str:
    return ".".join(path.with_suffix("").parts).removesuffix(".__init__")


@cache
def imports(path: Path, *, top: bool = False) -> tuple[tuple[int, str], ...]:
    """(line, module) of each import; ``from a import b`` names ``a.b`` where that is a module of the house, else ``a``."""
    return tuple(_imports(path, top))


def _imports(path: Path, top: bool) -> Iterator[tuple[int, str]]:
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    inside = {node for outer in ast.walk(tree) if isinstance(outer, ast.FunctionDef | ast.AsyncFunctionDef) for node in ast.walk(outer)}
    for node in ast.walk(tree):
        if top and node in inside:
            continue
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno} imports relatively; write the whole name"
            for alias in node.names:
                part = ROOT.joinpath(*(node.module or "").split("."), alias.name)
                is_module = part.with_suffix(".py").exists() or (part / "__init__.py").exists()
                yield node.lineno, f"{node.module}.{alias.name}" if is_module else str(node.module)


def allowed(module: str) -> re.Pattern[str]:
    for pattern, may in MAY:
        if match := re.fullmatch(pattern, module):
            return re.compile(may.replace("{kind}", match.groupdict().get("kind") or ""))
    raise AssertionError(f"{module} is in none of the house's packages")


def crossings(path: Path) -> Iterator[str]:
    module = name_of(path)
    for line, target in imports(path):
        if target.partition(".")[0] in (*PACKAGES, "tests", "bench") and not allowed(module).fullmatch(target):
            yield f"{path}:{line} {module} must not import {target}"


@pytest.mark.parametrize("package", PACKAGES)
def test_imports_point_one_way(package: str) -> None:
    found = [line for path in modules(package) for line in dict.fromkeys(crossings(path))]
    assert not found, "\n" + "\n".join(found)


def test_the_planner_is_pure() -> None:
    found = [
        f"{path}:{line} {target}"
        for path in modules("hub")
        if path.parts[:2] == ("hub", "plan")
        for line, target in imports(path)
        if (top := target.partition(".")[0]) in PLAN_NEVER or not (top in sys.stdlib_module_names or top in {*PACKAGES, *PLAN_PACKAGES})
    ]
    assert not found, "hub/plan may know no driver, web library or clock:\n" + "\n".join(found)


def test_only_declared_distributions_are_imported() -> None:
    """What a package imports on loading is a core dependency (the demo's also in its extra, a connector's in the extra named as its kind or
    module), never merely somebody else's dependency."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    core = {distribution(line) for line in project["dependencies"]}
    extras = {name: {distribution(line) for line in lines} for name, lines in project["optional-dependencies"].items()}

    def may(path: Path) -> set[str]:
        names = {"demo": {"demo"}, "connectors": {*path.parts[1:-1], path.stem}}.get(path.parts[0], set())
        return core.union(*(extras.get(name, set()) for name in names))

    owners = distributions()
    found = {
        f"{path}:{line} {target}"
        for path in modules(*PACKAGES)
        for line, target in imports(path, top=True)
        if (top := target.partition(".")[0]) not in sys.stdlib_module_names and top not in PACKAGES
        if not may(path) & {distribution(owner) for owner in owners.get(top, ())}
    }
    assert not found, "not a dependency in pyproject.toml:\n" + "\n".join(sorted(found))


def test_every_core_dependency_is_used() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    owners = distributions()
    tops = {target.partition(".")[0] for path in modules(*PACKAGES) for _, target in imports(path)}
    used = {distribution(owner) for top in tops for owner in owners.get(top, ())}
    assert {distribution(line) for line in project["dependencies"]} - used == NEVER_IMPORTED


@cache
def distributions() -> Mapping[str, Sequence[str]]:
    """The installed distributions that have a module of each name."""
    return packages_distributions()


def distribution(requirement: str) -> str:
    """The normalised name (PEP 503) in a requirement."""
    return re.sub(r"[-_.]+", "-", re.split(r"[\[<>=;!~ ]", requirement)[0]).lower()


@pytest.mark.parametrize(
    ("module", "target"),
    [
        ("connectors.rest", "connectors.sql"),
        ("connectors.rest", "schema.registry"),
        ("schema.compose", "auth.principal"),
        ("auth.policy", "schema.registry"),
        ("hub.plan.build", "hub.clock"),
        ("hub.oracle", "hub.run.convert"),
        ("hub.run.executor", "hub.app"),
        ("hub.serve.graphql", "connectors.rest"),
    ],
)
def test_a_forbidden_import_is_seen(module: str, target: str) -> None:
    assert not allowed(module).fullmatch(target)


@pytest.mark.parametrize(
    ("module", "target"),
    [
        ("connectors.sql.dialect", "connectors.sql.statement"),
        ("connectors.kinds", "connectors.rest"),
        ("auth.policy", "schema.coordinates"),
        ("hub.plan.build", "schema.registry"),
        ("hub.app", "connectors.kinds"),
        ("hub.cli", "hub.app"),
    ],
)
def test_a_permitted_import_passes(module: str, target: str) -> None:
    assert allowed(module).fullmatch(target)
