"""``hub editor``: what a stock GraphQL language server needs to complete and explain manifests.

    .graphqlrc.yml           one project for each manifest
    .graphql/hub.graphql     the words, where the folder of manifests does not hold them itself
    .graphql/schema.graphql  all types that a manifest can name; made anew each time, not to be committed

The language server has no project for a manifest that the first does not name. Must not know any editor.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path

from graphql import print_schema

from hub.cli.shared import Fault, configured, counted, with_folder
from hub.connected import composed
from hub.folders import manifests_folder
from schema.canonical import sdl
from schema.compose import load_systems
from schema.entries import Manifest
from schema.words import VOCABULARY

CONFIG = ".graphqlrc.yml"
BESIDE = ".graphql"
TYPES = "schema.graphql"
_HEAD = "# Made by `hub editor`: for each manifest what an editor's GraphQL language server completes and checks it by.\n"


def write(folder: Path | None, file: Path | None) -> int:
    """Write the files into the working directory. Raises Fault when the manifests lie elsewhere: an editor finds them below it alone."""
    config = with_folder(configured(file), folder)
    place, here = manifests_folder(config).resolve(), Path.cwd()
    if not place.is_relative_to(here):
        zh, en = (
            f"请在包含 {place} 的目录中运行。",
            f"Run this in a folder that holds {place}; an editor looks for {CONFIG} above a manifest.",
        )
        raise Fault(zh, en)
    shown = place.relative_to(here).as_posix()
    manifests = load_systems(place, shown=shown)
    made = composed(place)
    kept = here / BESIDE
    kept.mkdir(exist_ok=True)
    words = f"{shown}/{VOCABULARY}" if (place / VOCABULARY).exists() else f"{BESIDE}/{VOCABULARY}"
    if words.startswith(BESIDE):
        (kept / VOCABULARY).write_text(files("systems").joinpath(VOCABULARY).read_text(encoding="utf-8"), encoding="utf-8")
    (kept / TYPES).write_text((print_schema(made.whole) if made.ok else sdl()) + "\n", encoding="utf-8")
    (here / CONFIG).write_text(projects(manifests, words), encoding="utf-8")
    print(f"{CONFIG}: {counted(len(manifests), 'manifest')}; {BESIDE}/{TYPES}: 类型 the types they can name")
    return 0


def projects(manifests: Sequence[Manifest], words: str) -> str:
    """The text of ``.graphqlrc.yml``. Strings are written as in JSON, which YAML reads."""
    found: dict[str, Manifest] = {}
    for manifest in manifests:
        found.setdefault(manifest.name or Path(manifest.file).stem, manifest)
    return _HEAD + "projects:\n" + "".join(_project(found, name, words) for name in sorted(found))


def _project(manifests: Mapping[str, Manifest], name: str, words: str) -> str:
    lines = [
        f"  {json.dumps(name, ensure_ascii=False)}:",
        f"    schema: [{json.dumps(words)}, {json.dumps(f'{BESIDE}/{TYPES}')}]",
        f"    documents: {json.dumps(manifests[name].file, ensure_ascii=False)}",
    ]
    return "\n".join(lines) + "\n"
