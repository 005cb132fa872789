"""What the deployment gives to manifests: values for ``${NAME}`` and secrets by name. Neither ever stands in a file of the project.

A variable comes from the process's environment, else from ``[variables]`` of hub.toml. A secret ``credit531x.key`` is the
environment variable ``HUB_SECRET_CREDIT531X_KEY``, else the file of that name in the configured folder, else in ``/run/secrets``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from connectors.spi import Secret
from hub.config import Config

_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
RUN_SECRETS = Path("/run/secrets")


@dataclass(frozen=True, slots=True)
class Environment:
    """``variables`` by name; ``secrets`` known at once, before any file is looked at; ``folders`` are searched in order.

    ``manifests`` is the folder of all manifests: the files that they name lie beside them. ``data`` is where connectors may keep things, a
    folder a system; None: nowhere but in passing.
    """

    variables: Mapping[str, str] = field(default_factory=dict, repr=False)
    secrets: Mapping[str, Secret] = field(default_factory=dict)
    folders: Sequence[Path] = ()
    manifests: Path | None = None
    data: Path | None = None

    def beside(self, file: str) -> str:
        """The folder of a manifest, whose file begins with the name of the folder of all; empty where that is not known."""
        return str((self.manifests / file.partition("/")[2]).parent.resolve()) if self.manifests is not None and file else ""

    def secret(self, name: str) -> Secret | None:
        """The secret of that name, or None. A file's last line break is not part of it."""
        if not _NAME.fullmatch(name):
            return None
        given = self.secrets.get(name)
        if given is not None:
            return given
        text = self.variables.get(secret_variable(name))
        if text is not None:
            return Secret(text)
        for folder in self.folders:
            try:
                return Secret((folder / name).read_text(encoding="utf-8").rstrip("\r\n"))
            except (OSError, UnicodeDecodeError):
                continue
        return None


def secret_variable(name: str) -> str:
    """``credit531x.key`` → ``HUB_SECRET_CREDIT531X_KEY``."""
    return "HUB_SECRET_" + re.sub(r"[^A-Za-z0-9]", "_", name).upper()


def environment(config: Config, environ: Mapping[str, str]) -> Environment:
    """The environment of a deployment."""
    folders = [config.at(config.secrets.folder)] if config.secrets.folder else []
    kept = config.at(config.systems.data).absolute()
    return Environment({**config.variables, **environ}, {}, (*folders, RUN_SECRETS), data=kept)


@dataclass(slots=True)
class Filled:
    """A system's options with variables and secrets in place. ``missing`` says, by name, what the deployment does not give."""

    options: dict[str, Any] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)


def fill(options: Mapping[str, Any], given: Environment) -> Filled:
    """Put variables and secrets into ``options``. Names of secrets stand under ``secret`` anywhere, under ``user`` within ``auth`` and
    ``security``, and under ``key`` within ``tls``."""
    filled = Filled()
    filled.options = {name: _filled(value, (name,), given, filled.missing) for name, value in options.items()}
    filled.missing = list(dict.fromkeys(filled.missing))
    return filled


def _filled(value: Any, path: tuple[str, ...], given: Environment, missing: list[str]) -> Any:
    if isinstance(value, Mapping):
        return {name: _filled(item, (*path, name), given, missing) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_filled(item, path, given, missing) for item in value]
    if not isinstance(value, str):
        return value
    if path[-1] == "secret" or path[-2:] in (("auth", "user"), ("security", "user"), ("tls", "key")):
        found = given.secret(value)
        if found is None:
            missing.append(f"secret {value} (environment {secret_variable(value)}, or a file)")
        return found

    def expand(match: re.Match[str]) -> str:
        if match[1] not in given.variables:
            missing.append(f"variable {match[1]}")
        return given.variables.get(match[1], "")

    return _VARIABLE.sub(expand, value)
