"""What the documents say is so: codes, folders, commands, versions, the example manifest and the example connector."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from graphql import FieldNode, OperationDefinitionNode, SelectionSetNode, parse, validate

import hub
from connectors.spi import Ask, Call, Connector, SourceError
from hub.cli.editing import projects
from hub.connected import composed
from hub.docs import errors_page
from hub.errors import CODES
from schema.compose import load_systems
from schema.coordinates import Grade
from tests.house.files import ROOT, files

README = (ROOT / "README.md").read_text(encoding="utf-8")
ERRORS = (ROOT / "docs" / "errors.md").read_text(encoding="utf-8")
PAGES = [path for path in files() if path.suffix == ".md"]


def block(language: str, number: int = 0) -> str:
    """The README's code blocks of one language."""
    found: list[str] = re.findall(rf"^```{language}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    return found[number]


def test_the_errors_page_is_up_to_date() -> None:
    assert errors_page() == ERRORS, "run make docs"


@pytest.mark.parametrize("code", CODES)
def test_every_code_has_a_section_in_both_languages(code: str) -> None:
    section = re.search(rf"^## {code}\n(.*?)(?=^## |\Z)", ERRORS, re.MULTILINE | re.DOTALL)
    assert section
    assert CODES[code].fix in section[1]
    assert re.search(r"[\u4e00-\u9fff]", CODES[code].zh)
    assert CODES[code].en.isascii()


def test_the_map_names_the_folders_that_are_there() -> None:
    named = set(re.findall(r"^\| `(\w+)/` \|", README, re.MULTILINE))
    assert named == {path.parts[0] for path in files() if len(path.parts) > 1 and not path.parts[0].startswith(".")}


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_links_lead_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\((?!https?://|#)([^)#\s]+)", (ROOT / page).read_text(encoding="utf-8"))
    assert [target for target in targets if not (ROOT / page.parent / target).exists()] == []


@pytest.mark.parametrize("command", sorted(set(re.findall(r"`hub ([a-z][\w-]*)", README))))
def test_commands_named_in_the_readme_exist(command: str) -> None:
    done = subprocess.run([Path(sys.executable).with_name("hub"), command, "--help"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_targets_named_in_the_readme_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert set(re.findall(r"make ([a-z-]+)", README)) - {"printed"} <= targets


def test_every_target_is_under_five_lines_and_explained() -> None:
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    recipes = dict(re.findall(r"^([a-z./-]+):[^=\n]*\n((?:\t.*\n)*)", text, re.MULTILINE))
    assert {name: recipe.count("\n") for name, recipe in recipes.items() if recipe.count("\n") > 4} == {}
    explained = set(re.findall(r"^([a-z-]+):.*## ", text, re.MULTILINE))
    phony = re.search(r"^\.PHONY: (.*)$", text, re.MULTILINE)
    assert phony
    assert explained == set(phony[1].split())


def test_the_changelog_is_of_this_version() -> None:
    newest = re.search(r"^## \[.*?\].*?(\d+\.\d+\.\d+)", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert newest
    assert newest[1] == hub.__version__


def test_the_example_manifest_composes_with_all_systems(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "systems", tmp_path / "systems")
    (tmp_path / "systems" / "waterMeter.graphql").write_text(block("graphql"), encoding="utf-8")
    found = composed(tmp_path / "systems")
    assert found.ok, found.faults
    assert found.registry.coordinates["Enterprise.waterUsed"].grade is Grade.L2


def test_the_example_question_fits_the_schema_and_its_answer_fits_the_question() -> None:
    asked = re.search(r"-d '(\{.*?\})'", block("console"), re.DOTALL)
    assert asked
    document = parse(json.loads(asked[1])["query"])
    assert validate(composed(ROOT / "systems").schema, document) == []
    answer, _ = json.JSONDecoder().raw_decode(block("console")[asked.end() :].lstrip())
    operation = document.definitions[0]
    assert isinstance(operation, OperationDefinitionNode)
    assert shape(answer["data"]) == shape_of(operation.selection_set)
    assert [answer["errors"][0]["extensions"]["code"]] == ["FORBIDDEN"]


def shape(value: Any) -> Any:
    """Names alone: objects by key, the first of a list, True for leaves."""
    if isinstance(value, dict):
        return {name: shape(part) for name, part in value.items()}
    return shape(value[0]) if isinstance(value, list) else True


def shape_of(selection: SelectionSetNode | None) -> Any:
    """The same of a selection of plain fields."""
    if selection is None:
        return True
    return {field.name.value: shape_of(field.selection_set) for field in selection.selections if isinstance(field, FieldNode)}


def test_editors_know_every_manifest_that_comes_with_the_hub() -> None:
    written = (ROOT / ".graphqlrc.yml").read_text(encoding="utf-8")
    manifests = load_systems(ROOT / "systems")
    assert written == projects(manifests, "systems/hub.graphql"), "run hub editor systems"
    assert sorted(re.findall(r'documents: "(.*)"', written)) == [manifest.file for manifest in manifests]


def test_every_page_is_in_the_index() -> None:
    index = (ROOT / "docs" / "README.md").read_text(encoding="utf-8")
    assert [page.name for page in PAGES if page.parts[0] == "docs" and f"({page.name})" not in index and page.name != "README.md"] == []


def example(folder: Path) -> Connector:
    """The connector that the README shows, over one file."""
    space: dict[str, Any] = {"__name__": "example"}
    exec(compile(block("python"), "README.md", "exec", dont_inherit=True), space)
    (folder / "meters.csv").write_text("uscc,used\nA,1.5\nB,2\nC,\n", encoding="utf-8")
    connector: Connector = space["Csv"](space["CsvSettings"](folder=str(folder)), system="meters")
    return connector


def test_the_example_connector_is_short() -> None:
    assert len([line for line in block("python").splitlines() if line.strip()]) <= 30


async def test_the_example_connector_answers_by_key(tmp_path: Path) -> None:
    connector = example(tmp_path)
    (relation,) = (await connector.describe()).relations
    plan = connector.plan(Ask("meters", fields=("used",), by=("uscc",)), relation)
    (page,) = [page async for page in connector.fetch(plan, Call(keys=[("C",), ("A",), ("X",)]))]
    assert page.columns == {"uscc": ["A", "C"], "used": ["1.5", ""]}


async def test_the_example_connector_goes_through_all(tmp_path: Path) -> None:
    connector = example(tmp_path)
    (relation,) = (await connector.describe()).relations
    (page,) = [page async for page in connector.fetch(connector.plan(Ask("meters", fields=("uscc",)), relation), Call())]
    assert page.columns == {"uscc": ["A", "B", "C"]}


async def test_the_example_connector_says_what_is_missing(tmp_path: Path) -> None:
    connector = example(tmp_path)
    (relation,) = (await connector.describe()).relations
    (tmp_path / "meters.csv").unlink()
    with pytest.raises(SourceError, match=r"no file meters\.csv") as caught:
        _ = [page async for page in connector.fetch(connector.plan(Ask("meters", fields=("used",)), relation), Call())]
    assert caught.value.kind == "missing"
