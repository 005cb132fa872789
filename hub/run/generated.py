"""Small answers by generated code: one Python function for a plan, made when the plan runs for the second time and kept with it.

The function puts together an answer in which nothing is wrong: no call failed, every value could be read, no null stands where null may
not be. When anything is, it gives up (``Unclean``) and ``hub.run.assemble`` does it, which knows about errors; columns that were read on
the way are not read again. The source is made of numbered names alone: keys, slots and output nodes are looked up in a table by number,
so nothing that a caller wrote is ever part of it.

It halves what assembling one enterprise takes. From some dozens of rows on the columns of ``hub.run.assemble`` are faster
(``bench/README.md``), so larger answers never come here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from graphql import is_non_null_type

from hub.plan.model import QueryPlan
from hub.plan.outputs import Choice, Connection, Constant, Leaf, List, Object, Output, Rows
from hub.plan.slots import ROOT, Presence, Slot
from hub.run.assemble import Assembled, assemble, assemble_large
from hub.run.choices import chosen
from hub.run.kinds import whole
from hub.run.layers import Layer, present, reading, spans_below
from hub.run.quality import Notices, all_notices
from hub.run.slices import LARGE
from schema.identifiers import QUALITY

Build = Callable[[Mapping[int, Layer], Notices], list[dict[str, Any]]]  # for each row that the roots have: one, but in a fold

SMALL = 50  # rows of all layers up to which generated code is the faster way
RUNS = 2  # the run of a plan in which its code is made


class Unclean(Exception):
    """Something has to be told, or to be null, that only the full assembly knows how to tell."""


class Unfit(Exception):
    """A plan with an output that no code is generated for."""


async def assembled(plan: QueryPlan, layers: Mapping[int, Layer], rows: int, propagates: bool = True) -> Assembled:
    """The answer's data by the way that is the fastest for ``rows`` rows in all layers."""
    if rows <= SMALL:
        return assemble_small(plan, layers, propagates)
    return assemble(plan, layers, propagates) if rows <= LARGE else await assemble_large(plan, layers, propagates)


def assemble_small(plan: QueryPlan, layers: Mapping[int, Layer], propagates: bool = True) -> Assembled:
    """``assemble``, by the plan's own function where it has one and nothing is wrong."""
    build = _build(plan)
    if build is not None:
        notices = Notices()
        try:
            return Assembled(build(layers, notices)[0], [], notices)
        except Unclean:
            pass
    return assemble(plan, layers, propagates)


def assemble_each(plan: QueryPlan, layers: Mapping[int, Layer]) -> list[dict[str, Any]] | None:
    """The answers of all requests of a fold; None where there is no function for the plan, anything is wrong or anything was noticed."""
    build = _build(plan)
    if build is None:
        return None
    notices = Notices()
    try:
        made = build(layers, notices)
    except Unclean:
        return None
    return None if all_notices(notices, layers, {}) else made


def is_made(plan: QueryPlan) -> bool:
    """Whether the plan has its function."""
    return callable(plan.made.get("assembly"))


def _build(plan: QueryPlan) -> Build | None:
    """The plan's function; None while it is new, or where none can be made."""
    made: Any = plan.made.get("assembly", 0)
    if isinstance(made, int):  # so often it has run
        made = made + 1 if made + 1 < RUNS else generate(plan)
        plan.made["assembly"] = made
    build: Build | None = made if not isinstance(made, int) else None
    return build


def generate(plan: QueryPlan) -> Build | None:
    """The function of a plan; None where it holds what this tier leaves to the other (edges, page information, abstract types)."""
    try:
        source, table = written(plan)
    except Unfit:
        return None
    space = {**table, "chosen": chosen, "column": column, "there": there, "look": look, "lists": lists, "pages": pages}
    exec(compile(source, "<assembly of a plan>", "exec"), space)  # numbered names only; see the module
    made: Build = space["build"]
    return made


def written(plan: QueryPlan) -> tuple[str, dict[str, Any]]:
    """The source of ``build(layers, notices)``, and what its numbered names stand for. Raises Unfit."""
    writer = _Writer()
    return writer.function(plan), writer.table


