"""The canonical schema as one object, and what it says about its own fields, as plain data for composition and policy.

What composition must know of ``core(canonical())``, the graphql-core schema within (each point has a test):

1. ``extend_schema`` keeps each type's, field's and argument's ``extensions``: ``definition_of`` finds the Strawberry field behind
   a field of an extended schema too, so the functions below take either kind of schema. Contributed fields have none there; their grade and
   owner come from their manifest.
2. Strawberry's enum type becomes graphql-core's own. The canonical enums are StrEnums whose values equal their names, so
   members and names are interchangeable before and after.
3. The extended schema does not know its Strawberry schema. A shallow copy (``copy.copy``) of the Strawberry schema takes it as its
   ``_schema``, and it gets that copy as its ``_strawberry_schema``; do so where what is private to both libraries is kept.
4. ``ResidentID`` is used by no field yet and is in the schema all the same, for manifests to use.
5. A fresh Strawberry schema is built for each execution-context class and kept, so never write to one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import strawberry
from graphql import (
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLObjectType,
    GraphQLSchema,
    get_named_type,
    is_enum_type,
    is_input_object_type,
    is_introspection_type,
    is_list_type,
    is_non_null_type,
    is_object_type,
    print_schema,
)
from strawberry.schema.config import StrawberryConfig
from strawberry.schema.name_converter import NameConverter
from strawberry.types.field import StrawberryField
from strawberry.utils.str_converters import to_camel_case

from schema.coordinates import Coordinate, Grade
from schema.registry import Aggregated, Resolve, RootLookup
from schema.scalars import SCALARS, ResidentID
from schema.types import KEYS, Query, Subscription
from schema.types.filters import ELSEWHERE
from schema.types.planned import GRADE, RESOLVE, SCOPES, PlannedField

DEFINITION = "strawberry-definition"
CONNECTION_FIELDS = frozenset({"edges", "nodes", "pageInfo", "totalCount"})


class PublicNames(NameConverter):
    """Names ``Condition[str]`` by GraphQL's word for it: StringCondition."""

    def get_name_from_type(self, type_: Any) -> str:
        if isinstance(type_, type) and type_ in _BUILT_IN:
            return _BUILT_IN[type_]
        return super().get_name_from_type(type_)


_BUILT_IN: Mapping[type, str] = {str: "String", int: "Int", bool: "Boolean", float: "Float"}


@cache
def canonical(execution_context_class: type[Any] | None = None) -> strawberry.Schema:
    """The Strawberry schema of the canonical types. Built once for each execution-context class."""
    return strawberry.Schema(
        query=Query,
        subscription=Subscription,
        types=[ResidentID],
        execution_context_class=execution_context_class,
        config=StrawberryConfig(scalar_map=SCALARS, name_converter=PublicNames()),
    )


AnySchema = strawberry.Schema | GraphQLSchema


def core(schema: AnySchema) -> GraphQLSchema:
    """The graphql-core schema within a Strawberry schema; a graphql-core schema is itself."""
    return schema if isinstance(schema, GraphQLSchema) else schema._schema


def sdl(schema: AnySchema | None = None) -> str:
    """The schema as SDL text, the canonical one by default."""
    return print_schema(core(schema or canonical()))


def definition_of(field: GraphQLField) -> StrawberryField | None:
    """The Strawberry field behind a field, or None for a contributed one."""
    found = field.extensions.get(DEFINITION)
    return found if isinstance(found, StrawberryField) else None


def grades(schema: AnySchema) -> Iterator[Coordinate]:
    """One row of the coordinate table for each canonical field, in the schema's order. Contributed fields have none here."""
    for type_ in _objects(schema):
        for name, field in type_.fields.items():
            definition = definition_of(field)
            if definition is not None:
                yield Coordinate(
                    type=type_.name,
                    field=name,
                    grade=definition.metadata.get(GRADE, Grade.L1),
                    nullable=not is_non_null_type(field.type),
                    description=field.description or "",
                    scopes=definition.metadata.get(SCOPES, ()),
                )


def connections(schema: AnySchema) -> dict[str, str]:
    """Connection type -> its node type. A connection is an object with exactly the four fields of one."""
    return {
        type_.name: get_named_type(type_.fields["nodes"].type).name
        for type_ in _objects(schema)
        if type_.name.endswith("Connection") and type_.fields.keys() == CONNECTION_FIELDS
    }


