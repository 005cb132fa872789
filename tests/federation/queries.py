"""Random queries over a schema: fields, aliases, fragments, conditions, arguments that fit. Knows the schema alone."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Any

from graphql import (
    GraphQLSchema,
    get_named_type,
    is_abstract_type,
    is_composite_type,
    is_enum_type,
    is_input_object_type,
    is_list_type,
    is_non_null_type,
    is_required_argument,
    is_required_input_field,
    parse,
    validate,
)

DEEPEST = 4


class Queries:
    """Makes queries out of ``schema``; texts and identifiers in arguments are some of ``words``."""

    def __init__(self, schema: GraphQLSchema, words: Sequence[str], seed: str) -> None:
        self.schema = schema
        self.words = words
        self.random = Random(seed)
        self.aliases = 0

    def valid(self) -> str:
        """A query that fits the schema."""
        while True:
            text = self._query()
            if not validate(self.schema, parse(text)):
                return text

    def _query(self) -> str:
        self.aliases = 0
        selections = self._selections(self.schema.query_type, 0)
        used = [f"${name}: Boolean = {value}" for name, value in (("yes", "true"), ("no", "false")) if f"${name})" in selections]
        return f"query{'(' + ', '.join(used) + ')' if used else ''}{selections}"

    def _selections(self, kind: Any, depth: int) -> str:
        parts = []
        fields = list(getattr(kind, "fields", {}).items())
        leaves = [name for name, field in fields if not is_composite_type(get_named_type(field.type))]
        for name, field in self.random.sample(fields, min(len(fields), self.random.randint(1, 4))):
            named = get_named_type(field.type)
            if is_composite_type(named) and depth >= DEEPEST:
                continue
            below = self._selections(named, depth + 1) if is_composite_type(named) else ""
            parts.append(f"{self._alias(name, bool(field.args))}{self._arguments(field)}{self._condition()}{below}")
        if is_abstract_type(kind):
            members = [member.name for member in self.schema.get_possible_types(kind)]
            for name in self.random.sample(members, self.random.randint(0, len(members))):
                parts.append(f"... on {name}{self._condition()} {self._selections(self.schema.type_map[name], depth + 1)}")
        elif fields and depth < DEEPEST and self.random.random() < 0.2:
            parts.append(f"...{self._condition()} {self._selections(kind, depth + 1)}")
        if not parts or self.random.random() < 0.15:
            parts.append(self.random.choice(["__typename", *leaves[:1]]) if not leaves or kind.name == "Query" else "__typename")
        return " { " + " ".join(parts) + " }"

    def _alias(self, name: str, always: bool) -> str:
        if not always and self.random.random() > 0.15:
            return name
        self.aliases += 1
        return f"a{self.aliases}: {name}"

    def _condition(self) -> str:
        if self.random.random() > 0.15:
            return ""
        return self.random.choice(("@include(if: $yes)", "@include(if: $no)", "@skip(if: $no)", "@skip(if: $yes)")).join((" ", " "))

    def _arguments(self, field: Any) -> str:
        given = {
            name: self._value(argument.type)
            for name, argument in field.args.items()
            if is_required_argument(argument) or self.random.random() < 0.5
        }
        return "(" + ", ".join(f"{name}: {value}" for name, value in given.items()) + ")" if given else ""

    def _value(self, kind: Any) -> str:
        if is_non_null_type(kind):
            return self._value(kind.of_type)
        if is_list_type(kind):
            return "[" + ", ".join(self._value(kind.of_type) for _ in range(self.random.randint(0, 2))) + "]"
        if is_enum_type(kind):
            return str(self.random.choice(list(kind.values)))
        if is_input_object_type(kind):
            given = {
                name: self._value(field.type)
                for name, field in kind.fields.items()
                if is_required_input_field(field) or self.random.random() < 0.5
            }
            return "{" + ", ".join(f"{name}: {value}" for name, value in given.items()) + "}"
        if kind.name in ("ID", "String"):
            return f'"{self.random.choice(self.words)}"'
        plain: dict[str, str] = {"Int": str(self.random.randint(0, 9)), "Float": "1.5", "Boolean": "true"}
        return plain[kind.name]
