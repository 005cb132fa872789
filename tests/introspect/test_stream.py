"""From messages that nobody has described to a manifest: keys, types, where the rows lie, what is put aside."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.streams.messages import Message
from hub.introspect.stream import find, read
from tests.connectors.brokers import address, filtered, own, queued, subject
from tests.connectors.loopback import nobody
from tests.introspect.shell import elsewhere, ran, run
from tests.introspect.small import LICENCES, USCCS, faults, written

__all__ = ["elsewhere"]
pytestmark = pytest.mark.usefixtures("elsewhere")

PERMITS = [
    {"pwxkzbh": f"P{i % 4}", "tyshxydm": USCCS[i % 4 // 2], "yxqz": f"2027-01-0{i + 1}", "pwl": i + 0.5 * (i == 5), "xh": i}
    for i in range(6)
]


def told(*messages: Any, path: str = "permits.changed", topics: Callable[[int], str] = lambda _: "", keys: tuple[str, ...] = ()) -> str:
    """The manifest that is proposed for messages, which passes its check."""
    bodies = [Message(one if isinstance(one, bytes) else json.dumps(one).encode(), topics(at)) for at, one in enumerate(messages)]
    found = find(read(bodies, path, max_bytes=1000), path, title="排污许可", keys=keys, source={"url": "${PERMITS_URL}"})
    text = written(found, "permits")
    assert faults(text) == []
    assert "@join" not in text
    return text


def manifest(system: str) -> str:
    return Path(f"systems/{system}.graphql").read_text(encoding="utf-8")


def types(text: str) -> dict[str, str]:
    """What each column became, by its path."""
    found = re.findall(r"^  (\w+): (\S+)((?: @from\([^)]*\))?)", text, re.MULTILINE)
    return {(re.search(r'path: "([^"]*)"', said) or [0, name])[1]: kind for name, kind, said in found}


def test_the_column_that_tells_most_rows_apart_is_the_key() -> None:
    text = told(*PERMITS)
    assert '  @key(fields: "dischargePermitNo")\n  @topic(path: "permits.changed")\n' in text
    assert "pwxkzbh has 4 values in 6 rows; tyshxydm has 2 values in 6 rows" in text
    assert types(text) | {"pwxkzbh": "ID!", "pwl": "Decimal", "xh": "Int"} == types(text)
    assert 'enterprise: Enterprise @from(expr: "{uscc: tyshxydm}")' in text
    assert "permitsChanged(dischargePermitNo: ID!" in text
    assert 'Never falls: yxqz, xh. If it numbers or dates the messages, say so: order: "yxqz" in @topic.' in text
    assert not any(code in text for code in USCCS)


def test_a_canonical_code_is_the_key_before_others_and_binds_the_entity() -> None:
    text = told(*({"xxid": f"m{i}", "zdbh": f"Z{i}", "tyshxydm": code} for i, code in enumerate(USCCS)))
    assert 'type Enterprise\n  @key(fields: "uscc")\n  @topic(path: "permits.changed")' in text
    assert "6 of 6 sampled values pass the check of USCC" in text


def test_a_key_may_be_named_or_have_parts() -> None:
    assert '@key(fields: "uscc")' in told(*PERMITS, keys=("tyshxydm",))
    assert '@key(fields: "dischargePermitNo xh")' in told(*PERMITS, keys=("pwxkzbh", "xh"))


def test_the_subject_tells_what_no_message_does() -> None:
    text = told({"mm": 1}, {"mm": 2}, {"mm": 1.5}, path="weather.*.rain", topics=lambda at: f"weather.5845{at}.rain")
    assert 'topic1: ID! @from(path: "_topic[1]")' in text
    assert types(text)["mm"] == "Decimal"


@pytest.mark.parametrize(
    ("wrap", "at"),
    [
        (lambda row: {"code": 0, "data": row}, "data"),
        (lambda row: {"data": {"list": [row]}, "timestamp": 1}, "data.list"),
        (lambda row: [row], ""),
        (lambda row: {"specversion": "1.0", "id": "7", "source": "/gov", "type": "changed", "data": row}, "data"),
    ],
)
def test_rows_lie_in_an_envelope(wrap: Callable[[Any], Any], at: str) -> None:
    text = told(*map(wrap, PERMITS))
    said = f', at: "{at}"' if at else ""
    assert f'@topic(path: "permits.changed"{said})' in text
    assert types(text)["pwl"] == "Decimal"


def test_types_are_told_by_all_messages() -> None:
    rows = [
        {
            "bh": "007",
            "n": 1,
            "big": 1,
            "part": {"dw": "吨"},
            "list": [{"mc": "COD", "xz": 1}],
            "flag": True,
            "two": 1,
            "odd": 1,
            "never": None,
        },
        {
            "bh": "008",
            "n": 2,
            "big": 2**40,
            "part": {"dw": "克", "je": Decimal("1.50")},
            "list": [],
            "flag": False,
            "two": "x",
            "odd": {},
            "a.b": 1,
        },
    ]
    text = told(*(json.dumps(row, default=float).encode() for row in rows))
    found = types(text)
    expected = {
        "bh": "ID!",
        "n": "Int",
        "big": "Decimal",
        "part.dw": "String",
        "part.je": "Decimal",
        "xz": "Int",
        "flag": "Boolean",
        "two": "String",
    }
    assert found | expected == found
    assert found["list"].startswith("[")
    assert "# Not served: odd (mixed without properties)." in text
    assert "# Not served: never (a type that is not said)." in text
    assert "# Not served: a.b (a name that cannot stand in a path)." in text


def test_what_the_hub_will_put_aside_is_told() -> None:
    text = told(*PERMITS, b"{", b"[1]", json.dumps({"pwxkzbh": "P", "x": "y" * 2000}).encode(), {"tyshxydm": USCCS[0]}, keys=("pwxkzbh",))
    assert "# 1 of 7 rows have no pwxkzbh; such ones are put aside." in text
    assert "# 3 of what came is put aside: NOT_AN_OBJECT, NOT_JSON, TOO_LARGE." in text


NAMES = st.sampled_from(["bh", "", "$", '"', "a b", "data", "_topic", "_topic[1]", "__typename", "名称", "on", "1x"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=4),
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(NAMES, inside, max_size=4),
    max_leaves=8,
)


@settings(max_examples=40)
@given(st.lists(st.dictionaries(NAMES, VALUES, max_size=5), min_size=1, max_size=4), st.sampled_from(["a.*", "主题/+/x", '"']))
def test_whatever_messages_hold_the_manifest_passes_its_check(rows: list[dict[str, Any]], path: str) -> None:
    told(*({"dm": f"K{at}", **row} for at, row in enumerate(rows)), path=path, topics=lambda _: "a.b", keys=("dm",))


async def test_what_a_broker_holds_is_looked_at_and_stays_there(capsys: pytest.CaptureFixture[str]) -> None:
    async with subject(address("HUB_TEST_NATS")) as topic:
        await topic.publish(*(json.dumps(one).encode() for one in PERMITS))
        said = ["add", "stream", "permits", address("HUB_TEST_NATS"), topic.path, "--title", "排污许可", "--owner", "省生态环境厅"]
        assert await ran(*said) == 0
        assert "give its address: PERMITS_URL=nats://" in capsys.readouterr().out
        text = manifest("permits")
        assert f'@topic(path: "{topic.path}")' in text
        assert '@stream(url: "${PERMITS_URL}")' in text
        assert run("check", "systems") == 0
        assert await ran(*said) == 1
        assert "is there already and is not overwritten" in capsys.readouterr().err
    async with queued(address("HUB_TEST_AMQP")) as queue:
        await queue.publish(*(json.dumps(one).encode() for one in PERMITS))
        url = address("HUB_TEST_AMQP").replace("guest@", "")
        assert await ran("add", "stream", "queued", url, queue.path) == 0
        assert await queue.waiting() == len(PERMITS), "nothing is taken from a queue"


async def test_retained_messages_of_mqtt_tell_a_station_by_its_topic(tmp_path: Path) -> None:
    async with filtered(address("HUB_TEST_MQTT"), tmp_path) as topics:
        for station in ("58457", "58458"):
            await topics.retain(f"{station}/rain", b'{"mm": 1.5}')
        assert await ran("add", "stream", "weather", address("HUB_TEST_MQTT"), f"{topics.name}/+/rain") == 0
    text = manifest("weather")
    assert 'topic1: ID! @from(path: "_topic[1]")' in text
    assert "_topic[1] has 2 values in 2 rows" in text


async def test_where_nothing_comes_it_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    async with subject(address("HUB_TEST_NATS")) as topic:
        assert await ran("add", "stream", "x", address("HUB_TEST_NATS"), topic.path, "--wait", "0.2") == 1
        err = capsys.readouterr().err
        assert err.startswith("没有收到消息。 missing: No message came from ")
        assert "within 0.2 seconds" in err
        await topic.publish(b"<xml/>", b"7")
        assert await ran("add", "stream", "x", address("HUB_TEST_NATS"), topic.path) == 1
        assert "broken: None of 2 messages is an object of JSON in UTF-8: NOT_AN_OBJECT, NOT_JSON." in capsys.readouterr().err
    assert await ran("add", "stream", "x", address("HUB_TEST_NATS"), own()) == 1
    assert "config: No stream of the source holds this subject." in capsys.readouterr().err
    assert await ran("add", "stream", "x", f"nats://127.0.0.1:{nobody()}", "a") == 1
    assert "down: The source cannot be reached." in capsys.readouterr().err
    assert await ran("add", "stream", "x", "${X_URL}", "a") == 1
    assert "Not given: variable X_URL" in capsys.readouterr().err


def test_samples_in_a_file_need_no_broker(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [{"xkzbh": code, "xkz": {"zt": "有效"}} for code in LICENCES]
    Path("some.jsonl").write_text("\n\n".join(map(json.dumps, rows)), encoding="utf-8")
    monkeypatch.setenv("HUB_SECRET_PERMITS_TOKEN", "t")
    assert run("add", "stream", "permits", "nats://events.example", "permits", "--samples", "some.jsonl", "--print") == 0
    assert '@stream(url: "${PERMITS_URL}", auth: {kind: BEARER, secret: "permits.token"})' in capsys.readouterr().out
    assert not Path("systems").exists()
    said = ["add", "stream", "permits", "nats://events.example", "permits", "--samples", "some.jsonl"]
    assert run(*said, "--key", "zt") == 1
    assert "missing: No message has 'zt'; they have: xkzbh, xkz.zt." in capsys.readouterr().err
    Path("some.jsonl").write_text('{"n": 1}\n', encoding="utf-8")
    assert run(*said) == 1
    assert "looks like a key; name one by --key: n." in capsys.readouterr().err
    Path("some.jsonl").write_text("\n", encoding="utf-8")
    assert run(*said) == 1
    assert "missing: There is no message in some.jsonl." in capsys.readouterr().err
    assert run(*said[:-1], "none.jsonl") == 1
    assert "missing: Cannot read none.jsonl." in capsys.readouterr().err
    assert run("add", "stream", "permits", "http://events.example", "permits", "--wait", "1") == 1
    assert "config: The address of the stream has to begin with" in capsys.readouterr().err
