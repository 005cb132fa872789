"""One function: the schema without the coordinates that somebody may not see.

Used for @inaccessible and for introspection by audience. Must not know who is asking or why.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from graphql import (
    GraphQLArgument,
    GraphQLDirective,
    GraphQLField,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNamedType,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLType,
    GraphQLUnionType,
    get_named_type,
    is_input_object_type,
    is_interface_type,
    is_introspection_type,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
    is_object_type,
    is_specified_directive,
    is_union_type,
)

Fields = dict[str, dict[str, GraphQLField]]  # object or interface -> its fields that stay


def visible(schema: GraphQLSchema, keep: Callable[[str], bool]) -> GraphQLSchema:
    """The schema with those fields only whose coordinate (``Type.field``) is kept.

    What loses its last field goes, and so does every field of such a type; then what no root reaches goes. A field of an interface stays
    only where all its types keep theirs, so that the result is valid. The given schema is not touched. Raises ValueError when
    nothing of the query type is left.
    """
    fields = _settle(schema, keep)
    query = schema.query_type
    if query is None or query.name not in fields:
        raise ValueError("nothing of the schema is visible")
    alive = _reachable(schema, fields)
    made: dict[str, GraphQLNamedType] = {}
    for name, type_ in schema.type_map.items():
        if name in alive and not is_introspection_type(type_):
            made[name] = _rebuilt(type_, fields, made, alive)
    kwargs = schema.to_kwargs()
    kwargs["query"] = _root(schema.query_type, made)
    kwargs["mutation"] = _root(schema.mutation_type, made)
    kwargs["subscription"] = _root(schema.subscription_type, made)
    kwargs["types"] = tuple(made.values())
    kwargs["directives"] = tuple(each if is_specified_directive(each) else _directive(each, made) for each in schema.directives)
    return GraphQLSchema(**kwargs)


def _root(type_: GraphQLObjectType | None, made: dict[str, GraphQLNamedType]) -> GraphQLObjectType | None:
    found = made.get(type_.name) if type_ is not None else None
    return found if is_object_type(found) else None


def _directive(directive: GraphQLDirective, made: dict[str, GraphQLNamedType]) -> GraphQLDirective:
    kwargs = directive.to_kwargs()
    kwargs["args"] = _arguments(directive.args, made)
    return GraphQLDirective(**kwargs)


def _settle(schema: GraphQLSchema, keep: Callable[[str], bool]) -> Fields:
    """The fields that stay: nothing empty, nothing that points at what is gone."""
    fields: Fields = {
        type_.name: {name: field for name, field in type_.fields.items() if keep(f"{type_.name}.{name}")}
        for type_ in schema.type_map.values()
        if (is_object_type(type_) or is_interface_type(type_)) and not is_introspection_type(type_)
    }
    changed = True
    while changed:
        changed = False
        for name in [name for name, left in fields.items() if not left]:
            del fields[name]
            changed = True
        for name, left in fields.items():
            gone = [each for each, field in left.items() if not _is_there(schema, get_named_type(field.type), fields)]
            gone += [each for each in left if each not in gone and _is_broken(schema, name, each, fields)]
            for each in gone:
                del left[each]
                changed = True
    return fields


def _is_there(schema: GraphQLSchema, type_: GraphQLNamedType, fields: Fields) -> bool:
    if is_union_type(type_):
        return any(member.name in fields for member in type_.types)
    if is_object_type(type_) or is_interface_type(type_):
        return type_.name in fields
    return True


def _is_broken(schema: GraphQLSchema, owner: str, name: str, fields: Fields) -> bool:
    """A field of an interface that one of its surviving types has lost."""
    type_ = schema.type_map[owner]
    if not is_interface_type(type_):
        return False
    found = schema.get_implementations(type_)
    return any(each.name in fields and name not in fields[each.name] for each in (*found.objects, *found.interfaces))


def _reachable(schema: GraphQLSchema, fields: Fields) -> set[str]:
    alive: set[str] = set()
    waiting: list[GraphQLNamedType] = [
        each for each in (schema.query_type, schema.mutation_type, schema.subscription_type) if each and each.name in fields
    ]
    for directive in schema.directives:
        waiting.extend(get_named_type(argument.type) for argument in directive.args.values())
    while waiting:
        type_ = waiting.pop()
        if type_.name not in alive:
            alive.add(type_.name)
            waiting.extend(_referred(schema, type_, fields))
    return alive


def _referred(schema: GraphQLSchema, type_: GraphQLNamedType, fields: Fields) -> Iterator[GraphQLNamedType]:
    if is_object_type(type_) or is_interface_type(type_):
        yield from (each for each in type_.interfaces if each.name in fields)
        for field in fields[type_.name].values():
            yield get_named_type(field.type)
            yield from (get_named_type(argument.type) for argument in field.args.values())
    if is_interface_type(type_):
        found = schema.get_implementations(type_)
        yield from (each for each in (*found.objects, *found.interfaces) if each.name in fields)
    elif is_union_type(type_):
        yield from (each for each in type_.types if each.name in fields)
    elif is_input_object_type(type_):
        yield from (get_named_type(field.type) for field in type_.fields.values())


def _rebuilt(type_: GraphQLNamedType, fields: Fields, made: dict[str, GraphQLNamedType], alive: set[str]) -> GraphQLNamedType:
    """A copy that refers to the new types; they are looked up late, since types refer to each other in circles."""
    if is_leaf_type(type_):
        return type_  # refers to no other
    kwargs: dict[str, Any] = dict(type_.to_kwargs())
    name = type_.name
    if is_object_type(type_) or is_interface_type(type_):
        interfaces = [each.name for each in type_.interfaces if each.name in alive]
        kwargs["interfaces"] = lambda: [made[each] for each in interfaces]
        kwargs["fields"] = lambda: {each: _field(field, made) for each, field in fields[name].items()}
        return GraphQLObjectType(**kwargs) if is_object_type(type_) else GraphQLInterfaceType(**kwargs)
    if is_union_type(type_):
        members = [each.name for each in type_.types if each.name in alive]
        kwargs["types"] = lambda: [made[each] for each in members]
        return GraphQLUnionType(**kwargs)
    if is_input_object_type(type_):
        inputs = type_.fields
        kwargs["fields"] = lambda: {
            each: GraphQLInputField(**{**field.to_kwargs(), "type_": _type(field.type, made)}) for each, field in inputs.items()
        }
        return GraphQLInputObjectType(**kwargs)
    return type_


def _field(field: GraphQLField, made: dict[str, GraphQLNamedType]) -> GraphQLField:
    return GraphQLField(**{**field.to_kwargs(), "type_": _type(field.type, made), "args": _arguments(field.args, made)})


def _arguments(arguments: dict[str, GraphQLArgument], made: dict[str, GraphQLNamedType]) -> dict[str, GraphQLArgument]:
    return {name: GraphQLArgument(**{**each.to_kwargs(), "type_": _type(each.type, made)}) for name, each in arguments.items()}


def _type(type_: GraphQLType, made: dict[str, GraphQLNamedType]) -> Any:
    if is_non_null_type(type_):
        return GraphQLNonNull(_type(type_.of_type, made))
    if is_list_type(type_):
        return GraphQLList(_type(type_.of_type, made))
    assert isinstance(type_, GraphQLNamedType)
    return made.get(type_.name, type_)
