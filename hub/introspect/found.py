"""What a source says of itself, the same for all kinds. Plain frozen data; must not know manifests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

ColumnType = Literal["text", "id", "int", "bigint", "float", "decimal", "bool", "date", "datetime", "json", "object", "other"]


@dataclass(frozen=True, slots=True)
class Column:
    """A value of each row. ``path`` is its column or JSON name; ``many`` a list of values, or of objects when there is ``inside``.

    ``texts`` is a closed vocabulary that the source declares; ``samples`` are values as they came, for ``evidence`` alone.
    ``native`` names the source's own type where the hub has none (``other``). ``nullable`` and ``unique`` as the source says;
    ``always``: each row has it, if perhaps null.
    """

    path: str
    type: ColumnType
    nullable: bool = True
    comment: str = ""
    samples: tuple[Any, ...] = field(default=(), repr=False)
    many: bool = False
    inside: tuple[Column, ...] = ()
    texts: tuple[str, ...] = ()
    unique: bool = False
    native: str = ""
    always: bool = False


@dataclass(frozen=True, slots=True)
class Param:
    """What a call can be given. ``many``: several values at once, ``most`` how many (0: not said).

    ``type`` is the source's own word for it where that is needed.
    """

    name: str
    required: bool = False
    many: bool = False
    comment: str = ""
    type: str = ""
    most: int = 0


@dataclass(frozen=True, slots=True)
class Relation:
    """Rows that a source has: a table, an operation, a root field.

    ``key`` are the columns of its primary key (tables). ``params`` are what a call takes; a table can be asked by any column.
    ``many``: a call brings a list; ``row`` names the source's type of a row, which several relations may share.
    ``place`` is what the manifest will say of where it lies, in the words of its kind.
    """

    name: str
    columns: tuple[Column, ...]
    comment: str = ""
    key: tuple[str, ...] = ()
    params: tuple[Param, ...] = ()
    many: bool = True
    row: str = ""
    place: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Found:
    """``source`` are the arguments of the source directive, ready to be written; ``notes`` say what was left out, and why."""

    kind: str
    relations: tuple[Relation, ...]
    title: str = ""
    source: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
