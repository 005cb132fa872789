"""Where the rows of a binding have a canonical field. Knows the registry alone."""

from __future__ import annotations

from schema.registry import Binding, Served


def column_of(binding: Binding, path: str) -> str | None:
    """The column with the plain value at ``path``, dotted within objects; None where the rows do not have it as one."""
    parts: dict[str, Served] = dict(binding.fields)
    served: Served | None = None
    for name in path.split("."):
        served = parts.get(name)
        if served is None or served.many or served.typename is not None:
            return None
        parts = dict(served.parts)
    return served.column if served is not None and served.type is None else None
