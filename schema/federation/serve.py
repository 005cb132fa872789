"""A composed supergraph as a composition: what a hub serves without any manifest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from hashlib import sha256

from graphql import GraphQLSchema

from schema.compose import Composition
from schema.faults import Fault
from schema.federation.compile import registry
from schema.federation.supergraph import read
from schema.registry import Registry


def composition(text: str, file: str, urls: Mapping[str, str]) -> Composition:
    """Read a supergraph; ``urls`` are where subgraphs are instead of where it says. Never raises for what the text says."""
    found = read(text, file)
    faults = list(found.faults)
    if found.federation is not None:
        graphs = found.federation.graphs
        faults += [_unknown(name, file, tuple(graphs)) for name in urls if name not in graphs]
        moved = {name: replace(graph, url=urls.get(name, graph.url)) for name, graph in graphs.items()}
        faults += [_nowhere(name, file) for name, graph in moved.items() if not graph.url]
    if found.federation is None or found.schema is None or any(fault.is_error for fault in faults):
        return Composition(GraphQLSchema(), Registry({}, {}, {}, {}, {}, {}, {}, {}), tuple(faults))  # type: ignore[arg-type]
    epoch = sha256("\n".join((text, *(f"{name} {graph.url}" for name, graph in sorted(moved.items())))).encode()).hexdigest()[:16]
    federation = replace(found.federation, graphs=moved, epoch=epoch)
    return Composition(found.schema, registry(federation, found.coordinates, epoch, file), tuple(faults))


def _unknown(name: str, file: str, names: tuple[str, ...]) -> Fault:
    return Fault(file, 1, 1, "NO_SYSTEM", f"There is no subgraph '{name}' to give an address for.", f"these are there: {', '.join(names)}")


def _nowhere(name: str, file: str) -> Fault:
    return Fault(file, 1, 1, "NO_SYSTEM", f"The supergraph does not say where '{name}' is.", f"give it: --url {name}=https://…")
