"""``python -m demo.estate [NAME]``: one subgraph, or each in a process of its own until Ctrl-C."""

from __future__ import annotations

import subprocess
import sys

import uvicorn
from strawberry.asgi import GraphQL

from demo.estate import PORTS, schema


def main(*names: str) -> int:
    """Exit code 2 for a subgraph that there is not."""
    if any(name not in PORTS for name in names):
        print(f"没有这个子图。 There is no such subgraph; there are: {', '.join(PORTS)}", file=sys.stderr)
        return 2
    if len(names) == 1:
        uvicorn.run(GraphQL(schema(names[0]), graphql_ide=None), host="127.0.0.1", port=PORTS[names[0]], log_level="warning")
        return 0
    running = {name: subprocess.Popen([sys.executable, "-m", "demo.estate", name]) for name in names or PORTS}
    for name, process in running.items():
        print(f"{name:12} http://127.0.0.1:{PORTS[name]}/graphql  pid {process.pid}", flush=True)
    try:
        for process in running.values():
            process.wait()
    except KeyboardInterrupt:
        for process in running.values():
            process.terminate()
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
