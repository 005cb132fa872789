"""Make a failing case small: leave out selections, directives and faults as long as it still fails. For people who have to read it."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from typing import Any

from graphql import (
    DocumentNode,
    Visitor,
    parse,
    print_ast,
    validate,
)
from graphql.language import visit

from tests.memory import Faults
from tests.properties.generator import Case
from tests.properties.operations import Operation
from tests.properties.rewrite import tidied


async def reduced(case: Case, fails: Callable[[Case], Awaitable[bool]]) -> Case:
    """The smallest case that can be reached from ``case`` by single steps that keep ``fails`` true."""
    smaller = True
    while smaller:
        smaller = False
        for candidate in _candidates(case):
            if await fails(candidate):
                case, smaller = candidate, True
                break
    return case


def _candidates(case: Case) -> Iterator[Case]:
    if any(faults != Faults() for faults in case.faults.values()):
        yield replace(case, faults={})
        for name in case.faults:
            yield replace(case, faults={other: faults for other, faults in case.faults.items() if other != name})
    for name in sorted(case.rules):
        yield replace(case, rules={other: rules for other, rules in case.rules.items() if other != name})
    for coordinate in sorted(case.denied):
        yield replace(case, denied=case.denied - {coordinate})
    tree = parse(case.operation.text)
    count = _Dropping.count(tree)
    for index in range(count):
        dropping = _Dropping(index)
        text = print_ast(tidied(visit(tree, dropping)))
        if _valid(case, text):
            yield replace(case, operation=Operation(text, case.operation.variables))


def _valid(case: Case, text: str) -> bool:
    return not re.search(r"\{\s*\}", text) and not validate(case.schema, parse(text))


class _Dropping(Visitor):
    """Drops the ``index``-th selection, directive or argument."""

    def __init__(self, index: int) -> None:
        super().__init__()
        self.index = index
        self.seen = 0

    @classmethod
    def count(cls, tree: DocumentNode) -> int:
        counting = cls(-1)
        visit(tree, counting)
        return counting.seen

    def _one(self) -> Any:
        self.seen += 1
        return Visitor.REMOVE if self.seen == self.index + 1 else None

    def enter_field(self, *_: Any) -> Any:
        return self._one()

    def enter_inline_fragment(self, *_: Any) -> Any:
        return self._one()

    def enter_fragment_spread(self, *_: Any) -> Any:
        return self._one()

    def enter_directive(self, *_: Any) -> Any:
        return self._one()

    def enter_argument(self, *_: Any) -> Any:
        return self._one()
