"""A federation of three subgraphs, as departments run them today: Strawberry's own, over a handful of rows. Knows nothing of the hub.

``python -m demo.estate`` serves all three, ``python -m demo.estate NAME[=PORT]...`` some;
``supergraph.graphql`` is what the reference composition library makes of them.
"""

from __future__ import annotations

from importlib import import_module

from strawberry.federation import Schema

PORTS = {"enterprises": 4101, "permits": 4102, "inspections": 4103}


def schema(name: str) -> Schema:
    """The subgraph of that name. Raises KeyError."""
    module = import_module(f"demo.estate.{_known(name)}")
    mutation, types = getattr(module, "Mutation", None), getattr(module, "TYPES", ())
    return Schema(query=module.Query, mutation=mutation, types=types, federation_version="2.9")


def _known(name: str) -> str:
    if name not in PORTS:
        raise KeyError(name)
    return name
