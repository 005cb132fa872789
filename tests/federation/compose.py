"""Composes the estates by the libraries from npm, and the demo's: ``python -m tests.federation.compose [NAME...]``.

Writes ``supergraphs/NAME.graphql``, ``NAME.api.graphql`` (what clients see), ``NAME.hive.graphql`` (a second composer's writing) and, of
estates in the syntax of version 1, ``NAME.v0.1.graphql`` and ``NAME.v0.2.graphql`` (as they were written then). Tests read these files and
need no npm.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable, Mapping
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

from demo.estate import PORTS, schema
from tests.federation.estate import COMPOSED, EARLIER, Estate, digest
from tests.federation.estates import ESTATES

HERE = Path(__file__).parent
DEMO = HERE.parents[1] / "demo" / "estate" / "supergraph.graphql"
MARK = "# composed of "


def node() -> ModuleType:
    """``explorer/build.py``, which knows where node and npm are."""
    spec = spec_from_file_location("explorer_build", HERE.parents[1] / "explorer" / "build.py")
    assert spec is not None
    assert spec.loader is not None
    found = module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


def installed(folder: Path = HERE) -> None:
    """The locked packages, in ``node_modules`` of the folder."""
    if not (folder / "node_modules").is_dir():
        subprocess.run([*node().npm(), "ci", "--no-audit", "--no-fund", "--loglevel=error"], cwd=folder, check=True)


def script(name: str, given: Any) -> Any:
    """Runs a ``.mjs`` of this folder: JSON in, JSON out."""
    command = [*node().node(), str(HERE / name)]
    done = subprocess.run(command, input=json.dumps(given), capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def composed(estates: Iterable[Estate]) -> dict[str, Mapping[str, Any]]:
    """Estate -> ``supergraph``, ``api`` and ``other``, or ``errors``; also ``v0.1`` and ``v0.2`` of version 1."""
    installed()
    installed(HERE / "earlier")
    made = script("compose.mjs", {one.name: dict(one.subgraphs) for one in estates})
    for name, texts in script("earlier/compose.mjs", {one.name: dict(one.subgraphs) for one in estates if one.earlier}).items():
        made[name] |= texts
    return dict(made)


def demonstrated() -> str:
    """The demo's supergraph."""
    given = {name: {"sdl": schema(name).as_str(), "url": f"http://127.0.0.1:{port}/graphql"} for name, port in PORTS.items()}
    made = script("compose.mjs", {"demo": given})["demo"]
    assert "errors" not in made, made["errors"]
    return f"{MARK}{digest({name: one['sdl'] for name, one in given.items()})}\n{made['supergraph'].strip()}\n"


def texts(estate: Estate, made: Mapping[str, Any]) -> dict[str, str]:
    """What the estate's files hold, by writing."""
    found = {"": made["supergraph"], "api": made["api"], "hive": made["other"], **{one: made[one] for one in EARLIER if one in made}}
    return {writing: f"{MARK}{estate.digest}\n{text.strip()}\n" for writing, text in found.items() if text is not None}


def main(*names: str) -> int:
    """Exit code 1 when an estate does not compose."""
    estates = [one for one in ESTATES if not names or one.name in names]
    failed = False
    COMPOSED.mkdir(exist_ok=True)
    for estate, made in zip(estates, composed(estates).values(), strict=True):
        if "errors" in made:
            failed = True
            print(f"{estate.name}:", *made["errors"], sep="\n  ", file=sys.stderr)
            continue
        if made["other"] is None:
            print(f"{estate.name}: the second composer says", *made["otherErrors"], sep="\n  ", file=sys.stderr)
        for writing, text in texts(estate, made).items():
            estate.file(writing).write_text(text, encoding="utf-8")
    if not names:
        DEMO.write_text(demonstrated(), encoding="utf-8")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
