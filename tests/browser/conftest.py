"""A demo hub, a node and a Chromium for the tests of this folder; they run under ``make test-browser`` (``pytest -m browser``)."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if "browser" not in config.option.markexpr:
        for item in items:
            if item.path.is_relative_to(HERE):
                item.add_marker(pytest.mark.skip(reason="run by make test-browser"))


def absent(reason: str) -> None:
    """Skip, or fail where the machine is meant to have everything."""
    if os.environ.get("CI_BROWSER") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of a Chromium."""
    found = next(filter(None, map(shutil.which, CHROMIUM)), None)
    if found is None:
        absent(f"no Chromium on the path ({', '.join(CHROMIUM)})")
    return str(found)


@pytest.fixture(scope="session")
def script() -> Callable[..., Any]:
    """Runs a ``.mjs`` of this folder with options as JSON, and reads its JSON answer."""
    driver, page = ROOT / "explorer" / "node_modules" / "playwright-core", ROOT / "hub" / "serve" / "static" / "index.html"
    if not (driver.is_dir() and page.is_file()):
        absent("the query page is not built: make explorer")
    spec = spec_from_file_location("explorer_build", ROOT / "explorer" / "build.py")
    assert spec is not None
    assert spec.loader is not None
    build = module_from_spec(spec)
    spec.loader.exec_module(build)

    def run(name: str, **options: Any) -> Any:
        command = [*build.node(), str(HERE / name), json.dumps(options)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=180, check=False)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run


@pytest.fixture(scope="session")
def ready(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """What the ready file of a running demo says."""
    file = tmp_path_factory.mktemp("demo") / "ready.json"
    command = [sys.executable, "-c", "from hub.cli import main; main()", "demo", "--port", "0", "--no-open", "--ready-file", str(file)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            said = "".join(iter_until(process.stdout, "Ctrl-C"))
            assert file.exists(), said
            yield json.loads(file.read_text(encoding="utf-8"))
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=60)
        finally:
            process.kill()


def iter_until(lines: Any, last: str) -> Iterator[str]:
    for line in lines:
        yield line
        if last in line:
            return
