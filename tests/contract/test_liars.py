"""The suite is worth something: connectors that lie in one respect each are caught by the test that is about it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from connectors.contract import Contract, World
from connectors.contract_world import OPERATORS, computed, finish, project
from connectors.paths import ABSENT
from connectors.spi import Ask, Call, Catalog, Options, Page, Plan, Relation, SourceError, split
from tests.contract.test_memory import BY_HOLDER, BY_ID, EVERYTHING, STUCK, Memory
from tests.contract.test_memory import TestMemory as Small

NAMES = ("id", "holder", "name", "level", "issuedOn")
ABLE = replace(
    EVERYTHING, name="able", order=NAMES, limit=True, total=True,
    seek=True, aggregates=("COUNT", "SUM", "MIN", "MAX"),
    where=Options({name: OPERATORS if name != "level" else OPERATORS[:-1] for name in NAMES}),
)  # fmt: skip


ABLE_BY_HOLDER = replace(ABLE, name="ableByHolder", keys=("holder",), max_keys=7, each=True)


class Able(Memory):
    """Does itself whatever can be pushed."""

    async def fetch(self, plan: Plan, call: Call) -> AsyncIterator[Page]:
        async for page in super().fetch(replace(plan, fields=plan.relation.fields), call):
            rows = [{name: column[i] for name, column in page.columns.items()} for i in range(page.size)]
            yield self.page(plan, call, rows)

    def page(self, plan: Plan, call: Call, rows: list[Any]) -> Page:
        if plan.ask.aggregates:
            return self.columns(plan, computed(rows, plan.ask))
        if plan.ask.by and plan.ask.limit:
            keys = dict.fromkeys(tuple(row[name] for name in plan.ask.by) for row in rows)
            own = [[row for row in rows if tuple(row[name] for name in plan.ask.by) == key] for key in keys]
            rows = [row for some in own for row in finish(some, plan.ask, call.params)]
            plan = replace(plan, ask=replace(plan.ask, limit=None))
        total = len(finish(rows, replace(plan.ask, limit=None, after=()), call.params)) if plan.ask.total else None
        return self.columns(plan, project(finish(rows, plan.ask, call.params), [one.name for one in plan.fields]), total)

    def columns(self, plan: Plan, rows: list[Any], total: int | None = None) -> Page:
        return Page({one.name: [row[one.name] for row in rows] for one in plan.fields}, len(rows), total)


class TestAble(Small):
    made = Able

    @asynccontextmanager
    async def world(self) -> AsyncIterator[World]:
        async with super().world() as world:
            yield replace(world, relations=(ABLE, EVERYTHING, BY_ID, BY_HOLDER, ABLE_BY_HOLDER))


class ForgetsTheFilter(Able):
    def page(self, plan: Plan, call: Call, rows: list[Any]) -> Page:
        return super().page(replace(plan, ask=replace(plan.ask, where=plan.ask.where[1:])), call, rows)


class KnowsOnlyTheFirstFilter(Able):
    def page(self, plan: Plan, call: Call, rows: list[Any]) -> Page:
        return super().page(replace(plan, ask=replace(plan.ask, where=plan.ask.where[:1])), call, rows)


class LosesWhatItIsNotAbleTo(Able):
    def plan(self, ask: Ask, relation: Relation) -> Plan:
        return replace(split(ask, relation), rest=Ask(relation.name))


class LosesTheOrder(Able):
    def plan(self, ask: Ask, relation: Relation) -> Plan:
        made = split(ask, relation)
        return replace(made, rest=replace(made.rest, order=()))


class SendsAllItHas(Able):
    def plan(self, ask: Ask, relation: Relation) -> Plan:
        return replace(split(ask, relation), fields=relation.fields)


class SortsUpwardsAlways(Able):
    def page(self, plan: Plan, call: Call, rows: list[Any]) -> Page:
        order = tuple(replace(one, descending=False) for one in plan.ask.order)
        return super().page(replace(plan, ask=replace(plan.ask, order=order)), call, rows)


class CountsWhatItCut(Able):
    def page(self, plan: Plan, call: Call, rows: list[Any]) -> Page:
        page = super().page(plan, call, rows)
        return replace(page, total=page.size if page.total is not None else None)


class BeginsWithThePlaceItself(Able):
    """Goes on from a place by the first step of the order alone, so that equal values come again."""

    def page(self, plan: Plan, call: Call, rows: list[Any]) -> Page:
        first = replace(plan.ask, order=plan.ask.order[:1], after=plan.ask.after[:1])
        return super().page(replace(plan, ask=first), call, rows)


class CutsAllKeysTogether(Able):
    def page(self, plan: Plan, call: Call, rows: list[Any]) -> Page:
        most = call.params[plan.ask.limit] if plan.ask.by and plan.ask.limit else len(rows)
        return super().page(plan, call, finish(rows, replace(plan.ask, limit=None), call.params)[:most])


class AddsNulls(Able):
    def page(self, plan: Plan, call: Call, rows: list[Any]) -> Page:
        return super().page(plan, call, [{**row, "level": row["level"] or 0} for row in rows] if plan.ask.aggregates else rows)


class AnswersTheFirstRowOfEachKey(Able):
    def page(self, plan: Plan, call: Call, rows: list[Any]) -> Page:
        if plan.ask.by:
            rows = list({tuple(row[name] for name in plan.ask.by): row for row in rows}.values())
        return super().page(plan, call, rows)


class TakesPercentForAnything(Able):
    async def fetch(self, plan: Plan, call: Call) -> AsyncIterator[Page]:
        if ("%",) in call.keys:
            call = replace(call, keys=[*call.keys, ("L-2",)])
        async for page in super().fetch(plan, call):
            yield page


class BreaksOnOneKey(Able):
    async def fetch(self, plan: Plan, call: Call) -> AsyncIterator[Page]:
        if any("\0" in str(part) for key in call.keys for part in key):
            raise ValueError("embedded null byte")
        async for page in super().fetch(plan, call):
            yield page


class ForgetsAColumn(Able):
    def columns(self, plan: Plan, rows: list[Any], total: int | None = None) -> Page:
        return super().columns(replace(plan, fields=plan.fields[:1]), rows, total)


class TakesWhatIsGoneForEmpty(Able):
    def columns(self, plan: Plan, rows: list[Any], total: int | None = None) -> Page:
        return super().columns(plan, [{name: None if value is ABSENT else value for name, value in row.items()} for row in rows], total)


class PutsValuesIntoThePlan(Able):
    def plan(self, ask: Ask, relation: Relation) -> Plan:
        return replace(super().plan(ask, relation), native=[])

    async def fetch(self, plan: Plan, call: Call) -> AsyncIterator[Page]:
        plan.native.extend([*call.params.values(), *call.keys])
        async for page in super().fetch(plan, call):
            yield page


class CutsInSilence(Able):
    async def fetch(self, plan: Plan, call: Call) -> AsyncIterator[Page]:
        async for page in super().fetch(plan, replace(call, max_rows=1000)):
            yield Page({name: column[: call.max_rows] for name, column in page.columns.items()}, min(page.size, call.max_rows), page.total)


class SharesOnePlace(Able):
    """Keeps the keys of a call where the next call overwrites them."""

    keys: Any = ()

    async def fetch(self, plan: Plan, call: Call) -> AsyncIterator[Page]:
        self.keys = call.keys
        await asyncio.wait([asyncio.ensure_future(asyncio.Event().wait())], timeout=0)
        async for page in super().fetch(plan, replace(call, keys=self.keys)):
            yield page


class BlamesSomethingElse(Able):
    async def fetch(self, plan: Plan, call: Call) -> AsyncIterator[Page]:
        try:
            async for page in super().fetch(plan, call):
                yield page
        except SourceError as error:
            raise SourceError("broken" if error.kind in ("slow", "down") else "down", error.message) from None


class TellsTheSecret(Able):
    async def describe(self) -> Catalog:
        if self.settings.state == "gone":
            raise SourceError("down", "nobody is there", detail=f"password {self.settings.password.reveal()}")
        return await super().describe()


class NeverGivesBack(Able):
    """Holds its one place until it is answered, cancelled or not."""

    taken: bool = False

    async def fetch(self, plan: Plan, call: Call) -> AsyncIterator[Page]:
        if self.taken:
            raise SourceError("busy", "all places are taken")
        self.taken = plan.relation is STUCK
        async for page in super().fetch(plan, call):
            yield page


class DescribesItselfAnew(Able):
    times: int = 0

    async def describe(self) -> Catalog:
        self.times += 1
        return Catalog((replace(ABLE, name=f"able{self.times}"),))


class Careless:
    """Settings that take anything."""

    def __init__(self, **words: Any) -> None:
        vars(self).update(words)


class TakesAnySetting(Able):
    Settings = Careless  # type: ignore[assignment]  # of another shape, that is the point


class ClosesOnce(Able):
    closed: bool = False

    async def close(self) -> None:
        if self.closed:
            raise RuntimeError("closed already")
        self.closed = True


LIARS: Mapping[type[Memory], str] = {
    ForgetsTheFilter: "test_pushed_filters_are_the_engines_filters",
    KnowsOnlyTheFirstFilter: "test_two_filters_both_hold",
    LosesWhatItIsNotAbleTo: "test_undeclared_filters_are_left_to_the_engine",
    LosesTheOrder: "test_undeclared_order_is_left_to_the_engine",
    SendsAllItHas: "test_only_what_was_asked_for_arrives",
    SortsUpwardsAlways: "test_pushed_order_is_the_engines_order",
    CountsWhatItCut: "test_a_limit_cuts_and_a_total_counts_regardless",
    BeginsWithThePlaceItself: "test_after_a_place_comes_what_follows_it",
    CutsAllKeysTogether: "test_a_limit_cuts_for_each_key",
    AddsNulls: "test_aggregates_are_those_of_the_rows",
    AnswersTheFirstRowOfEachKey: "test_keys_together_are_keys_singly",
    TakesPercentForAnything: "test_strangers_are_absent_without_error",
    BreaksOnOneKey: "test_a_bad_key_is_a_fault_of_its_own",
    ForgetsAColumn: "test_every_declared_field_arrives",
    TakesWhatIsGoneForEmpty: "test_a_column_that_is_gone_is_no_null",
    PutsValuesIntoThePlan: "test_values_never_enter_a_plan",
    CutsInSilence: "test_more_rows_than_allowed_are_an_error_and_not_a_cut",
    SharesOnePlace: "test_one_plan_serves_many_calls_at_once",
    BlamesSomethingElse: "test_a_deadline_makes_it_slow",
    TellsTheSecret: "test_a_secret_is_seen_nowhere",
    NeverGivesBack: "test_cancelling_gives_back_what_was_held",
    DescribesItselfAnew: "test_it_describes_itself_the_same_twice",
    TakesAnySetting: "test_an_unknown_setting_is_named",
    ClosesOnce: "test_it_closes_twice",
}


@pytest.mark.parametrize("liar", LIARS, ids=lambda liar: liar.__name__)
async def test_a_liar_is_caught(liar: type[Memory]) -> None:
    suite = TestAble()
    suite.made = liar  # type: ignore[assignment]  # a liar is no Able, that is the point
    with pytest.raises((AssertionError, KeyError, ValueError, RuntimeError, SourceError)):
        await getattr(suite, LIARS[liar])()


@pytest.mark.parametrize("rule", ["test_an_unreachable_source_is_down", "test_garbage_is_broken"])
async def test_a_wrong_kind_of_error_is_caught(rule: str) -> None:
    suite = TestAble()
    suite.made = BlamesSomethingElse
    with pytest.raises(AssertionError):
        await getattr(suite, rule)()


def test_every_rule_has_its_liar() -> None:
    rules = {name for name in vars(Contract) if name.startswith("test_")}
    assert rules == {*LIARS.values(), "test_an_unreachable_source_is_down", "test_garbage_is_broken"}
