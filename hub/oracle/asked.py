"""Which fields an operation asks for, by type: plain walks over its selections. And whom it asks anyway (S18)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLIncludeDirective,
    GraphQLResolveInfo,
    GraphQLSchema,
    GraphQLSkipDirective,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionNode,
    get_directive_values,
    get_named_type,
    is_abstract_type,
    is_leaf_type,
    value_from_ast_untyped,
)

from schema.registry import Binding, Registry, Resolve


def touched(schema: GraphQLSchema, document: DocumentNode, name: str | None, variables: Mapping[str, Any]) -> set[str]:
    """All coordinates that the operation selects, whatever its answer will be."""
    fragments = {node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)}
    operations = [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]
    operation = next(node for node in operations if name is None or (node.name and node.name.value == name))
    given = {
        each.variable.name.value: value_from_ast_untyped(each.default_value)
        for each in operation.variable_definitions or ()
        if each.default_value is not None
    } | dict(variables)
    found: set[str] = set()
    seen: set[tuple[str, int]] = set()

    def walk(kind: Any, selections: Any) -> None:
        """What a selection set asks of an object of one concrete type."""
        if selections is None or (kind.name, id(selections)) in seen:
            return
        seen.add((kind.name, id(selections)))
        for node in selections.selections:
            if any(
                bool(value_from_ast_untyped(directive.arguments[0].value, given)) is (directive.name.value == "skip")
                for directive in node.directives or ()
                if directive.name.value in ("skip", "include")
            ):
                continue
            if isinstance(node, FieldNode):
                if node.name.value.startswith("__"):
                    continue
                found.add(f"{kind.name}.{node.name.value}")
                below = get_named_type(kind.fields[node.name.value].type)
                for each in schema.get_possible_types(below) if is_abstract_type(below) else [below]:
                    if not is_leaf_type(each):
                        walk(each, node.selection_set)
                continue
            inner: Any = fragments[node.name.value] if isinstance(node, FragmentSpreadNode) else node
            assert isinstance(inner, InlineFragmentNode | FragmentDefinitionNode)
            wanted: Any = schema.get_type(inner.type_condition.name.value) if inner.type_condition else kind
            if wanted is kind or (is_abstract_type(wanted) and schema.is_sub_type(wanted, kind)):
                walk(kind, inner.selection_set)

    walk(schema.get_root_type(operation.operation), operation.selection_set)
    return found


def rows_asked(info: GraphQLResolveInfo[Any], denied: Collection[str]) -> bool:
    """Whether more is asked of a connection than how many rows there are."""
    connection = get_named_type(info.return_type).name

    def walk(selections: Iterable[SelectionNode]) -> bool:
        for node in selections:
            if (get_directive_values(GraphQLSkipDirective, node, info.variable_values) or {}).get("if") is True:
                continue
            if (get_directive_values(GraphQLIncludeDirective, node, info.variable_values) or {}).get("if") is False:
                continue
            if isinstance(node, FieldNode):
                if node.name.value in ("edges", "nodes", "pageInfo") and f"{connection}.{node.name.value}" not in denied:
                    return True
                continue
            inner: Any = info.fragments[node.name.value] if isinstance(node, FragmentSpreadNode) else node
            if walk(inner.selection_set.selections):
                return True
        return False

    return any(walk(node.selection_set.selections) for node in info.field_nodes if node.selection_set is not None)


def asked_anyway(registry: Registry, asked_for: set[str]) -> set[str]:
    """S18: the lookups, by id, that an operation has to ask whichever way equals are chosen, and those then chosen, field by field."""
    asked = set()
    for name in asked_for:
        if name in registry.roots and (anchor := registry.anchor(registry.roots[name].type)):
            asked.add(anchor.id)
    undecided = {}
    for name in asked_for:
        providers = registry.providers(*name.split("."))
        if not providers or registry.links.get(name):
            continue
        best = providers[0]
        equal = [each.id for each in providers if (each.authority, each.priority) == (best.authority, best.priority)]
        if len(equal) == 1 or registry.policy(name) is not Resolve.FIRST:
            asked.add(best.id)
        else:
            undecided[name] = equal
    for name in sorted(undecided):
        if not asked.intersection(undecided[name]):
            asked.add(undecided[name][0])
    return asked


def riding(lookups: Sequence[Binding], asked: Collection[str], policy: Resolve) -> list[Binding]:
    """S18: ranked lookups with those that are asked anyway before others that are worth the same."""
    found: list[Binding] = []
    for worth in dict.fromkeys(b.worth for b in lookups):
        equal = [b for b in lookups if b.worth == worth]
        first = [b for b in equal if b.id in asked] if policy is Resolve.FIRST else []
        found += [*first, *(b for b in equal if b not in first)]
    return found
