"""The table of kinds: which connector serves ``@rest``, ``@sql``, ``@soap`` and the others, and whatever is installed beside them.

Imports a kind only when it is asked for, so that a driver that nobody uses need not be there. A package adds kinds through the
entry-point group ``yiwang.connectors`` (name: the kind, value: ``module:Class``). Must not know what a kind does.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from connectors.settings import nearest, refused
from connectors.spi import Connector

KINDS: dict[str, str] = {
    "rest": "connectors.rest:RestConnector",
    "sql": "connectors.sql:SqlConnector",
    "graphql": "connectors.graphql:GraphqlConnector",
    "soap": "connectors.soap:SoapConnector",
    "grpc": "connectors.grpc:GrpcConnector",
    "files": "connectors.files:FilesConnector",
    "stream": "connectors.streams:StreamConnector",
}
GROUP = "yiwang.connectors"
# Words of a source directive that the engine reads, not the connector.
ENGINE_WORDS = frozenset({"limits", "cache", "stale", "federation"})


def known() -> dict[str, str]:
    """Kind → ``module:Class``, installed ones included; the hub's own come first, so that none can be replaced unnoticed."""
    return {**{point.name: point.value for point in sorted(entry_points(group=GROUP), key=lambda p: (p.name, p.value))}, **KINDS}


def load(kind: str) -> type[Connector]:
    """The class that serves ``kind``. Raises SourceError (config) for an unknown kind or a missing package, naming what to do."""
    table = KINDS if kind in KINDS else known()  # what is installed is read anew each time, and that takes as long as many connections
    if kind not in table:
        raise refused(f"no connector is installed for '{kind}'{nearest(kind, table)}")
    module, _, name = table[kind].partition(":")
    try:
        found = getattr(import_module(module), name)
    except ModuleNotFoundError as error:
        raise refused(f"the connector for '{kind}' needs the package '{error.name}', which is not installed") from None
    except AttributeError:
        raise refused(f"the connector for '{kind}' is not where its package says: {table[kind]}") from None
    if not (isinstance(found, type) and issubclass(found, Connector)):
        raise refused(f"the connector for '{kind}' is no Connector: {table[kind]}")
    return found


def connect(kind: str, options: Mapping[str, Any], *, system: str = "", beside: str = "", data: Path | None = None) -> Connector:
    """A connector from the words of a source directive, secrets resolved. Nothing is contacted. Raises SourceError (config).

    Folders go to kinds whose settings have a place for them: ``beside`` is the manifest's, where files that it names lie; ``data`` the
    deployment's, below which the system gets one of its own to keep things in.
    """
    found = load(kind)
    words = {name: value for name, value in options.items() if name not in ENGINE_WORDS}
    folders = {"beside": beside, "data": str(data / system) if data is not None else ""}
    words |= {name: folder for name, folder in folders.items() if folder and name in getattr(found.Settings, "__dataclass_fields__", {})}
    make = getattr(found.Settings, "of", None)
    return found(make(words) if make else found.Settings(**words), system=system)
