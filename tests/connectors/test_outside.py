"""A connector from outside: ``hub new connector`` writes it, its contract passes as it is, and once installed manifests can name it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from hub.cli import starting
from hub.cli.shared import Fault

HUB = str(Path(sys.executable).with_name("hub"))
MANIFEST = """
extend schema
  @system(name: "waterMeter", title: "水表", owner: "省建设厅")
  @python(connector: "water_gateway", options: {host: "127.0.0.1", port: 7001, secret: "water.key"})
type Query {
  byUscc(uscc: USCC! @is(field: "uscc")): Enterprise @lookup @field(name: "SB", batch: {by: "uscc", match: "id", max: 20})
}
type Enterprise @key(fields: "uscc") @entity(existence: CONTRIBUTES, coverage: PARTIAL) {
  uscc: USCC! @from(path: "id")
  name: String
}
"""


def run(*words: str, at: Path, path: Path | None = None) -> str:
    """What a command prints; ``path`` is where installed packages lie beside the hub's own."""
    environment = {**os.environ, "PYTHONPATH": str(path) if path is not None else ""}
    done = subprocess.run(words, cwd=at, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("name", ["water_gateway", "ledger"])
def test_the_contract_passes_from_the_start(tmp_path: Path, name: str) -> None:
    assert starting.connector(name, tmp_path / "mine") == 0
    said = run(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", at=tmp_path / "mine")
    assert " passed" in said
    assert "skipped" not in said


def test_installed_it_is_found_by_its_entry_point(tmp_path: Path) -> None:
    starting.connector("water_gateway", tmp_path / "mine")
    there, systems = tmp_path / "there", tmp_path / "systems"
    pip = (sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--no-build-isolation")
    run(*pip, "--target", str(there), str(tmp_path / "mine"), at=tmp_path)
    systems.mkdir()
    (systems / "waterMeter.graphql").write_text(MANIFEST, encoding="utf-8")

    assert "1 " in run(HUB, "check", str(systems), at=tmp_path, path=there)
    found = subprocess.run([HUB, "check", str(systems)], cwd=tmp_path, capture_output=True, text=True)
    assert (found.returncode, "UNKNOWN_KIND" in found.stdout + found.stderr) == (1, True), "without it nobody serves the kind"


def test_what_is_there_is_never_touched(tmp_path: Path) -> None:
    with pytest.raises(Fault, match="nothing was written"):
        starting.connector("ledger", tmp_path)
    for name in ("Ledger", "1st", "a-b", ""):
        with pytest.raises(Fault, match="no name of a connector"):
            starting.connector(name, tmp_path / "new")
    assert list(tmp_path.iterdir()) == []
