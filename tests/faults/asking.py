"""One question about three enterprises, the truth about them, and what of an answer is never allowed.

Two systems answer: a register in memory, which is well, and the one under test, which is not. Must not know any kind of system: a kind
gives the head of a manifest and a source that misbehaves (``Kind``).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import orjson

from connectors import kinds
from connectors.spi import Secret
from hub.clock import SystemClock
from hub.environment import Environment, fill
from hub.errors import CODES
from hub.run.engine import Engine
from hub.run.sources import Sources
from schema.canonical import canonical
from schema.compose import Composition, compose, parse_manifest
from schema.identifiers import complete_uscc, organisation_code
from tests.faults.faults import MESSAGES
from tests.memory import Memory, MemorySettings

SYSTEM = "recordsOffice"
SECRET = "fault-secret-4711"
TIMEOUT = 0.4  # seconds that the system under test has, as LIMITS says
LIMITS = 'limits: {timeout: "400ms", retries: 0}'
STRANGER, *KEYS = (complete_uscc(f"91330100{organisation_code(f'MA2{i:05d}')}") for i in range(4))
RIGHT = "right answer"
FIELDS = ("fileNo", "fileLevel", "fileFee", "fileChecked", "fileTitle")
"""What the system under test contributes to Enterprise, in the order of the question."""

# Native rows as a kind without types of its own sends them. ``nr`` is a text that has to stay one.
ROWS: tuple[Mapping[str, Any], ...] = (
    {"code": KEYS[0], "nr": "0001234567890123401", "dj": 1, "je": 12.25, "rq": "20240229", "bt": "建筑业企业资质证书,甲级"},
    {"code": KEYS[1], "nr": "0001234567890123402", "dj": 2, "je": 0.25, "rq": "20231231", "bt": "食品经营许可证"},
    {"code": KEYS[2], "nr": "0001234567890123403", "dj": 3, "je": -7.75, "rq": "19991231", "bt": "危险化学品经营许可证"},
)
TRUTH: Mapping[str, Mapping[str, Any]] = {
    alias: {
        "name": f"企业{alias}",
        "fileNo": row["nr"],
        "fileLevel": row["dj"],
        "fileFee": str(row["je"]),
        "fileChecked": f"{row['rq'][:4]}-{row['rq'][4:6]}-{row['rq'][6:]}",
        "fileTitle": row["bt"],
    }
    for alias, row in zip("abc", ROWS, strict=True)
}
QUESTION = "{" + " ".join(f'{a}: enterprise(uscc: "{key}") {{ name {" ".join(FIELDS)} }}' for a, key in zip("abc", KEYS, strict=True)) + "}"
REGISTER = """
extend schema @system(name: "register", title: "登记系统", owner: "省市场监管局") @python(connector: "memory")
type Query {
  byUscc(uscc: USCC! @is(field: "uscc")): Enterprise @lookup @field(name: "firms", argument: "codes", batch: {by: "uscc", max: 100})
}
type Enterprise @key(fields: "uscc") @entity(existence: ANCHOR, coverage: COMPLETE) {
  uscc: USCC! @from(path: "code")
  name: String @from(path: "mc")
}
"""
CONTRIBUTED = """
extend type Enterprise {
  "档案编号\\nThe number of its file"
  fileNo: ID @from(path: "nr") @grade(level: L1)
  "等级\\nIts level"
  fileLevel: Int @from(path: "dj") @grade(level: L1)
  "金额\\nThe fee"
  fileFee: Decimal @from(path: "je") @grade(level: L1)
  "核查日期\\nWhen it was checked"
  fileChecked: Date @from(path: "rq", format: "yyyyMMdd") @grade(level: L1)
  "名称\\nIts title"
  fileTitle: String @from(path: "bt") @grade(level: L1)
}
"""


def manifest(source: str, lookup: str = "", table: str = "", *, always: bool = False) -> str:
    """The manifest of the system under test: its source directive, its field of Query, and perhaps a word on its type. Two keys at once.
    ``always``: it says of fileLevel that each row has it, where rows may lack a column at all."""
    system = f'@system(name: "{SYSTEM}", title: "档案系统", owner: "省档案局")'
    query = f'type Query {{ byUscc(uscc: USCC! @is(field: "uscc")): Enterprise @lookup {lookup} }}\n' if lookup else ""
    entity = f'type Enterprise @key(fields: "uscc") @entity(existence: CONTRIBUTES) {table} {{ uscc: USCC! @from(path: "code") }}'
    contributed = CONTRIBUTED.replace('path: "dj"', 'path: "dj", always: true') if always else CONTRIBUTED
    return f"extend schema {system} {source}\n{query}{entity}{contributed}"


@dataclass(frozen=True, slots=True)
class There:
    """A source that misbehaves: what its manifest needs to reach it. ``then`` makes it do so, after a first question that is answered
    right. ``secret`` is a text that nobody may see; ``truth`` is what it holds, where that is not ``TRUTH``; ``beside`` is the folder of
    its manifest."""

    variables: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict)
    secret: str = SECRET
    then: Callable[[], Awaitable[None]] | None = None
    truth: Mapping[str, Mapping[str, Any]] = field(default_factory=lambda: TRUTH)
    beside: str = ""


@dataclass(frozen=True, slots=True)
class Kind:
    """One column of the table. ``serve`` opens a source with a fault; ``sees`` is what the caller has to see, by fault; ``never`` why a
    fault cannot happen to this kind. Each fault stands in one of them, but for those of messages, which are of streams alone."""

    name: str
    manifest: str
    serve: Callable[[str, Path], AbstractAsyncContextManager[There]]
    sees: Mapping[str, str]
    never: Mapping[str, str] = field(default_factory=dict)
    streams: bool = False

    def reason(self, fault: str) -> str | None:
        """Why ``fault`` cannot happen here, or None."""
        return self.never.get(fault) or ("only streams have messages" if fault in MESSAGES and not self.streams else None)


@cache
def composed(text: str) -> Composition:
    """The register and the system under test, composed."""
    found = compose(
        canonical(), [parse_manifest(REGISTER, "register.graphql"), parse_manifest(text, "faulty.graphql")], kinds={*kinds.KINDS, "memory"}
    )
    assert found.ok, "\n".join(map(str, found.faults))
    return found


def hub(kind: Kind, there: There) -> Engine:
    """An engine with the kind's real connector."""
    made = composed(kind.manifest)
    system = made.registry.systems[SYSTEM]
    filled = fill(system.options, Environment(there.variables, {name: Secret(text) for name, text in there.secrets.items()}))
    assert not filled.missing
    register = Memory(MemorySettings({"byUscc": [{"code": key, "mc": f"企业{a}"} for a, key in zip("abc", KEYS, strict=True)]}))
    connectors = {"register": register, SYSTEM: kinds.connect(system.kind, filled.options, system=SYSTEM, beside=there.beside)}
    return Engine(made.schema, made.registry, Sources(made.registry.systems, connectors, SystemClock()), timeout=10)


