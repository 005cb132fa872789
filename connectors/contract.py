"""The suite every connector passes, ours and others'. It ships, so that a connector of your own can run it::

    class TestMine(Contract):
        @asynccontextmanager
        async def world(self) -> AsyncIterator[World]:
            async with served(ROWS) as address:          # your source, holding ROWS in its own names
                yield World(connector=Mine(...), relations=(by_id, everything), ...)

Each test opens a world, asks, and compares with what the rows themselves say (``finish``). What a connector cannot do it declares in
its relations; the suite checks that what is declared holds and that what is not declared is left to the engine. Needs a test runner
that awaits ``test_*`` methods (pytest with pytest-asyncio) and knows no kind of system.
"""

from __future__ import annotations

import asyncio
import traceback
from abc import ABC, abstractmethod
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from itertools import pairwise

from connectors.contract_world import (
    OPERATORS,
    ROWS,
    STRANGERS,
    UNHOLDABLE,
    Row,
    World,
    answered,
    any_call,
    any_plan,
    bag,
    by_key,
    computed,
    everything,
    failing,
    finish,
    in_chunks,
    keys_of,
    plain,
    probes,
    project,
    rows_of,
    stuck,
    unsent,
)
from connectors.paths import ABSENT
from connectors.spi import Aggregate, Ask, Call, Condition, Field, Order, Relation, SourceError

__all__ = ["ROWS", "Contract", "World"]


