"""The demo's questions and their expected answers: valid against the public schema, complete, and true of the world alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    OperationDefinitionNode,
    SelectionSetNode,
    TypeInfo,
    TypeInfoVisitor,
    VariableNode,
    Visitor,
    parse,
    validate,
    visit,
)
from hypothesis import given, settings
from hypothesis import strategies as st

import demo
from connectors.kinds import KINDS
from demo.department import SYSTEMS
from demo.facts import World
from demo.question import CHECKS_SHOWN, COUNTS, QUESTIONS, WHOLE, Question
from demo.seed import FIXTURES, OUTSIDE, world
from schema.canonical import canonical
from schema.compose import Composition, compose, load_systems
from schema.coordinates import Grade

each_question = pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.name)


@cache
def composed() -> Composition:
    made = compose(canonical(), load_systems(Path(demo.__file__).parent.parent / "systems"), kinds=set(KINDS))
    assert made.ok, made.faults
    return made


def coordinates(question: Question) -> set[str]:
    """Every ``Type.field`` that the question asks for."""
    info = TypeInfo(composed().schema)
    found: set[str] = set()

    class Collect(Visitor):
        def enter_field(self, node: FieldNode, *_: Any) -> None:
            parent = info.get_parent_type()
            assert parent is not None
            found.add(f"{parent.name}.{node.name.value}")

    visit(parse(question.query), TypeInfoVisitor(info, Collect()))
    return found


@each_question
def test_a_question_is_valid(question: Question) -> None:
    document = parse(question.query)

    assert validate(composed().schema, document) == []
    operation = next(node for node in document.definitions if isinstance(node, OperationDefinitionNode))
    assert {variable.variable.name.value for variable in operation.variable_definitions or ()} == set(question.variables)


@each_question
def test_an_app_may_see_all_that_is_asked(question: Question) -> None:
    table = composed().registry.coordinates
    grades = {name: table[name].grade for name in coordinates(question) if name in table}

    assert grades
    assert all(grade <= Grade.L2 for grade in grades.values())


def test_the_whole_question_reaches_all_eleven_systems_of_seven_kinds() -> None:
    registry = composed().registry
    asked = coordinates(WHOLE)
    links = {binding.system for coordinate in asked for binding in registry.links.get(coordinate, ())}
    fields = {name.split(".")[0]: set[str]() for name in asked}
    for name in asked:
        fields[name.split(".")[0]].add(name.split(".")[1])
    lookups = {
        binding.system for name, wanted in fields.items() for binding in registry.lookups.get(name, ()) if wanted & set(binding.fields)
    }

    assert links | lookups == set(SYSTEMS) - {"registrationGazette"}  # it answers no queries
    kinds = {"rest", "sql", "graphql", "soap", "grpc", "files", "stream"}
    assert {registry.systems[system].kind for system in links | lookups} == kinds
    assert Grade.L2 in {registry.coordinates[name].grade for name in asked if name in registry.coordinates}


def test_the_whole_question_asks_for_one_enterprise_twice() -> None:
    operation = next(node for node in parse(WHOLE.query).definitions if isinstance(node, OperationDefinitionNode))
    enterprises = [node for node in operation.selection_set.selections if isinstance(node, FieldNode) and node.name.value == "enterprise"]
    arguments = [argument.value for node in enterprises for argument in node.arguments or ()]
    used = [value.name.value for value in arguments if isinstance(value, VariableNode)]

    assert len(used) == 4
    assert len(set(used)) == 3
    assert len({WHOLE.variables[name] for name in used}) == 3


@settings(max_examples=10)
@given(st.builds(world, seed=st.integers(0, 10**9), enterprises=st.integers(5, 12)))
def test_an_answer_has_exactly_what_its_question_selects_in_any_world(made: World) -> None:
    for question in QUESTIONS:
        document = parse(question.query)
        fragments = {node.name.value: node.selection_set for node in document.definitions if isinstance(node, FragmentDefinitionNode)}
        operation = next(node for node in document.definitions if isinstance(node, OperationDefinitionNode))
        conforms(question.answer(made), operation.selection_set, fragments)


def conforms(value: Any, selection: SelectionSetNode | None, fragments: Mapping[str, SelectionSetNode]) -> None:
    if isinstance(value, list):
        for item in value:
            conforms(item, selection, fragments)
    elif selection is None:
        assert value is None or isinstance(value, str | int | bool)
    elif value is not None:
        fields = {(node.alias or node.name).value: node for node in flat(selection, fragments)}
        assert list(value) == list(fields), "the same fields in the order they were asked for"
        for name, node in fields.items():
            conforms(value[name], node.selection_set, fragments)


def flat(selection: SelectionSetNode, fragments: Mapping[str, SelectionSetNode]) -> Iterator[FieldNode]:
    for node in selection.selections:
        if isinstance(node, FragmentSpreadNode):
            yield from flat(fragments[node.name.value], fragments)
        else:
            assert isinstance(node, FieldNode)
            yield node


def test_the_answer_shows_gaps_absence_pages_and_duplicates() -> None:
    made = world()
    answer = WHOLE.answer(made)

    first, second, third = answer["first"], answer["second"], answer["third"]
    assert [enterprise["uscc"] for enterprise in (first, second, third)] == [fixture[0] for fixture in FIXTURES[:3]]
    assert [enterprise["licences"]["totalCount"] for enterprise in (first, second, third)] == [4, 0, 10]
    assert [enterprise["checkResults"]["totalCount"] for enterprise in (first, second, third)] == [7, 3, 9]
    assert [enterprise["checkResults"]["pageInfo"]["hasNextPage"] for enterprise in (first, second, third)] == [True, False, True]
    assert len(third["checkResults"]["nodes"]) == CHECKS_SHOWN
    assert [len(enterprise["onlineOperators"]) for enterprise in (first, second, third)] == [2, 0, 3]
    assert (second["creditScore"], second["creditRepairUrl"]) == (None, None)
    assert first["onlineOperators"][0]["findings"]
    assert any(licence["item"] is None for licence in third["licences"]["nodes"])
    assert any(licence["item"] is not None for licence in third["licences"]["nodes"])
    assert any(case["penaltyAmount"] is None for case in third["enforcementCases"]["nodes"])
    assert answer["again"] == {
        "__typename": "Enterprise",
        "name": first["name"],
        "creditScore": {"grade": first["creditScore"]["grade"]},
        "licences": {"totalCount": 4},
    }
    assert answer["local"]["operator"] == {"uscc": first["uscc"], "name": first["name"], "status": "ACTIVE"}
    assert answer["outside"]["operator"] == {"uscc": OUTSIDE, "name": None, "status": None}
    assert answer["orphan"]["operator"] is None


def test_connections_are_in_the_order_of_their_keys() -> None:
    answer = WHOLE.answer(world())

    for name in ("first", "second", "third"):
        for connection, key in (("licences", "licenceId"), ("enforcementCases", "caseNo"), ("checkResults", "checkNo")):
            keys = [node[key] for node in answer[name][connection]["nodes"]]
            assert keys == sorted(keys)
    newest_first = [r.check_no for r in world().check_results if r.uscc == FIXTURES[2][0]]
    assert newest_first != sorted(newest_first), "the department's own order differs, or the engine's sorting is not seen"


def test_values_are_in_their_canonical_form() -> None:
    first = WHOLE.answer(world())["first"]

    assert first["registeredCapital"].count(".") == 1
    assert first["establishedOn"][4] == "-"
    assert first["creditScore"]["evaluatedAt"].endswith("+08:00")
    assert first["checkResults"]["nodes"][0]["checkedAt"].endswith("+08:00")


def test_the_counts_are_the_published_figures() -> None:
    assert COUNTS.answer(world()) == {"all": {"totalCount": 433}, "local": {"totalCount": 36}, "delegated": {"totalCount": 198}}