async def ask(engine: Engine) -> bytes:
    """The bytes of an answer, within a time that shows that nobody is stuck."""
    document = engine.parse(QUESTION)
    assert not document.errors
    return (await asyncio.wait_for(engine.execute(document), TIMEOUT + 3)).body


def judged(body: bytes, there: There) -> str:
    """What the caller saw, as the table says it: ``right answer``, ``SYSTEM_DOWN``, ``BAD_VALUE at b.fileFee``, ``null at c.fileNo``.

    Raises AssertionError for what no fault excuses: a value that is not the truth, a neighbour that is gone, an error without a code of
    the registry, a name, place or secret of the system.
    """
    answer = orjson.loads(body)
    for hidden in (there.secret, SYSTEM, "127.0.0.1", "localhost", "Traceback", *filter(None, there.variables.values())):
        assert hidden not in body.decode(), f"{hidden} is in {body.decode()}"
    codes: dict[tuple[str, str], str] = {}
    for error in answer.get("errors", ()):
        assert error["extensions"]["code"] in CODES, error
        assert error["extensions"]["code"] != "INTERNAL", error
        alias, name = error["path"]  # an error lies at a field of the system, and nowhere else
        codes[alias, name] = error["extensions"]["code"]
    for alias, true in there.truth.items():
        for name, value in answer["data"][alias].items():
            if value is None and name in FIELDS:
                if true[name] is not None:
                    codes.setdefault((alias, name), "null")
            else:
                assert value == true[name], f"{alias}.{name} is {value!r}, and {true[name]!r} in truth"
                assert (alias, name) not in codes, f"{alias}.{name} has a value and an error"
    return summary(codes)


def summary(codes: Mapping[tuple[str, str], str]) -> str:
    """Codes by the places they were seen at; one that was seen at all fields of an enterprise, or of all, is said once."""
    places: dict[str, list[str]] = {}
    for alias in "abc":
        own = {codes.get((alias, name), "") for name in FIELDS}
        if len(own) == 1 and (code := own.pop()):
            places.setdefault(code, []).append(alias)
        else:
            for name in FIELDS:
                if (alias, name) in codes:
                    places.setdefault(codes[alias, name], []).append(f"{alias}.{name}")
    return "; ".join(_said(code, found) for code, found in places.items()) or RIGHT


def _said(code: str, places: Sequence[str]) -> str:
    if list(places) == ["a", "b", "c"]:
        return code
    names = {place.partition(".")[2] for place in places}
    if len(names) == 1 and len(places) == 3 and "" not in names:
        return f"{code} at {names.pop()} of each"
    return f"{code} at {', '.join(places)}"
