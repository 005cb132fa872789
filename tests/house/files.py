"""Where the house stands and which files are in it, for the tests of this folder."""

from __future__ import annotations

import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("hub", "schema", "connectors", "auth", "migrations", "systems", "demo")


@cache
def files() -> tuple[Path, ...]:
    """Every file that is or would be committed, relative to the root; everything but hidden folders where git is not at hand."""
    if (ROOT / ".git").exists():
        command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        names = subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout.decode().split("\0")
        found = (Path(name) for name in names if name)
    else:
        found = (path.relative_to(ROOT) for path in ROOT.rglob("*"))
    return tuple(sorted(path for path in found if (ROOT / path).is_file() and not any(p in (".venv", "node_modules") for p in path.parts)))


def modules(*packages: str) -> tuple[Path, ...]:
    """The Python files of these top-level folders."""
    return tuple(path for path in files() if path.suffix == ".py" and path.parts[0] in packages)
