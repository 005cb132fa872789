"""``hub add``: a source is read, a manifest proposed, checked together with all others, and written where none is."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from connectors import kinds
from connectors.spi import SourceError
from hub.cli.shared import Fault, configured, counted, with_folder
from hub.connected import composed
from hub.environment import Environment, environment, fill, secret_variable
from hub.introspect.canon import canon
from hub.introspect.found import Found
from hub.introspect.propose import propose
from hub.introspect.sketch import Sketch
from hub.introspect.write import manifest
from schema.canonical import canonical
from schema.compose import Composition, compose, load_systems, parse_manifest
from schema.coordinates import Grade
from schema.faults import format_fault
from schema.manifest import SYSTEM_NAME


@dataclass(frozen=True, slots=True)
class Said:
    """What every ``hub add`` is told."""

    name: str
    title: str
    owner: str
    contact: str
    department: str
    systems: Path | None
    out: Path | None
    print_only: bool
    config: Path | None


async def sql(said: Said, url: str, *, tables: Sequence[str], schema: str) -> int:
    """Exit code 0 when the manifest was written. Raises SourceError, Fault, BadConfig."""
    from hub.introspect.tables import find

    place = ready(said)
    url = _expanded(said, url or f"${{{variable(said.name)}}}")
    found = await find(url, variable=variable(said.name), tables=tables, schema=schema)
    return finish(said, place, found)


async def rest(said: Said, place: str, *, operations: Sequence[str], headers: Sequence[str]) -> int:
    """The same of an OpenAPI document."""
    from hub.introspect.openapi import find

    target = ready(said)
    found, address = await find(
        _expanded(said, place), name=said.name, variable=variable(said.name), operations=operations, headers=headers_of(headers)
    )
    return finish(said, target, found, address)


async def graphql(said: Said, url: str, *, schema: str, fields: Sequence[str], headers: Sequence[str]) -> int:
    """The same of a GraphQL endpoint or schema."""
    from hub.introspect.graphs import find

    if not url and not schema:
        raise Fault("请给出 --url 或 --schema。", "Say where its schema is: --url ENDPOINT, or --schema FILE.")
    target = ready(said)
    url = _expanded(said, url)
    found = await find(url=url, schema=schema, variable=variable(said.name), fields=fields, headers=headers_of(headers))
    return finish(said, target, found, url)


async def soap(said: Said, place: str, *, port: str, operations: Sequence[str], headers: Sequence[str]) -> int:
    """The same of a WSDL, which is put beside the manifest together with what it imports."""
    kinds.load("soap")  # says what to install where its packages are missing
    from hub.introspect.wsdl import find

    target = ready(said)
    described = await find(
        _expanded(said, place),
        name=said.name,
        variable=variable(said.name),
        beside=target.file.parent,
        port=port,
        operations=operations,
        headers=headers_of(headers),
    )
    return finish(said, target, described.found, described.address, described.files)


async def grpc(said: Said, target: str, *, methods: Sequence[str], headers: Sequence[str]) -> int:
    """The same of a gRPC server, by reflection."""
    kinds.load("grpc")
    from hub.introspect.protos import find

    place = ready(said)
    own = variable(said.name, "ADDRESS")
    target = _expanded(said, target or f"${{{own}}}")
    found = await find(target, variable=own, methods=methods, headers=headers_of(headers), beside=str(place.file.parent))
    return finish(said, place, found, target)


async def files(said: Said, url: str, *, patterns: Sequence[str]) -> int:
    """The same of a folder: a path, ``sftp://`` or ``s3://``. What the deployment gives for it by name is used, and written by name."""
    kinds.load("files")
    from connectors.files import FilesSettings
    from hub.introspect.folder import Folder, find

    target = ready(said)
    own = variable(said.name)
    address, local = _folder(_expanded(said, url or f"${{{own}}}"))
    given = environment(configured(said.config), os.environ)
    source: dict[str, Any] = {"base": f"${{{own}}}"}
    if not local:
        stem = own.removesuffix("_URL")
        source |= {word: f"${{{stem}_{end}}}" for word, end in _BESIDE.items() if f"{stem}_{end}" in given.variables}
        auth = {"user": f"{said.name}.user", "secret": f"{said.name}.password"}
        known = {part: secret for part, secret in auth.items() if given.secret(secret) is not None}
        source |= {"auth": {"kind": "BASIC", **known}} if known else {}
    filled = fill(source, replace(given, variables={**given.variables, own: address}))
    found = await find(Folder(FilesSettings.of(filled.options), source), patterns=patterns)
    return finish(said, target, found, address if local else "")


