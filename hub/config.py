"""``hub.toml``: what a deployment decides. Read whole, checked whole: every fault at once, each with its place and a suggestion.

Any setting can be given by the environment instead: ``HUB_<SECTION>_<SETTING>``, as in ``HUB_HTTP_PORT=9000`` (lists separated by
commas). Secrets never stand here; they are named, and found by ``hub.environment``. Must not know what the settings do.
"""

from __future__ import annotations

import difflib
import re
import tomllib
import types
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Meta, Struct

Seconds = Annotated[float, Meta(gt=0, extra={"unit": "seconds"})]
Bytes = Annotated[int, Meta(gt=0, extra={"unit": "bytes"})]
Count = Annotated[int, Meta(gt=0)]


class Http(Struct, frozen=True):
    """``proxies`` are addresses whose forwarded headers are believed. ``partial_status`` answers data with errors; 294 is the first
    edition's, for clients that know it. ``trust_request_id`` takes ``X-Request-Id`` over from a gateway.
    """

    host: str = "127.0.0.1"
    port: Annotated[int, Meta(ge=0, le=65535)] = 8000
    path: Annotated[str, Meta(pattern="^/[A-Za-z0-9._~/-]*[A-Za-z0-9._~-]$")] = "/graphql"
    origins: tuple[str, ...] = ()
    proxies: tuple[str, ...] = ()
    drain: Seconds = 10.0
    partial_status: Literal[200, 294] = 200
    trust_request_id: bool = False
    explorer: bool = True
    metrics: bool = True


class LimitsConfig(Struct, frozen=True):
    """Of one request; see ``hub.serve.limits.Limits``."""

    body: Bytes = 1_000_000
    tokens: Count = 10_000
    depth: Annotated[int, Meta(gt=0, le=100)] = 20
    fields: Count = 5_000
    root_fields: Count = 100
    aliases: Count = 200
    directives: Count = 100
    fragments: Count = 300
    repeats: Count = 50_000


class EngineConfig(Struct, frozen=True):
    """``deadline`` for a whole request. ``max_errors`` in one answer; one more says how many were left out. ``documents``, ``operations``
    and ``plans`` are what may be kept of each in memory, ``cache`` what may be kept of sources' answers. ``max_scan`` is how many rows are
    looked at here where a source cannot narrow, order or count a list by itself. ``incremental`` answers ``@defer`` in parts
    (multipart/mixed), as Strawberry does with ``enable_experimental_incremental_execution``; without it what is deferred comes at once.
    ``subgraph`` answers ``_service`` and ``_entities``, so that other routers can federate the hub."""

    deadline: Seconds = 10.0
    max_errors: Count = 100
    documents: Bytes = 64_000_000
    operations: Bytes = 64_000_000
    plans: Bytes = 64_000_000
    cache: Bytes = 64_000_000
    max_scan: Count = 5_000
    incremental: bool = False
    subgraph: bool = False


class SystemsConfig(Struct, frozen=True):
    """``folder`` of manifests; empty: those that come with the hub. ``data`` is where connectors keep what was delivered to them, one
    folder a system. ``reload`` watches the manifests and takes changes over while running."""

    folder: str = ""
    data: str = "var/systems"
    reload: bool = False


class StoreConfig(Struct, frozen=True):
    """``url`` is ``sqlite:///file`` or ``postgresql://…``. ``key_file`` encrypts the signing keys; it is made with mode 0600."""

    url: str = "sqlite:///var/hub.sqlite"
    key_file: str = "var/hub.key"


class AuthConfig(Struct, frozen=True):
    """``issuer`` is the hub's public address (https); empty: the address it listens on. ``lifetime`` of an access token."""

    issuer: str = ""
    audience: str = ""
    lifetime: Annotated[float, Meta(ge=1, le=86_400, extra={"unit": "seconds"})] = 3600.0


class SecretsConfig(Struct, frozen=True):
    """``folder`` holds one file per secret, named as the secret; searched after the environment and before ``/run/secrets``."""

    folder: str = ""


