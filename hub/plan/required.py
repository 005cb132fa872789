"""The fields that a call needs, as selections like those of a caller; and the columns that their values are made of."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from graphql import GraphQLObjectType, GraphQLSchema, get_named_type, parse
from graphql.language import FieldNode, OperationDefinitionNode, SelectionSetNode

from hub.plan.operation import Selected
from hub.plan.outputs import Choice, Leaf, List, Object, Output, Rows
from hub.plan.slots import Presence, Probe, Slot

NOBODYS = -1  # the number of a selection that no document has


def selection(schema: GraphQLSchema, type_name: str, text: str) -> Selected:
    """The one field of ``text`` (``creditScore { score }``) on ``type_name``, as normalising makes it."""
    return _selected(schema, type_name, _field(_parsed(text)))


@lru_cache(maxsize=1024)
def _parsed(text: str) -> SelectionSetNode:
    (definition,) = parse(f"{{ {text} }}").definitions
    assert isinstance(definition, OperationDefinitionNode)
    return definition.selection_set


def _field(selections: SelectionSetNode) -> FieldNode:
    (node,) = selections.selections
    assert isinstance(node, FieldNode)
    return node


def _selected(schema: GraphQLSchema, type_name: str, node: FieldNode) -> Selected:
    parent = schema.type_map[type_name]
    assert isinstance(parent, GraphQLObjectType)
    name = node.name.value
    definition = parent.fields[name]
    children = {}
    if node.selection_set is not None:
        named = get_named_type(definition.type).name
        children = {named: (_selected(schema, named, _field(node.selection_set)),)}
    return Selected(name, name, type_name, definition, NOBODYS, children=children, given=node)


def steps_of(output: Output) -> Iterator[int]:
    """The steps that put there what a required field is made of."""
    match output:
        case Leaf():
            yield output.slot.step
        case Object():
            yield from _steps_within(output)
        case List():
            yield from (*output.outer, output.rows.layer)
            yield from _steps_within(output.rows)
        case Choice():
            for probe, option in zip(output.probes, output.options, strict=True):
                yield from probed(probe)
                yield from steps_of(option)
        case _:
            return


def _steps_within(output: Object | Rows) -> Iterator[int]:
    yield from steps_in(output.presence)
    if output.typename is not None:
        yield output.typename.step
    for children in (output.children, *(concrete.children for concrete in output.variants.values())):
        for child in children:
            yield from steps_of(child)


def probed(probe: Probe) -> Iterator[int]:
    """The steps whose columns a probe reads."""
    slots: tuple[Slot | None, ...] = (*probe.key, probe.leaf, probe.items, probe.typename)
    yield from (slot.step for slot in slots if slot is not None)
    if probe.step is not None:
        yield probe.step
    for presence in (probe.presence, *probe.variants.values()):
        yield from steps_in(presence)


def steps_in(presence: Presence) -> Iterator[int]:
    """The steps that say whether an object is there."""
    yield from (slot.step for slot in (*presence.keys, *presence.any))
    if presence.found is not None:
        yield presence.found
    if presence.screen is not None:
        yield presence.screen
