"""A source that is one graph of a federation: the document that is made of columns, and what its answer holds.

Entities are asked for by representations and come in their order; those that are not asked the same stand apart, as lots of one call.
The fields of a root come as one row. What went wrong with one value stays with it. Must not know HTTP.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from connectors.answers import broken
from connectors.columns import lot_of, way
from connectors.spi import Ask, Page, Plan, Relation, SourceError

ENTITIES = "_entities"
Key = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Federated:
    """A document: ``text``, the names of its variables, and the ``lots`` of entities that it asks for; of a root's fields none."""

    text: str
    lots: tuple[int, ...]
    variables: tuple[str, ...]


def prepare(ask: Ask, relation: Relation) -> Plan:
    """The plan of a question to a graph: all that was asked is asked of it."""
    columns = [name for name in ask.fields if name not in relation.keys]
    trees: dict[int, dict[str, Any]] = {0: {}}
    kinds: dict[str, str] = {}
    for column in columns:
        below = trees.setdefault(lot_of(column)[0], {})
        for step in way(column):
            if step.condition:
                below = below.setdefault(f"... on {step.condition}", {})
            given = ", ".join(f"{name}: ${variable}" for name, variable, _ in step.arguments)
            kinds |= {variable: kind for _, variable, kind in step.arguments}
            name = step.name if step.key == step.name else f"{step.key}: {step.name}"
            below = below.setdefault(f"{name}({given})" if given else name, {})
    operation, lots = str(relation.native.get("operation", "query")), tuple(trees) if relation.name == ENTITIES else ()
    tree = trees[0]
    if lots:
        kinds = {**{f"representations{lot or ''}": "[_Any!]!" for lot in lots}, **kinds}
        tree = {f"{_named(lot)}(representations: $representations{lot or ''})": below for lot, below in trees.items()}
    declared = ", ".join(f"${name}: {kind}" for name, kind in kinds.items())
    text = f"{operation}{f'({declared})' if declared else ''} {_braces(tree)}"
    native = Federated(text, lots, tuple(kinds))
    return Plan(relation, ask, Ask(relation.name), relation.select((*relation.keys, *columns)), native, text)


def _named(lot: int) -> str:
    return f"{ENTITIES}{lot}: {ENTITIES}" if lot else ENTITIES


def _braces(tree: Mapping[str, Any]) -> str:
    return "{ " + (" ".join(name + (f" {_braces(below)}" if below else "") for name, below in tree.items()) or "__typename") + " }"


def body(document: Federated, keys: Sequence[Key], params: Mapping[str, Any]) -> dict[str, Any]:
    """What is sent. What is not given is left out, so that the graph's own defaults hold."""
    found = {name: params[name] for name in document.variables if name in params}
    for lot, some in _apart(document, keys).items():
        found[f"representations{lot or ''}"] = [orjson.Fragment(lot_of(key[0])[1]) for key in some]
    return {"query": document.text, "variables": found} if found else {"query": document.text}


def _apart(document: Federated, keys: Sequence[Key]) -> dict[int, Sequence[Key]]:
    """The keys of each lot."""
    if len(document.lots) == 1:
        return {document.lots[0]: keys}
    return {lot: [key for key in keys if lot_of(key[0])[0] == lot] for lot in document.lots}


def page(
    plan: Plan,
    keys: Sequence[Key],
    data: dict[str, Any],
    errors: Sequence[Mapping[str, Any]],
    reported: Callable[[Mapping[str, Any]], SourceError],
) -> Page:
    """The rows of an answer, each with its key. Raises SourceError (broken) where it is not as a federation's should be."""
    document: Federated = plan.native
    lost = [reported(error) for error in errors if not _marked(data, error.get("path"), reported(error))]
    rows: list[Any] = [] if document.lots else [data]
    asked: list[Key] = [] if document.lots else list(keys)
    for lot, some in _apart(document, keys).items():
        told = data.get(f"{ENTITIES}{lot or ''}")
        if isinstance(told, SourceError):
            raise told
        if not isinstance(told, list) or len(told) != len(some):
            raise lost[0] if lost else broken("The source did not answer for each entity.")
        rows += told
        asked += some
    faults = {key: row for key, row in zip(asked, rows, strict=True) if isinstance(row, SourceError)}
    if lost:  # of which nobody knows where they belong
        faults |= {key: lost[0] for key, row in zip(asked, rows, strict=True) if row is None}
    there = [(key, row) for key, row in zip(asked, rows, strict=True) if isinstance(row, dict)]
    found = Page.of([row for _, row in there], plan.fields[1:])
    found.columns[plan.relation.keys[0]] = [key[0] for key, _ in there]
    found.faults = faults
    return found


def _marked(data: Any, path: Any, failed: SourceError) -> bool:
    """Put ``failed`` where the value is that an error speaks of, or where the null is that it has become. False: nowhere."""
    if not isinstance(path, list) or not path:
        return False
    for step in path:
        try:
            value = data[step]
        except (KeyError, IndexError, TypeError):
            return False
        if value is None:
            data[step] = failed
            return True
        if isinstance(value, SourceError):
            return True
        data = value
    return True  # the value is there in spite of it
