"""What works, but hardly as meant, once all systems are seen together: calls one by one below a list, one value with two sources,
entities whose existence nobody decides, filters that nobody can use, scopes that look misspelt; and root fields that two systems bind.

Linear in the number of bindings. What does not hold together at all is in ``schema.satisfy``.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterator, Mapping, Sequence

from graphql import GraphQLInputObjectType, get_named_type, is_input_object_type, is_interface_type, is_object_type, is_union_type
from graphql.language import Node

from schema.entries import FieldEntry, Manifest, Word, Words
from schema.faults import fault
from schema.reach import Whole
from schema.registry import Authority, Binding, Role
from schema.words import PLACES
from schema.world import Bound


def advise(whole: Whole) -> None:
    """Report all of it; of files with errors later, when those are mended."""
    _carried_out_twice(whole)
    before = len(whole.faults)
    wrong = whole.wrong | {found.file for found in whole.faults if found.is_error}
    _one_by_one(whole)
    _two_sources(whole, wrong)
    _idle_filters(whole)
    _odd_scopes(whole)
    _without_anchor(whole)
    whole.faults[before:] = [found for found in whole.faults[before:] if found.file not in wrong]


# ---- mutations and subscriptions


def _carried_out_twice(whole: Whole) -> None:
    """A canonical root is one system's to answer: of two that bind it the second would silently never be asked."""
    first: dict[str, Binding] = {}
    for name in sorted(whole.made):
        for binding in whole.made[name].bindings:
            if binding.role not in (Role.WRITE, Role.EVENTS) or binding.field not in whole.world.canonical:
                continue
            assert binding.field is not None
            other = first.setdefault(binding.field, binding)
            if other is not binding:
                message = f"'{binding.field}' is bound by {other.system} already; one system alone answers it."
                whole.report("BOUND_TWICE", binding, message, "remove it from one of the two files")


# ---- one call for each element


def _one_by_one(whole: Whole) -> None:
    """Calls that take one key although they are made for each element of some list."""
    below = _below_lists(whole)
    told: set[str] = set()
    for table in (whole.registry.lookups, whole.registry.links):
        for place, bindings in table.items():
            owner = place.partition(".")[0]
            for binding in bindings if owner in below else ():
                relation = binding.relation
                # A key of several fields, or values of the entity's own, cannot be sent for many at once.
                if relation.max_keys != 1 or len(binding.key) != 1 or binding.requires or binding.id in told:
                    continue
                entry = whole.made[binding.system].entries[binding.id]
                words = [entry.words[name] for name in PLACES if name in entry.words] if isinstance(entry, FieldEntry) else []
                if not words or words[0].args.get("single"):
                    continue
                told.add(binding.id)
                message = f"Each '{owner}' of {below[owner]} is a call of its own: one {binding.key[0]} at a time."
                fix = 'add batch: {by: "…", match: "…"} if the source takes several keys, else single: true to say that it does not'
                whole.faults.append(fault("NO_BATCH", whole.sheets[binding.system].manifest.file, words[0].node, message, fix))


def _below_lists(whole: Whole) -> Mapping[str, str]:
    """Types that queries reach below a list -> the first list on the way there."""
    schema, world = whole.world.schema, whole.world
    found: dict[str, str] = {}
    seen: set[str] = set()
    waiting = deque(("Query", name.partition(".")[2], "") for name in sorted(whole.planned))
    while waiting:
        owner, name, way = waiting.popleft()
        shape = world.field_shape(owner, name)
        if shape is None:
            continue
        type_ = schema.type_map.get(shape.name)
        way = way or (f"'{owner}.{name}'" if shape.lists else "")
        inner = [shape.name]
        if is_union_type(type_) or is_interface_type(type_):
            inner += [each.name for each in world.members(shape.name)]
        for each in inner:
            if (each in found) if way else (each in seen or each in found):
                continue
            seen.add(each)
            if way:
                found[each] = way
            target = schema.type_map.get(each)
            if is_object_type(target) or is_interface_type(target):
                waiting.extend((each, part, way) for part in target.fields)
    return found


# ---- one value, one source


def _two_sources(whole: Whole, wrong: Collection[str]) -> None:
    """Canonical values that two systems say they are the source of, with nothing to choose by."""
    right = {name for name, sheet in whole.sheets.items() if sheet.manifest.file not in wrong}
    for type_name in whole.registry.lookups:
        keys = {name for key in whole.registry.keys.get(type_name, ()) for name in key}
        rivals: dict[tuple[str, str], tuple[Binding, list[str]]] = {}
        for name, providers in whole.registry.ranked(type_name).providers.items():
            if name in keys or f"{type_name}.{name}" not in whole.world.canonical:
                continue
            equals = _equals([each for each in providers if each.system in right and not each.requires and not each.args])
            if equals is not None:
                # Who knows all of them is not to blame.
                first, second = equals if not equals[1].anchors else equals[::-1]
                rivals.setdefault((first.system, second.system), (second, []))[1].append(name)
        for (system, _), (binding, names) in rivals.items():
            _tell_rivals(whole, binding, [f"{type_name}.{name}" for name in sorted(names)], system, min(names))
    for place, bindings in whole.registry.links.items():
        equals = _equals([each for each in bindings if each.system in right]) if place in whole.world.canonical else None
        if equals is not None:
            _tell_rivals(whole, equals[1], [place], equals[0].system, None)


def _equals(bindings: Sequence[Binding]) -> tuple[Binding, Binding] | None:
    """Of bindings in rank order the best two of different systems, if both are sources and neither is preferred."""
    if not bindings or bindings[0].authority is not Authority.SOURCE:
        return None
    best = bindings[0]
    other = next((each for each in bindings[1:] if each.system != best.system), None)
    return (best, other) if other is not None and other.worth == best.worth else None


