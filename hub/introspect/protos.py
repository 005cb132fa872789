"""A gRPC service as ``Found``, by server reflection: methods that read, what they take, the rows they bring. Raises SourceError."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from connectors.grpc import GrpcConnector, GrpcSettings
from connectors.operations import Element, Operation
from connectors.spi import SourceError
from hub.introspect.found import Found
from hub.introspect.operations import Comments, Formats, relation

_READS = re.compile(
    r"(batch|multi)?(get|list|query|search|find|fetch|read|lookup|select|describe|check|stream|cx|chaxun|hq|huoqu)", re.IGNORECASE
)
_TURNS = re.compile(r"page\w*|limit|offset|skip|cursor|filter|order_?by|sort\w*|(\w+_)?mask|view|size|language(_code)?", re.IGNORECASE)
_INTERNAL = ("grpc.", "envoy.", "opentelemetry.")
_FORMATS: Formats = {
    **dict.fromkeys(("int32", "sint32", "sfixed32"), ("integer", "")),
    **dict.fromkeys(("int64", "uint32", "uint64", "sint64", "fixed32", "fixed64", "sfixed64"), ("integer", "int64")),
    **dict.fromkeys(("float", "double"), ("number", "")),
    "bool": ("boolean", ""),
    "date": ("string", "date"),
    "timestamp": ("string", "date-time"),
    "bytes": ("string", "binary"),
    "any": ("object", ""),
}


async def find(
    target: str, *, variable: str, methods: Sequence[str] = (), headers: Mapping[str, str] | None = None, beside: str = ""
) -> Found:
    """What the server at ``target`` says of its services. ``methods`` are names, with or without their service; all that read if none are
    named. ``headers`` are metadata that it is asked with."""
    connector = GrpcConnector(GrpcSettings(target, headers=headers or {}, beside=beside))
    try:
        services = [one for one in await connector.services() if not one.name.startswith(_INTERNAL)]
    finally:
        await connector.close()
    every = {one.name: one for service in services for one in service.operations()}
    absent = [each for each in methods if not any(_called(each, name) for name in every)]
    if absent:
        raise SourceError("missing", f"There is no method {absent[0]!r}; there are: {', '.join(every)}.")
    said = Comments(texts={name: texts for service in services for name, texts in service.enums().items()})
    notes: list[str] = []
    relations = []
    for name, one in every.items():
        if methods and not any(_called(each, name) for each in methods):
            continue
        if not methods and not _READS.match(name.partition("/")[2]):
            notes.append(f"Left out: {name}; its name does not say that it only reads. If it does, name it by --method.")
            continue
        made = relation(_needed(one), said, _FORMATS, notes, source="grpc", row=one.row)
        if made is not None:
            relations.append(made)
    return Found("grpc", tuple(relations), "", {"target": f"${{{variable}}}"}, tuple(dict.fromkeys(notes)))


def _called(given: str, name: str) -> bool:
    return given in (name, name.partition("/")[2])


def _needed(one: Operation) -> Operation:
    """An operation whose input says what has to be given: nothing in a message says so. What chooses a part of the rows, and flags, need
    not be."""
    return replace(one, input=tuple(map(_given, one.input)))


def _given(one: Element) -> Element:
    inside = tuple(map(_given, one.inside))
    free = bool(_TURNS.fullmatch(one.name)) or one.type in ("bool", "enum", "any") or (one.nullable and not one.many and not inside)
    return replace(one, nullable=free, inside=inside)
