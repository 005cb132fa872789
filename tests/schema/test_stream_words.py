"""Manifests of systems that announce: a topic is to its type what a table is, and brings the news of a subscription."""

from __future__ import annotations

import pytest

from connectors.spi import Options
from schema.registry import Role
from tests.schema.small import BY_USCC, SHOP, clean, codes, composed, manifest

STREAM = '@stream(url: "${URL}", keep: {count: 500, age: "30d"}, auth: {kind: BASIC, user: "s.user", secret: "s.key"})'
SAID = '@topic(path: "shops.>", at: "data", order: "xgsj", deleted: "zt == \'9\'")'
TOPIC = f"{SHOP}{SAID} @entity(existence: ANCHOR, coverage: COMPLETE) "
USUAL = manifest("b", BY_USCC + SHOP + "{ uscc: USCC! name: String }")
NATIVE = {"path": "shops.>", "at": "data", "order": "xgsj", "deleted": "zt == '9'", "type": "Shop", "key": ("dm",)}


def test_a_topic_gives_a_lookup_and_a_list() -> None:
    body = TOPIC + '{ uscc: USCC! @from(path: "dm") name: String @filter(ops: [EQ, PREFIX]) checkedAt: DateTime @sort }'
    registry = clean(manifest("a", body, STREAM)).registry
    (lookup,), (scan,) = registry.lookups["Shop"], registry.scans["Shop"]

    assert lookup.relation is scan.relation
    assert lookup.relation.native == Options(NATIVE)
    assert (lookup.key, lookup.relation.keys, lookup.relation.max_keys) == (("uscc",), ("uscc",), 500)
    assert (lookup.relation.limit, lookup.relation.total, lookup.relation.seek, lookup.relation.each) == (True, True, True, True)
    assert lookup.relation.where == Options({"name": ["EQ", "PREFIX"], "uscc": ["GT"]})
    assert lookup.relation.field("checkedAt").type == "text", "a message has no dates of its own"
    assert scan.role is Role.SCAN
    system = registry.systems["a"]
    assert (system.kind, system.options["keep"]) == ("stream", Options({"count": 500, "age": 30 * 86400.0}))


@pytest.mark.parametrize(
    ("path", "native"),
    [("shops.>", NATIVE), ("alarms.*", {"path": "alarms.*", "type": "Shop", "key": ("dm",)})],
)
def test_news_of_the_types_own_topic_are_what_is_kept_for_it(path: str, native: dict[str, object]) -> None:
    body = TOPIC + '{ uscc: USCC! @from(path: "dm") name: String }\n' + _extended(path)
    feed = clean(manifest("a", body, STREAM)).registry.feeds["Subscription.shopNews"]
    assert feed.relation.native == Options(native)
    assert (feed.role, feed.narrows, feed.relation.args) == (Role.EVENTS, {"name": "name"}, ())


def _extended(path: str, more: str = "", argument: str = "name: [String!]") -> str:
    return (
        'extend type Subscription {\n  "店铺动态\\nShops as they change"\n'
        f'  shopNews({argument}): Shop @topic(path: "{path}"{more}) @grade(level: L1)\n}}'
    )


@pytest.mark.parametrize(
    ("body", "source", "told"),
    [
        (TOPIC + "{ uscc: USCC! name: String }", '@sql(url: "x")', ["WRONG_PLACE"]),
        (SHOP + '@table(name: "T", key: ["A"]) { uscc: USCC! name: String }', STREAM, ["WRONG_PLACE"]),
        (SHOP + '{ uscc: USCC! name: String @get(path: "/{uscc}") }', STREAM, ["WRONG_PLACE"]),
        ('type Shop @topic(path: "shops") { uscc: USCC! name: String }', STREAM, ["KEY_COLUMN_MISMATCH"]),
        (SHOP + '@topic(path: "shops.{uscc}") { uscc: USCC! name: String }', STREAM, ["UNKNOWN_PLACEHOLDER"]),
        (SHOP + '@topic(path: "shops", quiet: "5s") { uscc: USCC! name: String }', STREAM, ["WRONG_PLACE"]),
        (SHOP + '@topic(path: "shops", deleted: "zt is \'9\'") { uscc: USCC! name: String }', STREAM, ["KEY_WITHOUT_LOOKUP", "BAD_PATH"]),
        (SHOP + "{ uscc: USCC! name: String }", STREAM, ["KEY_WITHOUT_LOOKUP"]),
        (TOPIC + "{ uscc: USCC! name: String }", STREAM.replace("count: 500", "count: 0"), ["OUT_OF_RANGE"]),
        (TOPIC + "{ uscc: USCC! name: String }", '@stream(url: "nats://hub:pass@h")', ["SECRET_IN_FILE"]),
        (TOPIC + "{ uscc: USCC! name: String }", '@stream(url: "x", auth: {kind: API_KEY, header: "k", secret: "a.key"})', ["BAD_AUTH"]),
    ],
)
def test_what_is_wrong_is_told_once(body: str, source: str, told: list[str]) -> None:
    found = codes(composed(USUAL, manifest("a", body.replace("ANCHOR", "CONTRIBUTES"), source)))
    assert [code for code in found if code != "NO_BATCH"] == told


def test_an_argument_of_a_feed_goes_into_no_subject() -> None:
    body = TOPIC.replace("ANCHOR", "CONTRIBUTES") + "{ uscc: USCC! name: String }\n" + _extended("shops.{name}")
    assert "UNKNOWN_PLACEHOLDER" in codes(composed(USUAL, manifest("a", body, STREAM)))