def _folder(address: str) -> tuple[str, bool]:
    """(the address as hub.toml needs it, whether it is a folder of this machine)."""
    address = address.removeprefix("file://")
    return (address, False) if "://" in address else (str(Path(address).absolute()), True)


_BESIDE = {"hostKey": "HOST_KEY", "endpoint": "ENDPOINT"}  # what else @files says of a folder -> the end of its variable's name


async def stream(said: Said, url: str, subject: str, *, keys: Sequence[str], samples: Path | None, wait: float) -> int:
    """The same of a subject, topic or queue, by messages that its broker shows or that lie in a file."""
    kinds.load("stream")
    from connectors.streams import StreamSettings
    from hub.introspect import stream as streams

    target = ready(said)
    own = variable(said.name)
    address = _expanded(said, url)
    given = environment(configured(said.config), os.environ)
    source: dict[str, Any] = {"url": f"${{{own}}}", **_credential(said, given)}
    settings = StreamSettings.of(fill(source, replace(given, variables={**given.variables, own: address})).options)
    try:
        messages = streams.lines(samples) if samples else await streams.looked(settings, subject, seconds=wait)
    except SourceError as error:
        detail = f" ({error.detail})" if error.detail else ""
        raise Fault(f"无法读取 {samples or subject}。", f"{error.kind}: {error.message}{detail}") from None
    if not messages:
        en = f"missing: No message came from {subject} within {wait:g} seconds. Wait longer by --wait, or give messages by --samples FILE."
        raise Fault("没有收到消息。", en if not samples else f"missing: There is no message in {samples}.")
    read = streams.read(messages, subject, max_bytes=settings.max_bytes)
    if not read.rows:
        why = ", ".join(sorted(set(read.bad)))
        raise Fault("消息不是 JSON 对象。", f"broken: None of {counted(len(messages), 'message')} is an object of JSON in UTF-8: {why}.")
    return finish(said, target, streams.find(read, subject, title=said.title, keys=keys, source=source), address)


def _credential(said: Said, given: Environment) -> dict[str, Any]:
    """``auth`` by the names of what the deployment gives: a user and a password, or a token."""
    names = {part: f"{said.name}.{part}" for part in ("user", "password", "token")}
    known = {part: name for part, name in names.items() if given.secret(name) is not None}
    if "token" in known:
        return {"auth": {"kind": "BEARER", "secret": known["token"]}}
    user = {"user": known["user"]} if "user" in known else {}
    return {"auth": {"kind": "BASIC", **user, "secret": known["password"]}} if "password" in known else {}


def _expanded(said: Said, text: str) -> str:
    """``${NAME}`` from the environment or hub.toml, so that a password need not stand on the command line. Raises Fault."""
    filled = fill({"url": text}, environment(configured(said.config), os.environ))
    if filled.missing:
        raise Fault(f"未提供 {text}。", f"Not given: {', '.join(filled.missing)}. Set it, or name the address on the command line.")
    return str(filled.options["url"])


def headers_of(given: Sequence[str]) -> dict[str, str]:
    """``X-Key: value`` by name. Raises Fault."""
    found = {}
    for each in given:
        name, colon, value = each.partition(":")
        if not colon or not name.strip():
            raise Fault("请求头应写作 NAME: VALUE。", "A header is written as NAME: VALUE.")
        found[name.strip()] = value.strip()
    return found


