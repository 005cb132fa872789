"""Composes the estates by the libraries from npm: ``python -m tests.federation.compose [NAME...]``.

Writes ``supergraphs/NAME.graphql``, ``NAME.api.graphql`` (what clients see) and, where a second composer's writing differs in form,
``NAME.hive.graphql``. Tests read these files and need no npm.
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

from tests.federation.estate import COMPOSED, Estate
from tests.federation.estates import ESTATES

HERE = Path(__file__).parent
MARK = "# composed of "


def node() -> ModuleType:
    """``explorer/build.py``, which knows where node and npm are."""
    spec = spec_from_file_location("explorer_build", HERE.parents[1] / "explorer" / "build.py")
    assert spec is not None
    assert spec.loader is not None
    found = module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


def install() -> None:
    """The locked packages, into ``node_modules`` here."""
    subprocess.run([*node().npm(), "ci", "--no-audit", "--no-fund", "--loglevel=error"], cwd=HERE, check=True)


def script(name: str, given: Any) -> Any:
    """Runs a ``.mjs`` of this folder: JSON in, JSON out."""
    command = [*node().node(), str(HERE / name)]
    done = subprocess.run(command, input=json.dumps(given), capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def composed(estates: Iterable[Estate]) -> dict[str, Mapping[str, Any]]:
    """Estate -> ``supergraph``, ``api`` and ``other``, or ``errors``."""
    return dict(script("compose.mjs", {one.name: dict(one.subgraphs) for one in estates}))


def main(*names: str) -> int:
    """Exit code 1 when an estate does not compose."""
    if not (HERE / "node_modules" / "@apollo" / "composition").is_dir():
        install()
    estates = [one for one in ESTATES if not names or one.name in names]
    failed = False
    COMPOSED.mkdir(exist_ok=True)
    for estate, made in zip(estates, composed(estates).values(), strict=True):
        if "errors" in made:
            failed = True
            print(f"{estate.name}:", *made["errors"], sep="\n  ", file=sys.stderr)
            continue
        texts = {"graphql": made["supergraph"], "api.graphql": made["api"], "hive.graphql": made["other"]}
        if made["other"] is None:
            print(f"{estate.name}: the second composer says", *made["otherErrors"], sep="\n  ", file=sys.stderr)
        for suffix, text in texts.items():
            if text is not None:
                (COMPOSED / f"{estate.name}.{suffix}").write_text(f"{MARK}{estate.digest}\n{text.strip()}\n", encoding="utf-8")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