def _tell_rivals(whole: Whole, binding: Binding, names: Sequence[str], system: str, field_name: str | None) -> None:
    shown = ", ".join(f"'{name}'" for name in names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
    message = f"{system} says as well that it is the source of {shown}: whichever is asked anyway answers."
    fix = "write @serves(authority: REPLICA) where it is a copy, or @serves(priority: …) where one is better"
    whole.report("TWO_SOURCES", binding, message, fix, field_name=field_name)


# ---- existence


def _without_anchor(whole: Whole) -> None:
    """Entities that a root field finds by a key that any text can be: without an anchor nobody says that there is none."""
    for type_name in sorted({root.type for root in whole.registry.roots.values()} - whole.faulty):
        lookups = whole.registry.lookups.get(type_name, ())
        if lookups and not any(each.anchors for each in lookups):
            message = f"No system decides whether '{type_name}' exists: an unknown key gives an entity without values, not null."
            fix = "let the system that knows all of them say @entity(existence: ANCHOR, coverage: COMPLETE)"
            whole.report("NO_ANCHOR", lookups[0], message, fix)


# ---- filters


def _idle_filters(whole: Whole) -> None:
    """@filter and @sort on canonical fields, or for comparisons, that the type's public filter and order do not offer."""
    for name in sorted(whole.sheets):
        for bound in whole.sheets[name].types.values():
            offered, ordered = _offered(whole, bound.name), whole.registry.orders.get(f"{bound.name}Order")
            keys = {part for key in whole.registry.keys.get(bound.name, ()) for part in key}  # pages are ordered by them anyway
            for entry in bound.fields.values():
                coordinate = f"{bound.name}.{entry.name}"
                if coordinate not in whole.world.canonical:
                    continue
                if offered is not None and "filter" in entry.words and not _sent(whole, name, bound, entry.name):
                    _idle_filter(whole, name, coordinate, entry, offered.get(entry.name, ()))
                if ordered is not None and "sort" in entry.words and entry.name not in keys and entry.name not in ordered.values():
                    message = f"Nobody can order by '{coordinate}': '{bound.name}Order' does not offer it."
                    _tell_idle(whole, name, entry.words["sort"], message, "remove @sort")


def _idle_filter(whole: Whole, system: str, coordinate: str, entry: FieldEntry, offered: Collection[str]) -> None:
    ops = set(entry.words["filter"].args["ops"])
    idle = sorted(ops - set(offered))
    if idle:
        fix = f"write @filter(ops: [{', '.join(sorted(ops.intersection(offered)))}])" if ops.intersection(offered) else "remove @filter"
        message = f"Nobody can filter '{coordinate}' by {', '.join(idle)}: '{coordinate.partition('.')[0]}Filter' does not offer it."
        _tell_idle(whole, system, entry.words["filter"], message, fix)


def _tell_idle(whole: Whole, system: str, word: Word, message: str, fix: str) -> None:
    whole.faults.append(fault("IDLE_FILTER", whole.sheets[system].manifest.file, word.node, message, fix))


def _offered(whole: Whole, type_name: str) -> Mapping[str, Sequence[str]] | None:
    """Field -> the comparisons that its condition takes; None where the type has no public filter."""
    found = whole.world.schema.type_map.get(f"{type_name}Filter")
    if found is None or not is_input_object_type(found) or found.name not in whole.registry.filters:
        return None
    return {whole.registry.filters[found.name].get(name, name): tuple(_comparisons(found, name)) for name in found.fields}


def _comparisons(found: GraphQLInputObjectType, name: str) -> Iterator[str]:
    condition = get_named_type(found.fields[name].type)
    yield from (each.upper() for each in getattr(condition, "fields", {}))


def _sent(whole: Whole, system: str, bound: Bound, name: str) -> bool:
    """Whether some call of the system sends the column by itself: then @filter is what lets it."""
    return any(
        each.role is Role.SCAN and each.type == bound.name and f"{{{name}}}" in str(each.relation.native)
        for each in whole.made[system].bindings
    )


# ---- scopes


def _odd_scopes(whole: Whole) -> None:
    """A scope that is asked for in one place alone, a letter away from one that is in several: nobody will hold it."""
    places: dict[str, list[tuple[str, Node]]] = {}
    for name in sorted(whole.sheets):
        manifest = whole.sheets[name].manifest
        for words in _all_words(manifest):
            for scope in {each for every in words["requiresScopes"].args["scopes"] for each in every}:
                places.setdefault(scope, []).append((manifest.file, words["requiresScopes"].node))
    common: dict[str, str] = {}
    for scope in sorted(places):
        if len(places[scope]) > 1:
            common |= dict.fromkeys(_shapes(scope), scope)
    for scope, found in places.items():
        meant = next((common[shape] for shape in sorted(_shapes(scope)) if shape in common), None)
        if meant is not None and len(found) == 1:
            file, node = found[0]
            message = f"Only here the scope '{scope}' is asked for. Did you mean '{meant}'?"
            whole.faults.append(fault("ODD_SCOPE", file, node, message, f'write "{meant}", or a name that is told from it easily'))


def _all_words(manifest: Manifest) -> Iterator[Words]:
    """The words of each type and field that ask for scopes."""
    for entry in manifest.types:
        yield from (words for words in (entry.words, *(each.words for each in entry.fields.values())) if "requiresScopes" in words)


def _shapes(scope: str) -> set[str]:
    """What two scopes share that differ by a letter, by case or by how words are joined. Numbers are not slips."""
    plain = scope.casefold().replace("_", "-").replace(".", ":")
    return {plain, *(plain[:at] + plain[at + 1 :] for at in range(len(plain)) if not plain[at].isdigit() and len(plain) > 5)}
