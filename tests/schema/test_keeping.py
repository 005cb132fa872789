"""How long answers are kept and when a system is left alone: what a manifest says, and what holds where it says nothing."""

from __future__ import annotations

import pytest

from connectors.spi import Options
from schema.registry import Breaker, Limits
from tests.schema.small import clean, codes, composed, manifest

TABLES = """
type Shop @key(fields: "uscc") @table(name: "DP", key: ["DM"]%s) {
  uscc: USCC! @from(path: "DM")
  name: String @from(path: "MC")
  permits: [Permit!] @join(on: "CZR = uscc", many: true%s)
}
type Permit @key(fields: "permitNo") @table(name: "ZJ", key: ["BH"]) { permitNo: ID! @from(path: "BH") }
"""


def sql(more: str = "") -> str:
    return f'@sql(url: "${{URL}}"{more})'


def kept(source: str, table: str = "", join: str = "") -> dict[str, tuple[float, float]]:
    """For how long each binding's answers are kept, and while the system is down."""
    registry = clean(manifest("s", TABLES % (table, join), sql(source))).registry
    bindings = [one for table in (registry.lookups, registry.links, registry.scans) for some in table.values() for one in some]
    return {one.id: (one.cache, one.stale) for one in bindings}


def test_nothing_is_kept_unless_the_manifest_says_so() -> None:
    assert set(kept("").values()) == {(0.0, 0.0)}


def test_a_table_s_word_holds_for_its_lookup_and_its_list() -> None:
    found = kept("", ', cache: "60s", stale: "1h"', ', cache: "5s"')
    assert found == {
        "s.DP": (60.0, 3600.0),
        "s.DP.scan": (60.0, 3600.0),
        "s.Shop.permits": (5.0, 0.0),
        "s.ZJ": (0.0, 0.0),
        "s.ZJ.scan": (0.0, 0.0),
    }


def test_the_source_s_word_holds_wherever_a_place_says_nothing() -> None:
    found = kept(', cache: "10m", stale: "1d"', ', cache: "0s"', ', stale: "0s"')
    assert found["s.ZJ"] == (600.0, 86400.0)
    assert found["s.DP"] == found["s.DP.scan"] == (0.0, 0.0)
    assert found["s.Shop.permits"] == (600.0, 0.0)


def test_what_the_engine_keeps_to_is_no_business_of_connectors() -> None:
    made = clean(manifest("s", TABLES % (', cache: "60s"', ""), sql(', cache: "1m", limits: {breaker: {failures: 2}}')))
    assert made.registry.systems["s"].options == Options({"url": "${URL}"})
    assert made.registry.systems["s"].limits == Limits(breaker=Breaker(failures=2))
    assert {"cache", "stale"}.isdisjoint(made.registry.lookups["Shop"][0].relation.native)


@pytest.mark.parametrize("said", [', stale: "1h"', ', cache: "0s", stale: "1h"'])
def test_while_it_is_down_needs_a_time_to_come_after(said: str) -> None:
    assert codes(composed(manifest("s", TABLES % (said, ""), sql()))).count("BAD_CACHE") == 1
    assert codes(composed(manifest("s", TABLES % ("", ""), sql(said)))) == ["BAD_CACHE"]


DELIVERED = """
type Shop @key(fields: "uscc") @%s {
  uscc: USCC! @from(path: "DM")
}
"""


@pytest.mark.parametrize(
    ("source", "word"),
    [
        ('@stream(url: "${URL}", cache: "60s")', 'topic(path: "a")'),
        ('@stream(url: "${URL}")', 'topic(path: "a", stale: "1h")'),
        ('@files(base: "${URL}", stale: "1h")', 'file(name: "a.csv", key: ["DM"])'),
        ('@files(base: "${URL}")', 'file(name: "a.csv", key: ["DM"], cache: "60s")'),
    ],
)
def test_what_was_delivered_or_announced_is_kept_anyway(source: str, word: str) -> None:
    [fault] = [each for each in composed(manifest("s", DELIVERED % word, source)).faults if each.is_error]
    assert fault.code == "UNKNOWN_ARGUMENT"
    assert "no source is asked there: the hub answers from what was delivered or announced" in fault.message
    assert fault.fix in ("remove cache", "remove stale")


def test_a_join_of_files_is_kept_anyway_too() -> None:
    text = TABLES.replace("@table", "@file") % ("", ', cache: "5s", stale: "1h"')
    made = composed(manifest("s", text, '@files(base: "${URL}")'))
    assert [each.fix for each in made.faults if each.code == "WRONG_PLACE"] == ["remove cache", "remove stale"]


@pytest.mark.parametrize("said", ["failures: -1", 'within: "0s"', 'pause: "0s"', "probes: 0"])
def test_a_breaker_s_numbers_make_sense(said: str) -> None:
    assert codes(composed(manifest("s", "", sql(f", limits: {{breaker: {{{said}}}}}")))) == ["OUT_OF_RANGE"]
