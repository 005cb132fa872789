"""What lies at a path of an XML element, as plain values. Names are local names: departments change prefixes and namespaces more often.

Text stays text but where a column's type says that it is exact. Must not know SOAP.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from lxml import etree

from connectors.http import broken
from connectors.paths import ABSENT, steps
from connectors.spi import Field

Node = etree._Element
_XSI = "{http://www.w3.org/2001/XMLSchema-instance}"
_NIL = _XSI + "nil"
_DEEPEST = 100
_DATED = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?:Z|[+-][0-9]{2}:[0-9]{2})?")
_WHOLE = re.compile(r"[+-]?[0-9]{1,30}")
_EXACT = frozenset({"int", "float", "decimal", "bool", "date", "datetime"})


def local(node: Node) -> str:
    return str(node.tag).rpartition("}")[2]


def namespace(node: Node) -> str:
    return str(node.tag).rpartition("}")[0].removeprefix("{")


def nil(node: Node) -> bool:
    return node.get(_NIL, "").strip() in ("true", "1")


def walk(nodes: Sequence[Any], way: Sequence[str | int]) -> list[Any]:
    """What lies at ``way`` of any of ``nodes``: elements, or texts where the last step is an ``@attribute``."""
    found = list(nodes)
    for step in way:
        if isinstance(step, int):
            found = found[step : step + 1]
        elif step.startswith("@"):
            found = [value for one in found for name, value in attributes(one) if name == step]
        else:
            found = [child for one in found if not isinstance(one, str) for child in one.iterchildren("{*}" + step)]
    return found


def attributes(node: Any) -> Iterator[tuple[str, str]]:
    for name, value in () if isinstance(node, str) else node.attrib.items():
        if not name.startswith(_XSI):
            yield "@" + name.rpartition("}")[2], value


def value_of(node: Any, depth: int = 0) -> Any:
    """A text, None for nil, and of an element with others in it a mapping. Raises SourceError (broken)."""
    if isinstance(node, str):
        return node
    if nil(node):
        return None
    if not len(node):
        return node.text or ""
    if depth > _DEEPEST:
        raise broken("The source's answer is nested too deeply.")
    found: dict[str, Any] = dict(attributes(node))
    for name in dict.fromkeys(local(child) for child in node):
        values = [value_of(child, depth + 1) for child in node.iterchildren("{*}" + name)]
        found[name] = values[0] if len(values) == 1 else values
    return found


def rows_at(payload: Node | None, way: Sequence[str | int], bare: bool) -> list[Node]:
    """The elements that are rows. One that is nil or wholly empty is none; ``bare`` rows are values. Raises SourceError (broken)."""
    rows = [node for node in walk([payload] if payload is not None else [], way) if isinstance(node, str) or not nil(node)]
    if bare:
        return rows
    if any(isinstance(node, str) for node in rows):
        raise broken("The source's rows are not objects.")
    rows = [node for node in rows if len(node) or node.attrib or (node.text or "").strip()]
    if any(not len(node) and not any(attributes(node)) for node in rows):
        raise broken("The source's rows are not objects.")
    return rows


def reader(field: Field) -> Callable[[Node], Any]:
    """A function from a row to the value of a column. Several elements where one is due give a list, which is no value of that column."""
    way = steps(field.path)
    if field.items:
        return lambda row: _several(row, way, _builder(field.items), field.always)
    if field.type == "json":
        return lambda row: _several(row, way, value_of, field.always)
    exact = field.type in _EXACT or bool(field.values) or field.format not in (None, "json", "csv")

    def read(row: Node) -> Any:
        found = walk([row], way)
        if not found:
            return ABSENT if field.always and _lacks(row, way) else None
        if len(found) > 1:
            return [value_of(one) for one in found]
        value = value_of(found[0])
        return _exact(value, field.type) if exact and isinstance(value, str) else value

    return read


def _lacks(row: Node, way: Sequence[str | int]) -> bool:
    """Whether an element on the way, which is not nil, has nothing of the name that is due in it."""
    holders: list[Any] = [row]
    for step in way:
        found = walk(holders, [step])
        if not found:
            return isinstance(step, str) and any(not isinstance(one, str) and not nil(one) for one in holders)
        holders = found
    return False


def _several(row: Node, way: Sequence[str | int], make: Callable[[Any], Any], always: bool) -> Any:
    """All that lie there, in order. None where what should hold them is missing: an empty list and no list look the same in XML."""
    found = walk([row], way)
    if not found:
        holders = [one for one in walk([row], way[:-1]) if isinstance(one, str) or not nil(one)]
        return [] if holders else ABSENT if always and _lacks(row, way[:-1]) else None
    return [make(one) for one in found if isinstance(one, str) or not nil(one)]


def _builder(items: Sequence[Field]) -> Callable[[Any], Any]:
    """A function from an element of a list to plain data in which each item lies at its own path."""
    ways = [(steps(item.path), reader(item)) for item in items]

    def build(node: Any) -> Any:
        if isinstance(node, str) or any(not way for way, _ in ways):
            return value_of(node)
        found: dict[str, Any] = {}
        for way, read in ways:
            _put(found, way, read(node))
        return found

    return build


def _put(holder: Any, way: Sequence[str | int], value: Any) -> None:
    for at, step in enumerate(way):
        last = at + 1 == len(way)
        if isinstance(step, int):
            holder.extend([None] * (step + 1 - len(holder)))
            missing = holder[step] is None
        else:
            missing = holder.get(step) is None
        if last:
            holder[step] = value
        elif missing:
            holder[step] = [] if isinstance(way[at + 1], int) else {}
        holder = holder[step]


def _exact(text: str, kind: str) -> Any:
    """A number as such, a date without the offset that XML Schema allows it; an empty element of such a type holds nothing."""
    text = text.strip()
    if not text:
        return None
    if kind == "int" and _WHOLE.fullmatch(text):
        return int(text)
    if kind == "date" and (dated := _DATED.fullmatch(text)):
        return dated[1]
    return text
