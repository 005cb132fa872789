"""Which kinds the contract runs over and what each declares: the columns of docs/contract.md.

A rule that none of a kind's relations exercises passes without having been tried; the table says so, and a test proves that it says it
of no other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from connectors.contract import Contract
from connectors.spi import Relation
from connectors.template import test_gateway
from tests.contract import test_files, test_graphql, test_grpc, test_memory, test_rest, test_soap, test_sql, test_streams

RULES = tuple(name for name in vars(Contract) if name.startswith("test_"))
"""The rules of the contract, in its order."""


@dataclass(frozen=True, slots=True)
class Column:
    """``relations`` of the kind's world. ``never`` says why a rule cannot be tried here, ``partly`` where it can and where not."""

    name: str
    suite: type[Contract]
    relations: Sequence[Relation]
    partly: Mapping[str, str] = field(default_factory=dict)
    never: Mapping[str, str] = field(default_factory=dict)

    def cell(self, rule: str) -> str:
        """``✓``, why not, or that the engine does what the kind does not declare."""
        if rule in self.never:
            return "n/a"
        if rule in self.partly:
            return "partly"
        return "✓" if TRIED.get(rule, _always)(self.relations) else "engine"


def _always(relations: Sequence[Relation]) -> bool:
    return True


def _whole(test: Callable[[Relation], object]) -> Callable[[Sequence[Relation]], bool]:
    return lambda relations: any(test(one) for one in relations if not one.max_keys)


TRIED: Mapping[str, Callable[[Sequence[Relation]], bool]] = {
    "test_pushed_filters_are_the_engines_filters": _whole(lambda one: one.where),
    "test_two_filters_both_hold": _whole(lambda one: sum(op in ("EQ", "GE") for ops in one.where.values() for op in ops) > 1),
    "test_pushed_order_is_the_engines_order": _whole(lambda one: one.order),
    "test_a_limit_cuts_and_a_total_counts_regardless": _whole(lambda one: one.limit or one.total),
    "test_after_a_place_comes_what_follows_it": _whole(lambda one: one.seek and "id" in one.order),
    "test_a_limit_cuts_for_each_key": lambda relations: any(one.each and one.max_keys for one in relations),
    "test_aggregates_are_those_of_the_rows": _whole(lambda one: one.aggregates),
}
"""What a rule needs to be declared by some relation; all others are tried on every kind."""

COLUMNS = (
    Column("REST", test_rest.TestRest, test_rest.RELATIONS),
    Column(
        "SQL: SQLite, PostgreSQL, MariaDB",
        test_sql.TestSql,
        test_sql.RELATIONS,
        partly={"test_garbage_is_broken": "the drivers of PostgreSQL and MariaDB own the framing; SQLite is given a file that is none"},
    ),
    Column("GraphQL", test_graphql.TestGraphql, test_graphql.RELATIONS),
    Column("SOAP", test_soap.TestSoap, test_soap.TestSoap.relations),
    Column("gRPC", test_grpc.TestGrpc, test_grpc.RELATIONS),
    Column("files", test_files.TestFiles, test_files.RELATIONS),
    Column("streams: NATS", test_streams.TestNats, test_streams.RELATIONS),
    Column("streams: MQTT", test_streams.TestMqtt, test_streams.RELATIONS),
    Column("streams: AMQP", test_streams.TestAmqp, test_streams.RELATIONS),
    Column("two methods", test_memory.TestMemory, test_memory.RELATIONS),
    Column("`hub new connector`", test_gateway.TestGateway, test_gateway.RELATIONS),
)

UNTRIED: Mapping[str, str] = {"streams: Kafka": "no Kafka server to be tried against; where reading goes on is tested without one"}
"""Kinds over which the contract does not run, and why."""