class LogsConfig(Struct, frozen=True):
    """``form`` is ``json`` for machines or ``text`` for people."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    form: Literal["json", "text"] = "json"


class Config(Struct, frozen=True):
    """All of ``hub.toml``. ``variables`` fill ``${NAME}`` in manifests where the environment does not. ``home`` is the folder that
    relative paths start from: that of the file, or the current one.
    """

    http: Http = Http()
    limits: LimitsConfig = LimitsConfig()
    engine: EngineConfig = EngineConfig()
    systems: SystemsConfig = SystemsConfig()
    store: StoreConfig = StoreConfig()
    auth: AuthConfig = AuthConfig()
    secrets: SecretsConfig = SecretsConfig()
    logs: LogsConfig = LogsConfig()
    variables: Mapping[str, str] = {}
    home: Path = Path()

    def at(self, path: str) -> Path:
        """``path``, taken from ``home`` when it is relative."""
        return self.home / Path(path).expanduser()

    def store_url(self) -> str:
        """The store's URL with a relative SQLite file taken from ``home``."""
        match = re.fullmatch(r"(sqlite[^:]*):///([^/].*)", self.store.url)
        return f"{match[1]}:///{self.at(match[2]).absolute()}" if match and match[2] != ":memory:" else self.store.url


@dataclass(frozen=True, slots=True)
class ConfigFault:
    """``setting`` is dotted (``http.port``), ``place`` the file and line, or the environment variable."""

    place: str
    setting: str
    zh: str
    en: str

    def __str__(self) -> str:
        return f"{self.place} {self.setting}: {self.zh} {self.en}"


class BadConfig(Exception):
    """The configuration cannot be used. ``faults`` are all of them."""

    def __init__(self, faults: Iterable[ConfigFault]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(map(str, self.faults)))


def load(file: Path | None, environ: Mapping[str, str]) -> Config:
    """Read ``file`` (None: defaults alone) and the overrides in ``environ``. Raises BadConfig."""
    faults: list[ConfigFault] = []
    data: dict[str, Any] = {}
    where = _Places("", "")
    home = Path.cwd()
    if file is not None:
        home = file.absolute().parent
        try:
            text = file.read_text(encoding="utf-8")
            where = _Places(str(file), text)
            data = tomllib.loads(text)
        except (OSError, UnicodeDecodeError) as error:
            raise BadConfig([ConfigFault(str(file), "-", "无法读取配置文件。", f"The file cannot be read: {error}.")]) from None
        except tomllib.TOMLDecodeError as error:
            raise BadConfig([ConfigFault(str(file), "-", "不是有效的 TOML。", f"Not valid TOML: {error}.")]) from None
    sections = _sections()
    values = {name: dict(_section(name, kind, data.pop(name, {}), where, faults)) for name, kind in sections.items()}
    variables = _variables(data.pop("variables", {}), where, faults)
    for name in data:
        known = [*sections, "variables"]
        faults.append(ConfigFault(where.of(name), name, "未知的配置节。", f"Unknown section.{_nearest(name, known)}"))
    for section, setting, value in _overrides(environ, sections, faults):
        values[section][setting] = value
    if faults:
        raise BadConfig(sorted(faults, key=_order))
    read: dict[str, Any] = {name: kind(**values[name]) for name, kind in sections.items()}
    return Config(**read, variables=variables, home=home)


def find(given: Path | None, environ: Mapping[str, str]) -> Path | None:
    """The file to read: the one given, ``HUB_CONFIG``, ``hub.toml`` in the current folder, or none."""
    if given is not None:
        return given
    if environ.get("HUB_CONFIG"):
        return Path(environ["HUB_CONFIG"])
    here = Path("hub.toml")
    return here if here.is_file() else None


def settings() -> Iterator[tuple[str, str, Any, Any]]:
    """(section, setting, type, default) of every setting, for documentation and tests."""
    for section, kind in _sections().items():
        defaults = kind()
        for name, hint in _hints(kind).items():
            yield section, name, hint, getattr(defaults, name)


def _order(fault: ConfigFault) -> tuple[str, int, str]:
    """By file and line; the environment's come last."""
    place, _, line = fault.place.rpartition(":")
    return ("~" + fault.place, 0, "") if fault.place.startswith("$") else (place, int(line) if line.isdigit() else 0, fault.setting)


def _sections() -> dict[str, type[Struct]]:
    return {name: hint for name, hint in _hints(Config).items() if isinstance(hint, type) and issubclass(hint, Struct)}


def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind, include_extras=True)


def _section(section: str, kind: type[Struct], data: Any, where: _Places, faults: list[ConfigFault]) -> Iterator[tuple[str, Any]]:
    if not isinstance(data, dict):
        faults.append(ConfigFault(where.of(section), section, "应为一个配置节。", f"A section is written as [{section}]."))
        return
    hints = _hints(kind)
    for name, value in data.items():
        place, setting = where.of(section, name), f"{section}.{name}"
        if name not in hints:
            faults.append(ConfigFault(place, setting, "未知的设置。", f"Unknown setting.{_nearest(name, hints)}"))
            continue
        try:
            yield name, _convert(value, hints[name], strict=True)
        except ValueError as error:
            faults.append(ConfigFault(place, setting, "取值无效。", f"{error}."))


