"""What a list's rows can be narrowed and ordered by, and where each such field is had from: the rows themselves, or further fetches.

The fetches belong to the list alone: they are made for rows that have not been selected yet, and only when a question uses them.
Knows the registry, the schema and the form of arguments; no value.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from graphql import GraphQLObjectType, GraphQLSchema, get_named_type, is_list_type, is_non_null_type

from hub.plan.draft import Draft, Level, Position, carried_by
from hub.plan.model import Fetch, Listing, Screen, Term
from hub.plan.operation import Selected
from hub.plan.providers import Reach
from hub.plan.slots import Slot
from schema.registry import Binding, Registry, Resolve, Served

ASIDE = 1_000_000  # ids of a list's own fetches begin here: they are in no plan's steps


class Aside(Draft):
    """Fetches that are made for the raw rows of one list."""

    def next_id(self) -> int:
        return ASIDE + len(self.steps)


def coordinates_on(schema: GraphQLSchema, type_name: str, path: str) -> tuple[str, ...]:
    """The coordinates that a path goes through: ``creditScore.grade`` of Enterprise is that one and ``CreditScore.grade``."""
    found = []
    for name in path.split("."):
        found.append(f"{type_name}.{name}")
        owner = schema.get_type(type_name)
        if not isinstance(owner, GraphQLObjectType) or name not in owner.fields:
            break
        type_name = get_named_type(owner.fields[name].type).name
    return tuple(found)


def narrowing(registry: Registry, selected: Selected) -> tuple[dict[str, str], dict[str, str]]:
    """(filter field -> path, order value -> path) of the arguments that a field has."""
    return _inputs(registry.filters, selected), _inputs(registry.orders, selected)


def _inputs(known: Mapping[str, Mapping[str, str]], selected: Selected) -> dict[str, str]:
    found: dict[str, str] = {}
    for argument in selected.definition.args.values():
        found |= known.get(get_named_type(argument.type).name, {})
    return found


def listing(
    draft: Draft,
    selected: Selected,
    node: str,
    binding: Binding,
    level: Level,
    fields: Mapping[str, Served],
    *,
    pages: bool,
    also: frozenset[str] = frozenset(),
) -> Listing:
    """How the list that ``selected`` asks for may be narrowed and ordered.

    Its rows lie in ``level`` and carry ``fields``. The columns of a link's rows are asked for in ``draft`` at once; a scan asks for those
    that a question turns out to need, but for the key that ``pages`` are ordered by. ``also`` are further paths to have terms for.
    """
    schema, registry, rules = draft.schema, draft.registry, draft.rules
    filters, sorts = narrowing(registry, selected)
    denied = frozenset(
        path for path in {*filters.values(), *sorts.values(), *also} if not draft.denied.isdisjoint(coordinates_on(schema, node, path))
    )
    aside = Aside(schema, registry, draft.denied, draft.asked)
    aside.columns.setdefault(level.source, {})
    position = aside.position(level.step, node, carried_by(fields, level))
    key = tuple(_key(aside, position, node, registry)) if pages else ()
    lazy = level.source == level.step
    if lazy:
        draft.columns[level.source] |= aside.columns[level.source]
    used = (
        {filters[name] for name in used_names(selected, "filter", filters)}
        | {sorts[name] for name in used_names(selected, "orderBy", sorts)}
        | also
    )
    terms: dict[str, Term] = {}
    for path in sorted((used - denied) | {path for path, _ in rules.get(node, ())}):
        found = term(aside, position, path)
        if found is not None:
            terms[path] = found
    fetches = tuple(step for step in aside.steps if isinstance(step, Fetch))
    columns = tuple(aside.columns[level.source])
    possible: frozenset[str] = frozenset()
    if not (used - denied) <= terms.keys():
        paths = {*filters.values(), *sorts.values()} - denied
        possible = frozenset(path for path in paths if term(aside, position, path) is not None)
    if not lazy:
        draft.columns[level.source] |= dict.fromkeys(columns)
    # Their own columns for now; ``hub.plan.merge`` adds those that other fetches of the same binding ask for.
    own = tuple(replace(step, columns=tuple(aside.columns[step.id])) for step in fetches)
    return Listing(node, binding, key, terms, filters, sorts, denied, rules.get(node, ()), possible, own, columns)


def cuttable(draft: Draft, selected: Selected, binding: Binding) -> bool:
    """Whether the source of a list below an entity may cut it for each parent: the question names a length and asks for no total, and no
    rule of the caller's comes before. Such a list is fetched for itself alone."""
    named = get_named_type(selected.type).name
    if named not in draft.registry.connections or not (binding.relation.each and binding.relation.limit) or binding.type in draft.rules:
        return False
    return "first" in selected.named and not any(part.name == "totalCount" for part in selected.children[named])


def screen(draft: Draft, position: Position) -> int | None:
    """The step that says whether the caller may see the objects at ``position``; None where no rule speaks of them."""
    rules = draft.rules.get(position.type)
    if not rules:
        return None
    found = [term(draft, position, path) for path, _ in rules]
    terms = tuple(one for one in found if one is not None)
    read = terms if len(terms) == len(rules) else None
    same = (
        one.id
        for one in draft.steps
        if isinstance(one, Screen) and (one.layer, one.type, one.terms) == (position.layer, position.type, read)
    )
    known = next(same, None)
    if known is not None:
        return known
    step = draft.next_id()
    draft.steps.append(Screen(step, position.layer, position.type, read))
    return step


def _key(aside: Draft, position: Position, node: str, registry: Registry) -> Iterator[Term]:
    names = registry.keys.get(node, ((),))[0]
    if all(name in position.carried and position.carried[name].served.column is not None for name in names):
        for name in names:
            found = term(aside, position, name)
            if found is not None:
                yield found


def source(draft: Draft, type_name: str, name: str, reach: Reach) -> Binding | None:
    """The lookup that says by what rows are narrowed or ordered: the first that needs nothing but its key. Nobody stands in for it."""
    found = [b for b in draft.registry.ranked(type_name).providers.get(name, ()) if not b.requires and not b.args]
    if draft.registry.policy(f"{type_name}.{name}") is Resolve.FIRST:
        found.sort(key=lambda b: (b.worth, b.id not in draft.asked, b.rank))
    return next(reach.those(found), None)


def term(draft: Draft, position: Position, path: str) -> Term | None:
    """Where the canonical field at ``path`` is had for the objects at ``position``; None when nobody serves it as a plain value."""
    name, *inner = path.split(".")
    carried = position.carried.get(name)
    here = carried is not None
    if carried is None:
        binding = source(draft, position.type, name, position.reach)
        if binding is None:
            return None
        carried = draft.fetched(position, binding, name)
    served, owner = carried.served, str(position.type)
    for part in inner:
        if served.type is None or served.many or served.typename is not None or part not in served.parts:
            return None
        served, owner = served.parts[part], str(served.type)
    coordinate = f"{owner}.{served.name}"
    kind = draft.type_of(coordinate)
    if served.type is not None or served.column is None or is_list_type(kind.of_type if is_non_null_type(kind) else kind):
        return None
    if carried.level is None:
        return Term(path, Slot(carried.step, served.name, kind))
    return Term(path, draft.wanted(carried.level, served, coordinate), here)


def used_names(selected: Selected, argument: str, names: Mapping[str, str]) -> Iterator[str]:
    """Those of ``names`` that the argument may name: the ones that stand in it, or all where a variable does."""
    if argument in selected.named:
        found = selected.named[argument]
        yield from names if found is None else (name for name in names if name in found)
