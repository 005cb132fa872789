"""Objects that the graphs of a federation tell of, and the views that these have of them in rows at hand; words of ``hub.plan.graphs``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from hub.plan.doors import Provided, Way
from hub.plan.operation import Selected
from hub.plan.outputs import Output
from hub.plan.slots import When


@dataclass(frozen=True, slots=True)
class View:
    """An object as one graph has it: as ``kind``, in the rows that the fetch ``source`` asks for. Columns lie ``above`` in its document and
    ``here`` in the rows that ``step`` put there; ``condition`` is the type that they are asked of, where ``rivals`` may lie there too."""

    graph: str
    kind: str
    source: int
    step: int
    above: str = ""
    here: str = ""
    condition: str = ""
    rivals: tuple[str, ...] = ()
    provided: Provided = ()


@dataclass(frozen=True, slots=True)
class Origin:
    """The field that led to an object, and the layers of the lists between."""

    spot: Spot
    selected: Selected
    lists: tuple[int, ...] = ()


class Host(Protocol):
    """An object that systems tell of, whatever their kind: it has plain fields by which graphs can be asked."""

    def has(self, name: str) -> bool: ...

    def tell(self, selected: Selected) -> Output: ...


@dataclass(slots=True, eq=False)
class Spot:
    """An object of ``type`` in ``layer``, as ``views`` have it that came with the rows, or as its ``host`` does; a root has neither.
    ``entered`` are the views that were fetched, by graph and what that required; ``beside`` those had by asking other graphs for the field
    above. ``aside`` are those graphs, once the ways that lead on from them are among its ways."""

    type: str
    layer: int
    views: list[View]
    when: tuple[When, ...] = ()
    origin: Origin | None = None
    host: Host | None = None
    ways: Mapping[str, tuple[Way, ...]] = field(default_factory=dict)
    entered: dict[tuple[str, tuple[str, ...]], View] = field(default_factory=dict)
    aside: frozenset[str] | None = None
    beside: dict[str, View | None] = field(default_factory=dict)
    chosen: dict[str, str] = field(default_factory=dict)  # field -> graph
    together: dict[tuple[str, str], tuple[str, ...]] = field(default_factory=dict)  # graph, what a field requires -> what is asked with it
    required: dict[str, tuple[Output, ...]] = field(default_factory=dict)

    @property
    def is_root(self) -> bool:
        return not self.views and self.host is None
