"""A WSDL as a catalog: one relation for each operation. Must not know how it was read."""

from __future__ import annotations

from collections.abc import Iterable

from connectors.soap.wsdl import Element, Operation
from connectors.spi import Catalog, Field, Options, Relation

_TYPES = {
    **dict.fromkeys(("int", "integer", "long", "short", "byte", "nonNegativeInteger", "positiveInteger", "unsignedInt"), "int"),
    **dict.fromkeys(("float", "double"), "float"),
    "decimal": "decimal",
    "boolean": "bool",
    "date": "date",
    "dateTime": "datetime",
}


def catalog(operations: Iterable[Operation]) -> Catalog:
    """Columns are the paths within an answer, arguments those within an input."""
    made = [
        Relation(one.name, tuple(fields(one.output)), native=Options({"operation": one.name}), args=tuple(leaves(one.input)))
        for one in operations
    ]
    return Catalog(tuple(sorted(made, key=lambda one: one.name)))


def fields(elements: tuple[Element, ...], before: str = "") -> list[Field]:
    """The columns of an answer, by path; what is within a list is its items."""
    found = []
    for one in elements:
        path = before + one.name
        kind = "json" if one.many else _TYPES.get(one.type, "text")
        if one.inside and one.many:
            found.append(Field(path, path, "json", one.nullable, items=tuple(fields(one.inside))))
        elif one.type or one.many:
            found.append(Field(path, path, kind, one.nullable))
        if one.inside and not one.many:
            found += fields(one.inside, path + ".")
    return found


def leaves(elements: tuple[Element, ...], before: str = "") -> list[str]:
    """The paths of all values of an input."""
    found = []
    for one in elements:
        found += leaves(one.inside, f"{before}{one.name}.") if one.inside else [before + one.name]
    return found
