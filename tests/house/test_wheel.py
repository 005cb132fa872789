"""The wheel alone is enough: built, installed into a clean environment, run from another folder.

``schema`` is also the name of an unrelated published package; the one that runs has to be ours.
"""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

import hub
from tests.house.files import PACKAGES, ROOT, files


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out), cwd=ROOT)
    return next(out.glob("*.whl"))


@pytest.fixture(scope="module")
def clean(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The ``bin`` of a new environment that holds the wheel and sees the locked packages, but not this folder."""
    home = tmp_path_factory.mktemp("clean")
    venv.create(home, with_pip=False, symlinks=True)
    python = home / "bin" / "python"
    run(sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", "--no-deps", "--no-index", str(wheel))
    # A path line in a .pth is not searched for further .pth files: the editable install of this folder stays out.
    site = run(str(python), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip()
    Path(site, "locked.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    return home / "bin"


def run(*command: str, cwd: Path = Path("/")) -> str:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "HUB_", "VIRTUAL_ENV"))}
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def test_the_wheel_holds_every_file_of_its_packages(wheel: Path) -> None:
    inside = set(zipfile.ZipFile(wheel).namelist())
    assert {path.as_posix() for path in files() if path.parts[0] in PACKAGES} <= inside
    assert any(name.startswith("systems/") and name.endswith(".graphql") for name in inside)
    assert any(name.startswith("migrations/versions/") and name.endswith(".py") for name in inside)


def test_the_wheel_holds_nothing_else(wheel: Path) -> None:
    tops = {name.partition("/")[0] for name in zipfile.ZipFile(wheel).namelist()}
    assert tops == {*PACKAGES, f"yiwang_hub-{hub.__version__}.dist-info"}


def test_a_built_explorer_page_is_in_the_wheel(wheel: Path) -> None:
    built = {path.relative_to(ROOT).as_posix() for path in (ROOT / "hub" / "serve" / "static").rglob("*") if path.is_file()}
    if not built:
        pytest.skip("the explorer page is not built (make explorer)")
    assert built <= set(zipfile.ZipFile(wheel).namelist())


def test_hub_schema_runs_from_another_folder(clean: Path) -> None:
    assert "type Enterprise" in run(str(clean / "hub"), "schema")


def test_hub_check_explains_its_codes_without_the_docs_folder(clean: Path) -> None:
    assert "Right:" in run(str(clean / "hub"), "check", "--explain", "NO_BATCH")


def test_the_packages_that_run_are_the_wheels(clean: Path) -> None:
    code = "import " + ", ".join(PACKAGES) + "\nfor m in (" + ", ".join(PACKAGES) + ",): print([*m.__path__][0])"
    places = [Path(line) for line in run(str(clean / "python"), "-c", code).split()]
    assert len(places) == len(PACKAGES)
    assert [place for place in places if not place.is_relative_to(clean.parent)] == []


def test_the_command_says_its_version(clean: Path) -> None:
    assert hub.__version__ in run(str(clean / "hub"), "--version")