class Contract(ABC):
    """One test for each rule of ``connectors.spi``."""

    @abstractmethod
    def world(self) -> AbstractAsyncContextManager[World]:
        """A new world; it is closed after each test."""

    async def test_it_describes_itself_the_same_twice(self) -> None:
        async with self.world() as world:
            first, second = await world.connector.describe(), await world.connector.describe()
            assert first == second
            assert [one.name for one in first.relations] == sorted(one.name for one in first.relations)

    async def test_every_declared_field_arrives(self) -> None:
        async with self.world() as world:
            for relation in world.relations:
                names = tuple(one.name for one in relation.fields)
                assert bag(await everything(world, relation, names)) == bag(project(ROWS, names)), relation.name

    async def test_a_column_that_is_gone_is_no_null(self) -> None:
        """Where rows cannot lack a column the source says itself that it has none: for all that was asked, or in the column's place."""
        async with self.world() as world:
            for relation in world.whole():
                wanted = replace(relation, fields=(*relation.fields, Field("gone", "gone_since", always=True)))
                rows, told = [], ""
                try:
                    rows = await everything(world, wanted, ("id", "gone"))
                except SourceError as error:
                    told = error.kind
                assert told in ("", "config"), relation.name
                gone = [row["gone"] for row in rows]
                lost = gone == [ABSENT] * len(ROWS) or (len(gone) == len(ROWS) and all(isinstance(one, SourceError) for one in gone))
                assert told or lost, f"{relation.name}: a column that is gone looks empty"

    async def test_only_what_was_asked_for_arrives(self) -> None:
        async with self.world() as world:
            for relation in world.relations:
                by = relation.keys if relation.max_keys else ()
                plan = world.connector.plan(Ask(relation.name, ("name",), by=by), relation)
                assert {one.name for one in plan.fields} == {"name", *by}, relation.name

    async def test_pushed_filters_are_the_engines_filters(self) -> None:
        async with self.world() as world:
            for relation in world.whole():
                names = tuple(one.name for one in relation.fields)
                for name, operators in relation.where.items():
                    for operator in operators:
                        for value in probes(name, operator):
                            ask = Ask(relation.name, names, where=(Condition(name, operator, "value"),))
                            await self._same_as_finished(world, relation, ask, {"value": value})

    async def test_two_filters_both_hold(self) -> None:
        async with self.world() as world:
            for relation in world.whole():
                both = tuple((name, op) for name, ops in relation.where.items() for op in ops if op in ("EQ", "GE"))
                for first, second in pairwise(both):
                    where = (Condition(*first, "one"), Condition(*second, "two"))
                    values = {"one": ROWS[0][first[0]], "two": ROWS[0][second[0]]}
                    await self._same_as_finished(world, relation, Ask(relation.name, ("id", "name"), where=where), values)

    async def test_undeclared_filters_are_left_to_the_engine(self) -> None:
        async with self.world() as world:
            for relation in world.relations:
                for name in ("id", "holder", "name", "level", "issuedOn"):
                    for operator in OPERATORS:
                        if operator not in relation.where.get(name, ()):
                            by = relation.keys if relation.max_keys else ()
                            ask = Ask(relation.name, ("id",), by=by, where=(Condition(name, operator, "x"),), limit="n", total=True)
                            plan = world.connector.plan(ask, relation)
                            assert plan.rest.where == ask.where, f"{relation.name}: {name} {operator} is not declared, yet pushed"
                            assert plan.rest.limit == "n", "a limit before a filter counts the wrong rows"
                            assert plan.rest.total
                            assert name in {one.name for one in plan.fields}, "the engine cannot filter by what does not arrive"

    async def test_pushed_order_is_the_engines_order(self) -> None:
        async with self.world() as world:
            for relation in world.whole():
                for name in relation.order:
                    for descending in (False, True):
                        order = (Order(name, descending), *((Order("id"),) if "id" in relation.order and name != "id" else ()))
                        ask = Ask(relation.name, ("id", name), order=order)
                        await self._same_as_finished(world, relation, ask, {}, ordered=order[-1].field == "id")

    async def test_undeclared_order_is_left_to_the_engine(self) -> None:
        async with self.world() as world:
            for relation in world.whole():
                for name in {"id", "holder", "name", "level", "issuedOn"} - {*relation.order}:
                    plan = world.connector.plan(Ask(relation.name, ("id",), order=(Order(name),), limit="n"), relation)
                    assert (plan.rest.order, plan.rest.limit) == ((Order(name),), "n"), relation.name

    async def test_a_limit_cuts_and_a_total_counts_regardless(self) -> None:
        async with self.world() as world:
            for relation in world.whole():
                for wanted in (0, 1, 7, len(ROWS), len(ROWS) + 5):
                    order = (Order("id"),) if "id" in relation.order else ()
                    ask = Ask(relation.name, ("id",), order=order, limit="n", total=True)
                    plan = world.connector.plan(ask, relation)
                    assert plan.rest.limit is None or not relation.limit or (order and plan.rest.order)
                    rows, total = await answered(world.connector, plan, Call({"n": wanted}))
                    found = finish(rows, plan.rest, {"n": wanted})
                    assert len(found) == min(wanted, len(ROWS)), relation.name
                    assert set(bag(found)) <= set(bag(project(ROWS, ("id",))))
                    assert (total == len(ROWS)) if plan.ask.total else plan.rest.total, relation.name
                    if order:
                        assert found == finish(project(ROWS, ("id",)), ask, {"n": wanted})

    async def test_after_a_place_comes_what_follows_it(self) -> None:
        async with self.world() as world:
            for relation in world.whole():
                for name in relation.order if relation.seek and "id" in relation.order else ():
                    for descending in (False, True):
                        order = (Order(name, descending), Order("id", not descending)) if name != "id" else (Order("id", descending),)
                        for row in ROWS[:: max(1, len(ROWS) // 12)]:
                            after = tuple(None if row[one.field] is None else f"a{at}" for at, one in enumerate(order))
                            params = {**{f"a{at}": row[one.field] for at, one in enumerate(order)}, "n": 5}
                            ask = Ask(relation.name, ("id", name), order=order, after=after, limit="n", total=relation.total)
                            plan = world.connector.plan(ask, relation)
                            rows, total = await answered(world.connector, plan, Call(params))
                            whole = Ask(relation.name, order=order, after=after, limit="n")
                            found = [one["id"] for one in finish(rows, plan.rest, params)]
                            assert found == [one["id"] for one in finish(ROWS, whole, params)], f"{relation.name}: {plan.text} {params}"
                            assert not plan.ask.total or total == len(ROWS), "a total does not depend on the page"

    async def test_a_limit_cuts_for_each_key(self) -> None:
        async with self.world() as world:
            for relation in world.keyed():
                ask = Ask(relation.name, ("id", "name"), by=relation.keys, order=(Order("id", True),), limit="n")
                plan = world.connector.plan(ask, relation)
                assert relation.each or plan.rest.limit == "n", "a limit per key is not declared, yet pushed"
                if plan.ask.limit is None:
                    continue
                keys = [key for key in keys_of(relation) if not unsent(world, relation, key)][: relation.max_keys]
                rows, _ = await answered(world.connector, plan, Call({"n": 2}, keys=keys))
                for key in keys:
                    own = [row for row in ROWS if tuple(row[name] for name in relation.keys) == key]
                    found = sorted((row["id"] for row in rows if tuple(row[name] for name in relation.keys) == key), reverse=True)
                    assert found == sorted((row["id"] for row in own), reverse=True)[:2], f"{relation.name} {key}"

    async def test_aggregates_are_those_of_the_rows(self) -> None:
        async with self.world() as world:
            for relation in world.whole():
                functions = (*(Aggregate(one, "level") for one in relation.aggregates or ("SUM",)), Aggregate("COUNT"))
                for group in ((), ("name",), ("holder", "level")):
                    ask = Ask(relation.name, aggregates=functions, group=group)
                    plan = world.connector.plan(ask, relation)
                    if plan.rest.aggregates:
                        assert not plan.ask.aggregates
                        assert {"level", *group} <= {one.name for one in plan.fields}, "the engine cannot compute of what does not arrive"
                        continue
                    rows, _ = await answered(world.connector, plan, Call())
                    assert bag(plain(rows)) == bag(computed(ROWS, ask)), f"{relation.name}: {plan.text}"

    async def test_keys_together_are_keys_singly(self) -> None:
        async with self.world() as world:
            for relation in world.keyed():
                keys = [key for key in keys_of(relation) if not unsent(world, relation, key)]
                plan = by_key(world, relation)
                together = await in_chunks(world.connector, plan, keys, relation.max_keys)
                singly = await in_chunks(world.connector, plan, keys, 1)
                expected = [row for row in ROWS if tuple(row[name] for name in relation.keys) in set(keys)]
                assert bag(together) == bag(singly) == bag(project(expected, tuple(one.name for one in plan.fields))), relation.name

    async def test_strangers_are_absent_without_error(self) -> None:
        async with self.world() as world:
            for relation in world.keyed():
                plan = by_key(world, relation)
                known = keys_of(relation)[0]
                if not isinstance(known[0], str):
                    continue
                for stranger in STRANGERS:
                    keys = [known, (stranger, *known[1:])][-relation.max_keys :]
                    rows, _ = await answered(world.connector, plan, Call(keys=keys))
                    assert {tuple(row[name] for name in relation.keys) for row in rows} == {*keys} - {keys[-1]}, (relation.name, stranger)

    async def test_a_bad_key_is_a_fault_of_its_own(self) -> None:
        async with self.world() as world:
            for relation in world.keyed():
                plan = by_key(world, relation)
                known = next(key for key in keys_of(relation) if not unsent(world, relation, key))
                unsendable = world.unsendable.get(relation.name, frozenset())
                for bad in (*UNHOLDABLE, *sorted(unsendable)):
                    if not isinstance(known[0], str):
                        continue
                    keys = [known, (bad, *known[1:])][-relation.max_keys :]
                    pages = [page async for page in world.connector.fetch(plan, Call(keys=keys))]
                    found = {tuple(row[name] for name in relation.keys) for row in rows_of(pages)}
                    assert found == {*keys} - {keys[-1]}, (relation.name, bad)
                    faults = {key: fault for page in pages for key, fault in page.faults.items()}
                    assert faults.keys() <= {keys[-1]}
                    assert bad not in unsendable or keys[-1] in faults

    async def test_one_plan_serves_many_calls_at_once(self) -> None:
        async with self.world() as world:
            for relation in world.keyed():
                plan = by_key(world, relation)
                keys = [key for key in keys_of(relation) if not unsent(world, relation, key)][:8]
                answers = await asyncio.gather(*(answered(world.connector, plan, Call(keys=[key])) for key in keys))
                for key, (rows, _) in zip(keys, answers, strict=True):
                    assert {tuple(row[name] for name in relation.keys) for row in rows} == {key}

    async def test_values_never_enter_a_plan(self) -> None:
        async with self.world() as world:
            planted = "Planted-4711"
            for relation in world.relations:
                where = tuple(Condition(name, "EQ", "p") for name, ops in relation.where.items() if "EQ" in ops and name != "level")
                by = relation.keys if relation.max_keys else ()
                plan = world.connector.plan(Ask(relation.name, ("id",), by=by, where=where), relation)
                keys = [(planted,)] if relation.max_keys and relation.keys in (("id",), ("holder",)) else []
                if keys or not relation.max_keys:
                    await answered(world.connector, plan, Call({"p": planted}, keys=keys))
                assert planted not in plan.text + repr(plan) + repr(plan.native), relation.name
                assert plan.text

    async def test_more_rows_than_allowed_are_an_error_and_not_a_cut(self) -> None:
        async with self.world() as world:
            for relation in world.whole():
                plan = world.connector.plan(Ask(relation.name, ("id",)), relation)
                with failing("broken"):
                    await answered(world.connector, plan, Call(max_rows=len(ROWS) - 1))
                assert len((await answered(world.connector, plan, Call(max_rows=len(ROWS))))[0]) == len(ROWS)

    async def test_a_deadline_makes_it_slow(self) -> None:
        async with self.world() as world:
            for ahead in (-1.0, 0.1):
                with failing("slow"):
                    call = answered(world.connector, *stuck(world, asyncio.get_running_loop().time() + ahead))
                    await asyncio.wait_for(call, timeout=20)

    async def test_an_unreachable_source_is_down(self) -> None:
        async with self.world() as world:
            connector, relation = world.gone
            with failing("down"):
                await connector.describe()
            with failing("down"):
                await answered(connector, any_plan(connector, relation), any_call(relation))

    async def test_garbage_is_broken(self) -> None:
        async with self.world() as world:
            if world.garbage is not None:
                connector, relation = world.garbage
                with failing("broken"):
                    await answered(connector, any_plan(connector, relation), any_call(relation))

    async def test_an_unknown_setting_is_named(self) -> None:
        async with self.world() as world:
            settings = world.connector.Settings
            said = ""
            try:
                getattr(settings, "of", lambda words: settings(**words))({**world.options, "colour": "red"})
            except (SourceError, TypeError) as error:
                said = str(error)
            assert "colour" in said, "the setting 'colour' was taken"

    async def test_a_secret_is_seen_nowhere(self) -> None:
        async with self.world() as world:
            said = [repr(world.connector), str(world.connector.settings), repr(vars(world.connector))]
            said += [repr(any_plan(world.connector, relation)) for relation in world.relations]
            said += [repr(stuck(world, None))]
            for connector, relation in (world.gone, *((world.garbage,) if world.garbage else ())):
                try:
                    await answered(connector, any_plan(connector, relation), any_call(relation))
                except SourceError as error:
                    said += [repr(error), str(error), error.message, error.detail, "".join(traceback.format_exception(error))]
            assert world.secret
            assert not [text for text in said if world.secret in text]

    async def test_cancelling_gives_back_what_was_held(self) -> None:
        async with self.world() as world:
            for _ in range(5):  # more often than a small pool has places
                task = asyncio.ensure_future(answered(world.connector, *stuck(world, None)))
                done, _ = await asyncio.wait({task}, timeout=0.05)
                assert not done
                task.cancel()
                await asyncio.wait({task})
                assert task.cancelled()
            relation = world.relations[0]
            await answered(world.connector, any_plan(world.connector, relation), any_call(relation))

    async def test_it_closes_twice(self) -> None:
        async with self.world() as world:
            await world.connector.close()
            await world.connector.close()

    async def _same_as_finished(self, world: World, relation: Relation, ask: Ask, params: Row, *, ordered: bool = False) -> None:
        plan = world.connector.plan(ask, relation)
        assert {*plan.ask.where, *plan.rest.where} == {*ask.where}, "a condition got lost"
        assert ask.order in (plan.ask.order, plan.rest.order), "an order got lost"
        rows, _ = await answered(world.connector, plan, Call(params))
        found = project(finish(rows, plan.rest, params), ask.fields)
        expected = project(finish(ROWS, ask, params), ask.fields)
        assert (found == expected) if ordered else (bag(found) == bag(expected)), f"{relation.name}: {plan.text} with {params!r}"
        if ask.order:
            assert [row[ask.order[0].field] for row in found] == [row[ask.order[0].field] for row in expected]
