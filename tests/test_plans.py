"""Plans over the whole hub: told over HTTP to who may see them, and kept when manifests change that they do not touch."""

from __future__ import annotations

import shutil
from pathlib import Path

from hub.application import application
from hub.connected import packaged
from tests.serve.small import post
from tests.test_app import opened, token

QUERY = "query Q($n: Int) { enterprises(first: $n) { nodes { name creditScore { grade } } } }"
ASKED = {
    "query": QUERY,
    "variables": {"n": 3},
}
QUAYS = """\
extend schema
  @system(name: "quays", title: "码头目录", owner: "省交通运输厅")
  @rest(base: "${QUAYS_URL}")
type Query {
  byCode(code: ID! @is(field: "code")): Quay @lookup
    @get(path: "/quays?code={keys}", at: "data", batch: {by: "code", match: "code", max: 10})
}
extend type Query {
  "码头\\nA quay."
  quay(code: ID!): Quay @grade(level: L1)
}
"码头\\nA quay."
type Quay @key(fields: "code") @entity(existence: ANCHOR, coverage: COMPLETE) {
  "代码\\nIts code."
  code: ID! @from(path: "code") @grade(level: L1)
  "名称\\nIts name."
  name: String @from(path: "mc") @grade(level: L1)
}
"""


async def test_a_plan_is_told_over_http_to_operators_alone(tmp_path: Path) -> None:
    shutil.copytree(packaged(), tmp_path / "systems")
    async with opened(tmp_path) as hub:
        app, dry = application(hub), {**ASKED, "extensions": {"explain": "dryRun"}}
        seen = await post(app, dry, authorization=await token(hub))
        assert (seen.status, seen.json["data"]) == (200, None)
        assert seen.json["extensions"]["explain"]["systems"] == ["credit531x", "legalEntityRegister"]
        assert seen.json["extensions"]["explain"]["text"].startswith("plan of Q: 2 systems, 2 calls at least\n 1 scan ")
        assert hub.recorder.calls() == []
        refused = await post(app, dry, authorization=await token(hub, "app"))
        assert (refused.status, refused.json["errors"][0]["extensions"]["code"]) == (400, "FORBIDDEN")
        assert "data" not in refused.json


async def test_a_manifest_that_touches_other_types_costs_no_plan(tmp_path: Path) -> None:
    shutil.copytree(packaged(), tmp_path / "systems")
    async with opened(tmp_path) as hub:
        engine = hub.engine
        before = engine.preparer.ready(engine.parse(QUERY), None, {}).prepared
        plan = engine.preparer.plan(before, frozenset())
        (tmp_path / "systems" / "quays.graphql").write_text(QUAYS, encoding="utf-8")
        assert not [fault for fault in await hub.reload() if fault.is_error]
        assert hub.engine is not engine
        assert "Quay" in hub.composition.schema.type_map
        after = hub.engine.preparer.ready(hub.engine.parse(QUERY), None, {}).prepared
        assert hub.engine.preparer.plan(after, frozenset()) is plan


async def test_a_change_that_alters_no_public_word_keeps_the_schema_and_its_documents(tmp_path: Path) -> None:
    shutil.copytree(packaged(), tmp_path / "systems")
    async with opened(tmp_path) as hub:
        schema, document = hub.composition.schema, hub.engine.parse(QUERY)
        [file] = (tmp_path / "systems").rglob("credit531x.graphql")
        file.write_text(file.read_text(encoding="utf-8").replace('timeout: "2s"', 'timeout: "3s"'), encoding="utf-8")
        epoch = hub.composition.registry.epoch
        await hub.reload()
        assert hub.composition.registry.epoch != epoch
        assert hub.composition.schema is schema
        assert hub.engine.parse(QUERY) is document
