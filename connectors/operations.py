"""What a service says of its operations, however it says it: a WSDL or the descriptors of gRPC.

For connectors whose systems describe themselves, and for the tools of authors. Must not know any kind of system.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from connectors.spi import Catalog, Field, Options, Relation


@dataclass(frozen=True, slots=True)
class Element:
    """One part of a message: its name and what is within. ``most`` is how often it may come, 0 without end; ``always`` that it does.

    ``type`` is the built-in type below its own in the words of its kind, empty where it holds elements; ``of`` its own type's name.
    """

    name: str
    type: str
    of: str = ""
    many: bool = False
    nullable: bool = True
    inside: tuple[Element, ...] = ()
    most: int = 1
    always: bool = False


@dataclass(frozen=True, slots=True)
class Operation:
    """What an operation takes and brings. ``output`` are the elements within the payload, ``row`` the name of its type.

    ``many``: it brings several of them, one after the other.
    """

    name: str
    input: tuple[Element, ...]
    output: tuple[Element, ...]
    row: str = ""
    many: bool = False


def catalog(operations: Iterable[Operation], types: Mapping[str, str]) -> Catalog:
    """One relation for each: columns are the paths within an answer, arguments those within an input. ``types`` are those of columns, by
    built-in type; text where none is said."""
    made = [
        Relation(one.name, tuple(fields(one.output, types)), native=Options({"operation": one.name}), args=tuple(leaves(one.input)))
        for one in operations
    ]
    return Catalog(tuple(sorted(made, key=lambda one: one.name)))


def fields(elements: tuple[Element, ...], types: Mapping[str, str], before: str = "") -> list[Field]:
    """The columns of an answer, by path; what is within a list is its items."""
    found = []
    for one in elements:
        path = before + one.name
        kind = "json" if one.many else types.get(one.type, "text")
        if one.inside and one.many:
            found.append(Field(path, path, "json", one.nullable, items=tuple(fields(one.inside, types))))
        elif one.type or one.many:
            found.append(Field(path, path, kind, one.nullable))
        if one.inside and not one.many:
            found += fields(one.inside, types, path + ".")
    return found


def leaves(elements: tuple[Element, ...], before: str = "") -> list[str]:
    """The paths of all values of an input."""
    found = []
    for one in elements:
        found += leaves(one.inside, f"{before}{one.name}.") if one.inside else [before + one.name]
    return found