def _variables(data: Any, where: _Places, faults: list[ConfigFault]) -> Mapping[str, str]:
    if not isinstance(data, dict):
        faults.append(ConfigFault(where.of("variables"), "variables", "应为一个配置节。", "A section is written as [variables]."))
        return {}
    for name, value in data.items():
        if not isinstance(value, str):
            faults.append(ConfigFault(where.of("variables", name), f"variables.{name}", "应为字符串。", "A variable is a string."))
    return types.MappingProxyType({name: value for name, value in data.items() if isinstance(value, str)})


def _overrides(
    environ: Mapping[str, str], sections: Mapping[str, type[Struct]], faults: list[ConfigFault]
) -> Iterator[tuple[str, str, Any]]:
    for variable, text in sorted(environ.items()):
        if not variable.startswith("HUB_"):
            continue
        section, _, setting = variable.removeprefix("HUB_").lower().partition("_")
        if section not in sections:  # other people's variables begin with HUB_ too
            continue
        hints = _hints(sections[section])
        if setting not in hints:
            name = f"{section}.{setting}"
            faults.append(ConfigFault(f"${variable}", name, "未知的设置。", f"Unknown setting.{_nearest(setting, hints)}"))
            continue
        try:
            yield section, setting, _convert(_listed(text, hints[setting]), hints[setting], strict=False)
        except ValueError as error:
            faults.append(ConfigFault(f"${variable}", f"{section}.{setting}", "取值无效。", f"{error}."))


def _listed(text: str, hint: Any) -> Any:
    if get_origin(hint) is tuple:
        return [part.strip() for part in text.split(",") if part.strip()]
    return text


def _convert(value: Any, hint: Any, *, strict: bool) -> Any:
    """``value`` as ``hint``; times may be written ``"10s"`` and sizes ``"1MB"``. Raises ValueError."""
    unit = next((m.extra["unit"] for m in get_args(hint)[1:] if isinstance(m, Meta) and m.extra), None)
    if unit == "seconds" and isinstance(value, str):
        value = seconds(value)
    elif unit == "bytes" and isinstance(value, str):
        value = size(value)
    if isinstance(value, bool) and hint is not bool:  # a bool is an int in Python, but not here
        raise ValueError("Expected something else than true or false")
    try:
        return msgspec.convert(value, hint, strict=strict)
    except msgspec.ValidationError as error:
        raise ValueError(str(error)) from None


_TIMES = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "": 1.0}
_SIZES = {"B": 1, "KB": 1000, "MB": 1000_000, "GB": 1000_000_000, "": 1}


def seconds(text: str) -> float:
    """``"500ms"``, ``"10s"``, ``"2m"``, ``"1h"``. Raises ValueError."""
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*(ms|s|m|h|)\s*", text)
    if match is None:
        raise ValueError('Expected a time such as "500ms", "10s", "2m" or "1h"')
    return float(match[1]) * _TIMES[match[2]]


def size(text: str) -> int:
    """``"1MB"``, ``"64KB"``, a number of bytes. Raises ValueError."""
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*(B|KB|MB|GB|)\s*", text.upper())
    if match is None:
        raise ValueError('Expected a size such as "64KB" or "1MB"')
    return int(float(match[1]) * _SIZES[match[2]])


def _nearest(name: str, known: Iterable[str]) -> str:
    known = list(known)
    found = difflib.get_close_matches(name, known, n=1)
    return f" Did you mean `{found[0]}`?" if found else f" Known are: {', '.join(known)}."


class _Places:
    """Lines of tables and settings in a TOML text, for messages; tomllib does not tell them."""

    def __init__(self, file: str, text: str) -> None:
        self.file = file
        self.lines: dict[tuple[str, ...], int] = {}
        section = ""
        for number, line in enumerate(text.splitlines(), 1):
            if head := re.match(r"\s*\[\s*([\w-]+)\s*\]", line):
                section = head[1]
                self.lines.setdefault((section,), number)
            elif entry := re.match(r"\s*([\w-]+)\s*(?:\.\s*([\w-]+)\s*)?=", line):
                path = tuple(part for part in (section, entry[1], entry[2]) if part)
                self.lines.setdefault(path, number)
                self.lines.setdefault(path[:1], number)

    def of(self, *path: str) -> str:
        line = self.lines.get(path) or self.lines.get(path[:1])
        return f"{self.file}:{line}" if line else self.file