class _Writer:
    """Lines of the function, and the table of what its numbered names stand for."""

    def __init__(self) -> None:
        self.table: dict[str, Any] = {}
        self.lines: list[str] = []
        self._count = 0

    def name(self, letter: str) -> str:
        self._count += 1
        return f"{letter}{self._count}"

    def held(self, thing: Any) -> str:
        name = self.name("t")
        self.table[name] = thing
        return name

    def line(self, text: str) -> None:
        self.lines.append(f"    {text}")

    def function(self, plan: QueryPlan) -> str:
        parts, columns = [], dict[str, str]()
        for root in plan.roots:
            rows = self.rows((root.output,), self.layer(root.layer), bare=True)
            parts.append(f"{self.held(root.output.place.key)}: {self.loop(columns, rows)}")
        if parts:
            self.line(f"return [{{{', '.join(parts)}}} for {', '.join(columns)}, in zip({', '.join(columns.values())})]")
        else:  # all of it was skipped
            self.line(f"return [{{}} for _ in range({self.layer(ROOT)}.size)]")
        return "\n".join(["def build(layers, notices):", *self.lines]) + "\n"

    def layer(self, number: int) -> str:
        name = self.name("l")
        self.line(f"{name} = layers[{number}]")
        return name

    def rows(self, children: Sequence[Output], layer: str, *, bare: bool = False) -> str:
        """The name of a list with one value for each row of a layer: an object of ``children``, or, ``bare``, the one child itself."""
        columns: dict[str, str] = {}  # loop variable -> list
        fields = [self.value(child, layer, columns, "True") for child in children]
        made = fields[0] if bare else self.braces(children, fields)
        name = self.name("r")
        if not columns:
            self.line(f"{name} = [{made} for _ in range({layer}.size)]")
        elif len(columns) == 1:
            [(variable, values)] = columns.items()
            self.line(f"{name} = [{made} for {variable} in {values}]")
        else:
            self.line(f"{name} = [{made} for {', '.join(columns)} in zip({', '.join(columns.values())})]")
        return name

    def braces(self, children: Sequence[Output], fields: Sequence[str]) -> str:
        return "{" + ", ".join(f"{self.held(child.place.key)}: {field}" for child, field in zip(children, fields, strict=True)) + "}"

    def loop(self, columns: dict[str, str], values: str) -> str:
        variable = self.name("v")
        columns[variable] = values
        return variable

    def value(self, output: Output, layer: str, columns: dict[str, str], dense: str) -> str:
        """The expression of one field in a row; ``dense`` says, when run, whether the object around it is there in every row."""
        values = self.name("c")
        match output:
            case Leaf():
                checked = reading(output.slot).name in QUALITY
                self.line(f"{values} = column({layer}, {self.held(output.slot)}, {dense}{', True' if checked else ''})")
                if checked:
                    self.line(f"look(notices, {self.held(output)}, {values})")
                return self.loop(columns, values)
            case Constant():
                return self.held(output.value)
            case Object() if output.typename is None:
                if output.presence == Presence():
                    return self.braces(output.children, [self.value(child, layer, columns, dense) for child in output.children])
                self.line(f"{values} = there({layer}, {self.held(output)})")
                inner = f"({dense} and all({values}))"
                there_ = self.loop(columns, values)
                fields = [self.value(child, layer, columns, inner) for child in output.children]
                return f"({self.braces(output.children, fields)} if {there_} else None)"
            case List() if not output.outer:
                below = self.layer(output.rows.layer)
                self.line(f"{values} = lists({below}, {layer}, {self.elements(output.rows, below)}, {self.held(output)})")
                return self.loop(columns, values)
            case Connection():
                return self.connection(output, layer, columns)
            case Choice():  # as a rule the first source has it all
                self.line(f"if any(chosen({layer}, {self.held(output)})): raise {self.held(Unclean)}")
                return self.value(output.options[0], layer, columns, dense)
        raise Unfit

    def elements(self, rows: Rows, below: str) -> str:
        if rows.typename is not None:
            raise Unfit
        if rows.presence != Presence():
            name = self.name("p")
            self.line(f"{name} = there({below}, {self.held(rows)})")
            self.line(f"if not all({name}): raise {self.held(Unclean)}")
        return self.rows(rows.children, below)

    def connection(self, output: Connection, layer: str, columns: dict[str, str]) -> str:
        below = self.layer(output.layer)
        page = self.name("g")
        self.line(f"{page} = pages({below}, {layer}, {self.held(output)})")
        one = self.loop(columns, page)
        fields = []
        for part in output.fields:
            if part.failure:
                raise Unfit
            if part.name == "nodes" and part.rows is not None:
                values = self.name("c")
                self.line(f"{values} = lists({below}, {layer}, {self.elements(part.rows, below)}, {self.held(part)})")
                field = self.loop(columns, values)
            elif part.name == "totalCount":
                field = f"{one}.total"
            else:
                raise Unfit
            fields.append(f"{self.held(part.place.key)}: {field}")
        return "({" + ", ".join(fields) + f"}} if {one} is not None else None)"


# -- what the generated functions call ------------------------------------------------------------------------------------


def column(layer: Layer, slot: Slot, dense: bool, checked: bool = False) -> list[Any]:
    """The canonical values of a leaf in every row of its layer."""
    found = layer.canonical(slot)
    if found.flawed or layer.faults_of(slot.step) or (checked and not dense):
        raise Unclean
    how = reading(slot)
    if how.demands and (how.depth or not found.full) and not whole(found.values, slot.type):
        raise Unclean
    return found.values


def look(notices: Notices, leaf: Leaf, values: list[Any]) -> None:
    notices.look(leaf.place.coordinate, reading(leaf.slot).name, values)


def there(layer: Layer, output: Object | Rows) -> Sequence[bool]:
    """In which rows an object is."""
    alive, faults = present(layer, output.presence)
    if faults or (alive is not None and isinstance(output, Object) and _non_null(output) and not all(alive)):
        raise Unclean
    return alive if alive is not None else [True] * layer.size


def lists(below: Layer, above: Layer, values: list[Any], output: Any) -> list[Any]:
    """The elements of each row above; those of no list are None."""
    if below.faults:
        raise Unclean
    spans, _ = spans_below(below, range(above.size))
    if None in spans and _non_null(output):
        raise Unclean
    return [None if span is None else values[span.start : span.stop] for span in spans]


def pages(below: Layer, above: Layer, output: Connection) -> list[Any]:
    """What each row above has of a connection, None where it has none."""
    found = [below.lists.get(row) for row in range(above.size)]
    if below.faults or (None in found and _non_null(output)):
        raise Unclean
    return found


def _non_null(output: Any) -> bool:
    return bool(is_non_null_type(output.place.type))