def filters(schema: AnySchema) -> dict[str, dict[str, str]]:
    """Filter input type -> its field -> the path of the canonical field it narrows: its own name, or what ``ELSEWHERE`` says.

    A filter input is one that an argument called ``filter`` takes.
    """
    return {named.name: {name: ELSEWHERE.get(name, name) for name in named.fields} for named in _inputs(schema, "filter")}


def orders(schema: AnySchema) -> dict[str, dict[str, str]]:
    """Order input type -> value of its ``field`` -> the path of the canonical field. An order input is one that ``orderBy`` takes."""
    found: dict[str, dict[str, str]] = {}
    for named in _inputs(schema, "orderBy"):
        values = get_named_type(named.fields["field"].type)
        if is_enum_type(values):
            names = {value: to_camel_case(value.lower()) for value in values.values}
            found[named.name] = {value: ELSEWHERE.get(name, name) for value, name in names.items()}
    return found


def aggregates(schema: AnySchema) -> dict[str, Aggregated]:
    """Type of figures (``EnterpriseAggregate``) -> what its fields mean. Such a type is what a field with ``groupBy`` lists."""
    found: dict[str, Aggregated] = {}
    for type_ in _objects(schema):
        for field in type_.fields.values():
            named = get_named_type(field.type)
            if "groupBy" in field.args and is_object_type(named):
                values = get_named_type(field.args["groupBy"].type)
                names = {value: to_camel_case(value.lower()) for value in values.values} if is_enum_type(values) else {}
                inner = {name: get_named_type(part.type) for name, part in named.fields.items()}
                figures = {name: {f: ELSEWHERE.get(f, f) for f in kind.fields} for name, kind in inner.items() if is_object_type(kind)}
                groups = {value: ELSEWHERE.get(name, name) for value, name in names.items()}
                found[named.name] = Aggregated(named.name.removesuffix("Aggregate"), figures, groups)
    return found


def policies(schema: AnySchema) -> dict[str, Resolve]:
    """Coordinate -> what happens when several systems serve it, for canonical fields that say something else than FIRST."""
    found: dict[str, Resolve] = {}
    for type_ in _objects(schema):
        for name, field in type_.fields.items():
            definition = definition_of(field)
            resolve = Resolve.FIRST if definition is None else definition.metadata.get(RESOLVE, Resolve.FIRST)
            if resolve is not Resolve.FIRST:
                found[f"{type_.name}.{name}"] = resolve
    return found


def _inputs(schema: AnySchema, argument: str) -> Iterator[GraphQLInputObjectType]:
    for type_ in _objects(schema):
        for field in type_.fields.values():
            if argument in field.args and is_input_object_type(named := get_named_type(field.args[argument].type)):
                yield named


def planned_roots(schema: AnySchema) -> frozenset[str]:
    """Coordinates of the root fields that the engine answers: all without a resolver of their own, contributed ones included."""
    query = core(schema).query_type
    if query is None:
        return frozenset()
    return frozenset(f"{query.name}.{name}" for name, field in query.fields.items() if _is_planned(field))


def _is_planned(field: GraphQLField) -> bool:
    definition = definition_of(field)
    return definition is None or isinstance(definition, PlannedField)


def root_lookups(schema: AnySchema) -> dict[str, RootLookup]:
    """Root coordinate -> which key its arguments are, for canonical root fields that find one entity."""
    query = core(schema).query_type
    found: dict[str, RootLookup] = {}
    for name, field in query.fields.items() if query else ():
        target = get_named_type(field.type)
        definition = definition_of(field)
        if not isinstance(definition, PlannedField) or is_list_type(field.type):
            continue
        if tuple(field.args) in KEYS.get(target.name, ()):
            coordinate = f"Query.{name}"
            found[coordinate] = RootLookup(coordinate, target.name, {argument: argument for argument in field.args})
    return found


def _objects(schema: AnySchema) -> Iterator[GraphQLObjectType]:
    for type_ in core(schema).type_map.values():
        if is_object_type(type_) and not is_introspection_type(type_):
            yield type_