def variable(name: str, end: str = "URL") -> str:
    """``waterMeter`` → ``WATER_METER_URL``."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).upper() + f"_{end}"


@dataclass(frozen=True, slots=True)
class Target:
    """``file`` will be written; ``folder`` holds the manifests it has to fit in with, if there is one."""

    file: Path
    folder: Path


def ready(said: Said) -> Target:
    """Where to write, found before the source is asked. Raises Fault when that cannot be."""
    if not SYSTEM_NAME.fullmatch(said.name):
        en = f"'{said.name}' is no name of a system: letters and digits, a letter first."
        raise Fault("系统名只能由字母和数字组成，以字母开头。", en)
    config = with_folder(configured(said.config), said.systems)
    folder = config.at(config.systems.folder) if config.systems.folder else Path("systems")
    file = said.out or folder / said.department / f"{said.name}.graphql"
    if file.exists() and not said.print_only:
        raise Fault(f"{file} 已存在，不会覆盖。", f"{file} is there already and is not overwritten; name another by --out.")
    return Target(file, folder)


def finish(said: Said, place: Target, found: Found, address: str = "", beside: Mapping[str, bytes] | None = None) -> int:
    """Propose, check, write or print, and say what comes next. ``beside`` are files that go into the manifest's folder."""
    before = composed(place.folder) if place.folder.is_dir() else compose(canonical(), [], kinds=frozenset(kinds.known()))
    if said.name in before.registry.systems:
        other = before.registry.systems[said.name].file
        raise Fault(f"系统 {said.name} 已在 {other} 中描述。", f"The system {said.name} is described in {other} already.")
    sketch = propose(found, canon(before), name=said.name, title=said.title, owner=said.owner, contact=said.contact)
    if not sketch.types:
        raise Fault("没有可接入的内容。", "Nothing was found that a manifest can describe. " + " ".join(sketch.notes))
    text = manifest(sketch)
    if said.print_only:
        print(text, end="")
        return 0
    wrong = _faults(place, text)
    if wrong:
        print(text, file=sys.stderr)
        raise Fault("写出的清单未通过检查，未写入。", "The manifest does not pass its check and was not written:\n" + "\n".join(wrong))
    place.file.parent.mkdir(parents=True, exist_ok=True)
    files = {place.file.parent / each: content for each, content in (beside or {}).items()}
    for there in files:
        if there.exists():
            raise Fault(f"{there} 已存在，不会覆盖。", f"{there} is there already and is not overwritten; name it by --wsdl.")
    for there, content in files.items():
        with there.open("xb") as written:
            written.write(content)
    with place.file.open("x", encoding="utf-8") as file:
        file.write(text)
    _tell(said, place, sketch, found, address, list(beside or ()))
    return 0


def _faults(place: Target, text: str) -> list[str]:
    others = load_systems(place.folder, shown=place.folder.name) if place.folder.is_dir() else []
    name = str(place.file)
    whole: Composition = compose(canonical(), [*others, parse_manifest(text, name)], kinds=frozenset(kinds.known()))
    return [format_fault(fault) for fault in whole.faults if fault.is_error and fault.file == name]


def _tell(said: Said, place: Target, sketch: Sketch, found: Found, address: str, beside: Sequence[str]) -> None:
    bound = sum(len(made.bound) for made in sketch.types.values())
    added = [field for made in sketch.types.values() for field in made.added]
    careful = sum(field.grade is not None and field.grade >= Grade.L3 for field in added)
    read = counted(len(found.relations), "relation")
    print(f"wrote {place.file}: {read}, {counted(bound, 'field')} bound, {len(added)} contributed ({careful} of them L3)")
    for note in sketch.notes:
        print(f"  {note}")
    if beside:
        print(f"  beside it: {', '.join(beside)}")
    named = [name for name in dict.fromkeys(re.findall(r"\$\{(\w+)\}", str(sketch.source))) if name not in os.environ]
    if named:
        value = f"={address}" if address else ""
        print(f"  give its address: {', '.join(named)}{value} in the environment, or in [variables] of hub.toml")
    for secret in re.findall(r"'(?:secret|user)': '([^']+)'", str(sketch.source)):
        print(f"  give its secret: {secret_variable(secret)} in the environment, or a file named {secret} in the folder of secrets")
    print(f"  next: hub check {place.folder}; hub dev --systems {place.folder}")
