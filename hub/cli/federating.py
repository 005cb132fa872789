"""``hub add subgraph``: a subgraph's SDL, as the subgraph itself tells it or from a file, beside a manifest that says where it is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from connectors import kinds
from connectors.spi import SourceError
from hub.cli.adding import Said, ready, variable
from hub.cli.shared import Fault
from hub.introspect.documents import posted, text_of
from schema.canonical import canonical
from schema.compose import compose, load_systems, parse_manifest
from schema.faults import format_fault
from schema.manifest import SUBGRAPH, with_subgraph

_MANIFEST = """\
# Proposed by `hub add subgraph`: what the subgraph tells of itself lies beside this file.
extend schema
  @system(name: "{name}", title: "{title}", owner: "{owner}", contact: "{contact}")
  @graphql(url: "${{{variable}}}", federation: {{sdl: "{sdl}", grade: {grade}}})
"""


async def subgraph(said: Said, url: str, *, sdl: str, grade: str, headers: dict[str, str]) -> int:
    """Exit code 0 when both files were written. Raises SourceError, Fault, BadConfig."""
    if not url and not sdl:
        raise Fault("请给出 --url 或 --sdl。", "Say where its SDL is: --url ENDPOINT, or --sdl FILE.")
    place = ready(said)
    text = await text_of(sdl) if sdl else _told(await posted(url, {"query": "{ _service { sdl } }"}, headers))
    beside = place.file.with_name(f"{place.file.stem}{SUBGRAPH}")
    words = {"title": said.title or said.name, "owner": said.owner or said.name, "contact": said.contact}
    written = _MANIFEST.format(name=said.name, variable=variable(said.name), sdl=beside.name, grade=grade, **words)
    if said.print_only:
        print(written, end="")
        return 0
    wrong = _faults(place.folder, place.file, written, beside, text)
    if wrong:
        raise Fault("子图未通过检查，未写入。", "The subgraph does not fit and was not written:\n" + "\n".join(wrong))
    if beside.exists():
        raise Fault(f"{beside} 已存在，不会覆盖。", f"{beside} is there already and is not overwritten; name another by --out.")
    place.file.parent.mkdir(parents=True, exist_ok=True)
    beside.write_text(text, encoding="utf-8")
    place.file.write_text(written, encoding="utf-8")
    print(f"wrote {place.file}, and {beside.name} beside it")
    print(f"  give its address: {variable(said.name)}{f'={url}' if url else ''} in the environment, or in [variables] of hub.toml")
    print(f"  next: hub check {place.folder}; hub dev --systems {place.folder}")
    return 0


def _told(answer: Any) -> str:
    """The SDL in the answer to ``_service``."""
    try:
        found = answer["data"]["_service"]["sdl"]
    except (KeyError, TypeError):
        raise SourceError("invalid", "The source is no subgraph: it does not answer { _service { sdl } }. Give its SDL by --sdl.") from None
    return str(found)


def _faults(folder: Path, file: Path, written: str, beside: Path, text: str) -> list[str]:
    """What is wrong with it among the others."""
    others = load_systems(folder, shown=folder.name) if folder.is_dir() else []
    made = with_subgraph(parse_manifest(written, str(file)), {str(beside): text})
    whole = compose(canonical(), [*others, made], kinds=frozenset(kinds.known()))
    return [format_fault(fault) for fault in whole.faults if fault.is_error]
