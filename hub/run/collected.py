"""Which fields of a document are deferred, by graphql-core's own collecting: one place for what is private to it in this.

Tried with graphql-core 3.3, as ``hub.run.seam``; ``tests/run/test_deferred.py`` holds what is relied on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from graphql import DocumentNode, FragmentDefinitionNode, GraphQLObjectType, GraphQLSchema, OperationDefinitionNode
from graphql.execution.collect_fields import (
    DeferUsage,
    FieldDetails,
    FragmentDetails,
    GroupedFieldSet,
    collect_fields,
    collect_subfields,
)
from graphql.execution.incremental.build_execution_plan import build_execution_plan
from graphql.execution.values import VariableValues
from graphql.pyutils import RefSet

Fields = Sequence[FieldDetails]  # all field nodes of one response key, each with the @defer that it stands under
Grouped = Mapping[str, Fields]
Usage = DeferUsage  # one @defer of the document; nested ones know the one around them
Usages = RefSet[DeferUsage]
Split = tuple[Grouped, Sequence[tuple[Usages, Grouped]]]  # the fields that come now, and those that come with some @defers


class Collected:
    """The fields of one operation as one request's variables have it."""

    def __init__(self, schema: GraphQLSchema, document: DocumentNode, name: str, variables: VariableValues) -> None:
        self.schema = schema
        found = [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]
        self._operation = next(node for node in found if not name or (node.name is not None and node.name.value == name))
        nodes = (node for node in document.definitions if isinstance(node, FragmentDefinitionNode))
        self._fragments = {node.name.value: FragmentDetails(node) for node in nodes}
        self._variables = variables
        root = schema.get_root_type(self._operation.operation)
        assert root is not None, "the operation was planned already"
        self.root: GraphQLObjectType = root
        found_fields = collect_fields(schema, self._fragments, variables, root, self._operation)
        self.root_fields: Grouped = found_fields.grouped_field_set
        self.root_usages: Sequence[Usage] = found_fields.new_defer_usages
        self._below: dict[tuple[int, str], tuple[Fields, Grouped, Sequence[Usage]]] = {}
        self._split: dict[tuple[int, int], tuple[Any, Any, Split]] = {}

    @property
    def root_now(self) -> Grouped:
        """The root fields that are not deferred."""
        return self.split(self.root_fields, None)[0]

    def below(self, kind: GraphQLObjectType, fields: Fields) -> tuple[Grouped, Sequence[Usage]]:
        """The fields of the objects of ``kind`` that ``fields`` give, and the @defers that begin there."""
        key = (id(fields), kind.name)
        if key not in self._below:
            found = collect_subfields(self.schema, self._fragments, self._variables, self._operation, kind, list(fields))
            self._below[key] = (fields, found.grouped_field_set, found.new_defer_usages)
        _, grouped, usages = self._below[key]
        return grouped, usages

    def now(self, kind: str, fields: Fields) -> Grouped:
        """The fields of these objects that are not deferred."""
        named: Any = self.schema.get_type(kind)
        return self.split(self.below(named, fields)[0], None)[0]

    def split(self, grouped: Grouped, around: Usages | None) -> Split:
        """``grouped``, within what comes with the @defers ``around``."""
        key = (id(grouped), id(around))
        if key not in self._split:
            made = build_execution_plan(cast(GroupedFieldSet, grouped), around)
            self._split[key] = (grouped, around, (made.grouped_field_set, list(made.new_grouped_field_sets.items())))
        return self._split[key][2]
