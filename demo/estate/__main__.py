"""``python -m demo.estate [NAME[=PORT]]...``: one subgraph, or each in a process of its own until Ctrl-C."""

from __future__ import annotations

import subprocess
import sys

import uvicorn
from strawberry.asgi import GraphQL

from demo.estate import PORTS, schema


def main(*words: str) -> int:
    """Exit code 2 for a subgraph that there is not."""
    given = {name: port for name, _, port in (word.partition("=") for word in words or PORTS)}
    if any(name not in PORTS or not (port or "0").isdigit() for name, port in given.items()):
        print(f"没有这个子图。 There is no such subgraph; there are: {', '.join(PORTS)}", file=sys.stderr)
        return 2
    ports = {name: int(port or PORTS[name]) for name, port in given.items()}
    if len(ports) == 1:
        ((name, port),) = ports.items()
        uvicorn.run(GraphQL(schema(name), graphql_ide=None), host="127.0.0.1", port=port, log_level="warning")
        return 0
    running = {name: subprocess.Popen([sys.executable, "-m", "demo.estate", f"{name}={port}"]) for name, port in ports.items()}
    for name, process in running.items():
        print(f"{name:12} http://127.0.0.1:{ports[name]}/graphql  pid {process.pid}", flush=True)
    try:
        for process in running.values():
            process.wait()
    except KeyboardInterrupt:
        for process in running.values():
            process.terminate()
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
