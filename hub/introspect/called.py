"""Relations that are calls, of REST, SOAP and GraphQL sources: which parameter is a key, what the rows are, where they hang.

Pure. A call is taken when at most one parameter has to be given and that one is a key; what it cannot be asked by is told in a note.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from hub.introspect import naming
from hub.introspect.canon import Canon, CanonType
from hub.introspect.found import Column, Found, Param, Relation
from hub.introspect.guess import Guess, best, guesses
from hub.introspect.leaves import bind, contribute, expressible, flat, refer, unfit
from hub.introspect.sketch import Argument, FieldSketch, Sketch, TypeSketch
from hub.introspect.terms import plain
from schema.coordinates import Grade

_OWN = ("id", "bh", "no", "number", "编号")
MAX_KEYS = 100


@dataclass(frozen=True, slots=True)
class _Group:
    """Calls that bring rows of one type. ``every`` are the columns of all of them, objects taken apart."""

    name: str
    comment: str
    calls: tuple[Relation, ...]
    every: tuple[Column, ...]

    @property
    def columns(self) -> tuple[Column, ...]:
        """Those that a manifest can name."""
        return tuple(each for each in self.every if not unfit(each.path))


def propose_calls(sketch: Sketch, canon: Canon, found: Found) -> None:
    """Fill ``sketch`` from the calls of a source."""
    for group in _groups(found.relations):
        entity = _entity_of(group, canon, sketch)
        if entity is not None:
            _bind_entity(sketch, canon, group, *entity)
        else:
            _new_type(sketch, canon, group)


def _groups(relations: Iterable[Relation]) -> Iterator[_Group]:
    found: dict[str, list[Relation]] = {}
    for relation in sorted(relations, key=lambda each: each.name):
        found.setdefault(relation.row or relation.name, []).append(relation)
    for name, calls in sorted(found.items()):
        columns: dict[str, Column] = {}
        sure = [{each.path for each in flat(call.columns) if each.always} for call in calls]
        for column in (each for call in calls for each in flat(call.columns)):
            columns.setdefault(column.path, replace(column, always=all(column.path in each for each in sure)))
        yield _Group(name, next((each.comment for each in calls if each.comment), ""), tuple(calls), tuple(columns.values()))


def _asked(call: Relation) -> Param | None:
    """The one parameter that a key can go into: the required one, else one that is a key by name is looked for by the caller."""
    required = [each for each in call.params if each.required]
    return _useful(call, required[0]) if len(required) == 1 else None


def _useful(call: Relation, param: Param) -> Param:
    """Several keys make sense only where several rows come back."""
    return param if call.many else replace(param, many=False)


def _candidates(call: Relation) -> tuple[Param, ...]:
    asked = _asked(call)
    if asked is not None:
        return (asked,)
    return tuple(_useful(call, each) for each in call.params) if not any(each.required for each in call.params) else ()


def _is_key(param: Param, entity: CanonType) -> Guess | None:
    """Whether a parameter takes the key of an entity; ``usccs`` and ``uscc_list`` are ``uscc``."""
    name = re.sub(r"(_?list|_?codes|s)$", "", param.name, flags=re.IGNORECASE) if param.many else param.name
    for each in dict.fromkeys((param.name, name)):
        for guess in guesses(Column(each, "text", comment=param.comment), entity):
            if guess.target.name == entity.key and guess.sure:
                return guess
    return None


def _repeats(group: _Group, key: str, param: Param, entity: CanonType) -> str | None:
    """Where each row repeats the key it was asked by."""
    bound, _ = best(group.columns, entity)
    own = next((path for path, guess in bound.items() if guess.target.name == key), None)
    named = next((each.path for each in group.columns if plain(each.path) in _singular(param.name)), None)
    other = None
    for column in group.columns:
        if other is None and any(guess.target.scalar == "USCC" and guess.sure for guess in guesses(column, entity)):
            other = column.path
    return own or named or other


def _singular(name: str) -> tuple[str, ...]:
    found = plain(name)
    return (found, found.removesuffix("s"), found.removesuffix("list"))


def _own_key(group: _Group, canon: Canon, asked: str | None) -> bool:
    """Whether rows have a key of their own beside the one they are asked by."""
    others = [each for each in group.columns if each.path != asked]
    if any(each.type == "id" or plain(each.path).endswith(_OWN) for each in others):
        return True
    return any(
        guess.target.name == entity.key and guess.sure and not plain(each.path).startswith("item")
        for entity in canon.types.values()
        for each in others
        for guess in guesses(each, entity)
        if guess.target.scalar != "USCC"
    )


Lookup = tuple[Relation, Param, str | None]


def _entity_of(group: _Group, canon: Canon, sketch: Sketch) -> tuple[CanonType, list[Lookup]] | None:
    """The canonical entity that the rows are, with the calls that find it by key. Another file may call it otherwise; each once."""
    best_found: tuple[float, CanonType, list[Lookup]] | None = None
    for entity in canon.types.values():
        if (entity.name in sketch.types and sketch.types[entity.name].entity) or entity.name not in canon.reached:
            continue
        lookups: list[Lookup] = []
        confidence = 0.0
        for call in group.calls:
            for param in _candidates(call):
                guess = _is_key(param, entity)
                if guess is None:
                    continue
                match = _repeats(group, entity.key, param, entity)
                single = not call.many or (param.many and not _own_key(group, canon, match))
                if not single or (param.many and call.many and match is None):
                    continue
                lookups.append((call, param, match))
                confidence = max(confidence, guess.confidence)
        if lookups and (best_found is None or confidence > best_found[0]):
            best_found = (confidence, entity, lookups)
    return best_found[1:] if best_found else None


def _bind_entity(sketch: Sketch, canon: Canon, group: _Group, entity: CanonType, lookups: list[Lookup]) -> None:
    made = sketch.type(entity.name, canonical=True)
    made.key, made.entity = entity.key, True
    made.bound = [each for each in made.bound if not each.key]
    bound, maybe = best(group.columns, entity)
    bound = {path: guess for path, guess in bound.items() if "." not in guess.target.name or expressible(path)}
    match = next((match for _, _, match in lookups if match), None)
    bind(sketch, made, entity, bound, group.columns)
    if not any(each.key for each in made.bound):
        path = match if match and match != entity.key else None
        made.bound.insert(0, FieldSketch(entity.key, f"{entity.field(entity.key).scalar}!", path, key=True))
    made.replica = any(f"{entity.name}.{each.name}" in canon.served for each in made.bound if not each.key)
    contribute(sketch, made, [each for each in group.every if each.path not in bound and each.path != match], maybe, canon.taken)
    scalar = entity.field(entity.key).scalar
    # One call is enough, and the one that takes many keys at once is the better one.
    call, param, match = max(lookups, key=lambda each: each[1].many)
    name = naming.unused(f"by{naming.pascal(entity.key)}", {each.name for each in sketch.lookups})
    place = _place(call, param, entity.key, match if param.many else None)
    sketch.lookups.append(
        FieldSketch(name, entity.name, arguments=(Argument(entity.key, f"{scalar}!", entity.key),), place=place, lookup=True)
    )
    for other in group.calls:
        if other is not call:
            sketch.notes.append(f"Not used: {other.name}; {entity.name} is found by {call.name}.")


def _new_type(sketch: Sketch, canon: Canon, group: _Group) -> None:
    finders = _own_lookups(group)
    own = max(finders, key=lambda each: each[1].many) if finders else None
    links = list(_links(group, canon))
    lists = [call for call in group.calls if call.many and not any(each.required for each in call.params)]
    used = {id(call) for call in (*lists, *(link[0] for link in links), *(each[0] for each in finders))}
    for call in group.calls:
        if id(call) not in used:
            needed = ", ".join(each.name for each in call.params if each.required)
            why = f"no key of the hub fits what it has to be given ({needed})" if needed else "it brings one row without being asked for it"
            sketch.notes.append(f"Left out: {call.name}; {why}.")
    if not used:
        return
    if own is not None:
        linked = {id(link[0]) for link in links}
        others = [each[0].name for each in finders if each[0] is not own[0] and id(each[0]) not in linked]
        sketch.notes += [f"Not used: {each}; {group.name} is found by {own[0].name}." for each in others]
    name = naming.type_name(group.name, sketch.name, {*canon.taken, *sketch.types})
    zh, en = naming.described(group.comment, group.name)
    made = TypeSketch(name, zh=zh, en=en)
    sketch.types[name] = made
    keys = (own[2],) if own is not None and own[2] else ()
    contribute(sketch, made, group.every, {}, canon.taken, keys=keys)
    if not made.added:
        del sketch.types[name]
        sketch.notes.append(f"Left out: {group.name} has no field that the hub can read.")
        return
    for entity in canon.types.values():
        known, _ = best(group.columns, entity)
        for path, guess in known.items():
            if guess.target.name == entity.key:
                refer(made, entity, guess, path)
    if own is not None and made.key:
        _own_root(sketch, canon, made, own)
    linked = set()
    for call, param, entity, guess in links:
        linked.add(id(call))
        _link(sketch, canon, group, made, call, param, entity, guess)
    for call in lists:
        if id(call) not in linked:
            _listed(sketch, canon, made, call)
    if not made.key:
        made.entity = False


def _own_lookups(group: _Group) -> list[Lookup]:
    """Calls that find one row by a key that rows have themselves."""
    found: list[Lookup] = []
    for call in group.calls:
        param = _asked(call)
        if param is None or (call.many and not param.many):
            continue
        names = _singular(param.name)
        column = next((each for each in group.columns if plain(each.path) in names), None)
        if column is None and names[1].endswith("id"):
            column = next((each for each in group.columns if plain(each.path) in ("id", plain(group.name) + "id")), None)
        if column is not None and not column.many and column.type in ("text", "id", "int", "bigint"):
            found.append((call, param, column.path))
    return found


def _own_root(sketch: Sketch, canon: Canon, made: TypeSketch, own: Lookup) -> None:
    call, param, column = own
    made.entity = True
    field = next(each for each in made.added if each.key)
    argument = Argument(field.name, field.type, field.name)
    name = naming.unused(_first_small(made.name), {each.name for each in sketch.lookups})
    place = _place(call, param, field.name, column if param.many else None)
    sketch.lookups.append(FieldSketch(name, made.name, arguments=(argument,), place=place, lookup=True))
    taken = {each.name for each in sketch.roots} | {each.partition(".")[2] for each in canon.taken if each.startswith("Query.")}
    root = naming.unused(_first_small(made.name), taken, sketch.name)
    sketch.roots.append(FieldSketch(root, made.name, arguments=(argument,), zh=made.zh, en=made.en, grade=Grade.L2))


def _links(group: _Group, canon: Canon) -> Iterator[tuple[Relation, Param, CanonType, Guess]]:
    """Calls that find rows by the key of an entity to which a query leads."""
    for call in group.calls:
        every = [
            (guess, entity, param)
            for param in _candidates(call)
            for entity in canon.types.values()
            if entity.name in canon.reached and (guess := _is_key(param, entity)) is not None
        ]
        if every:
            guess, entity, param = max(every, key=lambda each: each[0].confidence)
            if param.many and call.many and _repeats(group, entity.key, param, entity) is None:
                param = replace(param, many=False)
            yield call, param, entity, guess


def _link(
    sketch: Sketch, canon: Canon, group: _Group, made: TypeSketch, call: Relation, param: Param, entity: CanonType, guess: Guess
) -> None:
    parent = sketch.type(entity.name, canonical=True)
    taken = parent.names | {each.partition(".")[2] for each in canon.taken if each.startswith(f"{entity.name}.")}
    base = _first_small(made.name)
    name = naming.unused(base + "s" * (call.many and not base.endswith("s")), taken, sketch.name)
    match = _repeats(group, entity.key, param, entity) if param.many else None
    note = f"{guess.confidence:.2f} {param.name} is {entity.name}.{entity.key}: {'; '.join(guess.reasons)}"
    kind = f"[{made.name}!]" if call.many else made.name
    place = _place(call, param, entity.key, match, page=call.many)
    parent.added.append(FieldSketch(name, kind, notes=(note,), zh=made.zh, en=made.en, grade=Grade.L2, place=place))


def _listed(sketch: Sketch, canon: Canon, made: TypeSketch, call: Relation) -> None:
    """A call that needs nothing: a public list."""
    taken = {each.name for each in sketch.roots} | {each.partition(".")[2] for each in canon.taken if each.startswith("Query.")}
    base = _first_small(made.name)
    name = naming.unused(base if base.endswith("s") else base + "s", taken, sketch.name)
    place = _place(call, None, "", None, page=True)
    sketch.roots.append(FieldSketch(name, f"[{made.name}!]", zh=made.zh, en=made.en, grade=Grade.L2, place=place))


def _first_small(name: str) -> str:
    return name[:1].lower() + name[1:]


def _place(call: Relation, param: Param | None, key: str, match: str | None, *, page: bool = False) -> tuple[str, Mapping[str, Any]]:
    """@get, @field or @call of a call that is asked by ``param``."""
    said = dict(call.place)
    at = {"at": said["at"]} if said.get("at") else {}
    batch: dict[str, Any] = {}
    if param is not None and param.many:
        batch = {"batch": {"by": key, **({"match": match} if match else {}), "max": min(param.most or MAX_KEYS, MAX_KEYS)}}
    if "field" in said:
        argument = {"argument": param.name} if param is not None else {}
        return "field", {"name": said["field"], **argument, **at, **batch}
    hole = "{keys}" if batch else f"{{{key}}}"
    if "operation" in said:
        given: dict[str, Any] = {}
        if param is not None:
            *outer, last = said["ways"][param.name]
            inner = given
            for step in outer:
                inner = inner.setdefault(step, {})
            inner[last] = hole
        return "call", {"operation": said["operation"], **({"input": given} if given else {}), **at, **batch}
    path = str(said["path"])
    if param is not None:
        path = path.replace(f"{{{param.name}}}", hole)
    body: dict[str, Any] = dict(said.get("body") or {})
    if param is not None and param.name in said.get("query", ()):
        path += ("&" if "?" in path else "?") + f"{param.name}={hole}"
    elif param is not None and param.name in said.get("fields", ()):
        body[param.name] = hole
    posted = {"method": "POST", "body": body} if said.get("method") == "POST" else {}
    paged = {"page": said["page"]} if page and said.get("page") and not batch else {}
    return "get", {"path": path, **posted, **at, **batch, **paged}


__all__ = ["propose_calls"]
