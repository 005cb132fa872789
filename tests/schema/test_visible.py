"""The schema without what somebody may not see: valid, nothing dangling, nothing lost that was kept."""

from __future__ import annotations

import pytest
from graphql import GraphQLSchema, build_schema, is_interface_type, is_introspection_type, is_object_type, print_schema, validate_schema
from hypothesis import given
from hypothesis import strategies as st

from schema.canonical import canonical, core
from schema.visible import visible

TOWN = build_schema(
    """
    directive @tagged(by: Tag) on FIELD_DEFINITION
    enum Tag { A B }
    interface Named { name: String nick: String }
    "A shop"
    type Shop implements Named { name: String nick: String owner: Person goods(filter: Filter): [Goods!]! secret: Vault }
    type Person implements Named { name: String nick: String mood: Mood }
    type Goods { code: ID! price: Price }
    type Vault { sum: Int }
    type Price { cents: Int! }
    enum Mood { GOOD BAD }
    input Filter { colour: Colour  nested: Filter }
    enum Colour { RED BLUE }
    union Anything = Shop | Vault
    type Query { shop: Shop  thing: Anything  named: Named }
    type Mutation { close: Boolean }
    """
)


def coordinates(schema: GraphQLSchema) -> set[str]:
    return {
        f"{type_.name}.{name}"
        for type_ in schema.type_map.values()
        if (is_object_type(type_) or is_interface_type(type_)) and not is_introspection_type(type_)
        for name in type_.fields
    }


def without(*names: str) -> GraphQLSchema:
    return visible(TOWN, lambda name: name not in names)


def test_keeping_all_keeps_the_schema() -> None:
    assert print_schema(visible(TOWN, lambda _: True)) == print_schema(TOWN)


def test_a_field_goes_and_with_it_what_only_it_reached() -> None:
    seen = without("Person.mood", "Goods.price")

    assert "Person.mood" not in coordinates(seen)
    assert "Person.name" in coordinates(seen)
    assert seen.get_type("Mood") is None
    assert seen.get_type("Price") is None
    assert seen.get_type("Goods") is not None


def test_a_type_without_fields_goes_and_with_it_the_fields_of_that_type() -> None:
    seen = without("Vault.sum")

    assert "Shop.secret" not in coordinates(seen)
    assert seen.get_type("Vault") is None
    union = seen.get_type("Anything")
    assert union is not None
    assert [member.name for member in seen.get_possible_types(union)] == ["Shop"]  # type: ignore[arg-type]


def test_arguments_keep_their_types_as_long_as_their_field_is_there() -> None:
    assert without().get_type("Colour") is not None
    seen = without("Shop.goods")
    assert seen.get_type("Filter") is None
    assert seen.get_type("Colour") is None


def test_a_field_of_an_interface_goes_when_one_of_its_types_loses_it() -> None:
    seen = without("Person.nick")

    assert "Named.nick" not in coordinates(seen)
    assert {"Shop.nick", "Named.name", "Person.name"} <= coordinates(seen)
    assert validate_schema(seen) == []


def test_a_root_type_without_fields_goes() -> None:
    assert without("Mutation.close").mutation_type is None
    assert without().mutation_type is not None


def test_nothing_left_is_refused() -> None:
    with pytest.raises(ValueError, match="nothing of the schema is visible"):
        visible(TOWN, lambda _: False)


def test_the_given_schema_is_not_touched() -> None:
    before = print_schema(TOWN)
    without("Shop.owner", "Vault.sum")
    assert print_schema(TOWN) == before


def test_what_strawberry_put_on_a_field_is_kept() -> None:
    base = core(canonical())
    seen = visible(base, lambda name: name != "Enterprise.address")

    assert seen.query_type is not None
    assert base.query_type is not None
    assert seen.query_type.fields["enterprise"].extensions == base.query_type.fields["enterprise"].extensions
    assert "Enterprise.address" not in coordinates(seen)
    assert coordinates(seen) == coordinates(base) - {"Enterprise.address"}


@given(st.sets(st.sampled_from(sorted(coordinates(TOWN) - {"Query.shop", "Shop.name"}))))
def test_any_choice_gives_a_valid_schema_of_kept_fields(hidden: set[str]) -> None:
    seen = visible(TOWN, lambda name: name not in hidden)

    assert validate_schema(seen) == []
    assert not coordinates(seen) & hidden
    assert {"Query.shop", "Shop.name"} <= coordinates(seen)
    assert print_schema(visible(seen, lambda _: True)) == print_schema(seen)
