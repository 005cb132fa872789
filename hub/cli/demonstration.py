"""``hub demo``: the simulated departments and a hub in front of them, one question answered by all, then serving.

Everything it keeps lies in a temporary folder. All data are made from a seed; the right answer is computed from the same seed,
without the hub.
"""

from __future__ import annotations

import asyncio
import base64
import os
import sys
import tempfile
import webbrowser
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import orjson
from rich.console import Console
from rich.json import JSON
from rich.rule import Rule

from auth.policy import OPERATING
from auth.principal import Audience, Principal
from connectors.spi import Secret
from demo.question import WHOLE
from demo.seed import world
from demo.supervisor import DepartmentFailed, Departments
from hub import app, application
from hub.cli.shared import Fault
from hub.config import Config, Http, LogsConfig, StoreConfig
from hub.environment import Environment
from hub.serve import logs
from hub.serve.server import address_of, listen
from schema.coordinates import Grade

CEILINGS = {Audience.APP: Grade.L2, Audience.PARTNER: Grade.L3, Audience.OPERATOR: Grade.L4}
_NAMES = {Audience.APP: "演示应用", Audience.PARTNER: "演示外省", Audience.OPERATOR: "演示运维"}


@dataclass(slots=True)
class Callers:
    """The demo's clients, one of each kind, and a token of each."""

    clients: list[dict[str, Any]] = field(default_factory=list)
    tokens: dict[str, str | None] = field(default_factory=lambda: {"anonymous": None})


async def demo(*, once: bool, port: int, ready_file: Path | None, open_browser: bool) -> int:
    """Exit code 0 if the answer is the one computed from the seed (with ``once``; otherwise when stopped)."""
    logs.configure("warning", "text")
    show, tell = Console(highlight=False, soft_wrap=True), Console(stderr=True)
    with tempfile.TemporaryDirectory(prefix="hub-demo-") as folder:
        config = Config(
            http=Http(port=port),
            logs=LogsConfig(level="warning", form="text"),
            store=StoreConfig(url="sqlite:///hub.sqlite", key_file="hub.key"),
            home=Path(folder),
        )
        listening = listen(config.http)
        address = address_of(listening)
        async with AsyncExitStack() as stack:
            with tell.status("启动部门系统 Starting the departments ...") as status:
                departments = await _departments(stack)
                status.update("组合系统清单 Composing the manifests ...")
                hub = await stack.enter_async_context(app.Hub.open(config, _given(departments, config), address=address))
                serving = await stack.enter_async_context(_served(hub, listening))
                status.update("登记调用方 Registering callers ...")
                callers = await _callers(hub)
                status.update("提问 Asking ...")
                asked = await _ask(hub, address, callers)
            _show(asked, show)
            _write(ready_file, address, hub, callers, departments)
            if once:
                return 0 if asked.right else 1
            _tell(show, address, hub, callers)
            if open_browser:
                _open(address)
            await serving
            return 0


async def _departments(stack: AsyncExitStack) -> Departments:
    try:
        return await stack.enter_async_context(Departments())
    except DepartmentFailed as error:
        raise Fault("部门系统未能启动。", f"The departments did not start: {error}.") from None


def _given(departments: Departments, config: Config) -> Environment:
    """What the departments say of themselves: addresses as variables, and secrets, whose names have a dot."""
    said = departments.environment()
    variables = {name: value for name, value in said.items() if "." not in name}
    return Environment(variables, {name: Secret(value) for name, value in said.items() if "." in name}, data=config.at("systems"))


@asynccontextmanager
async def _served(hub: app.Hub, listening: Any) -> AsyncIterator[asyncio.Task[None]]:
    """The hub, serving in a task; told to stop on leaving."""
    server = application.server(hub)
    task = asyncio.create_task(application.serve(hub, listening, server))
    try:
        yield task
    finally:
        if not task.done():
            server.stop()
        await task


async def _callers(hub: app.Hub) -> Callers:
    """A client of each kind, registered, with a token from the token endpoint's own code."""
    found = Callers()
    known = app.scopes(hub.composition.registry.coordinates)
    for audience, ceiling in CEILINGS.items():
        id = f"demo-{audience.value}"
        scopes = [scope for scope in known if scope not in OPERATING or audience is Audience.OPERATOR]
        secret = await hub.store.add_client(id, _NAMES[audience], audience, ceiling, scopes)
        basic = base64.b64encode(f"{id}:{secret}".encode()).decode()
        answer = await hub.tokens.token({"grant_type": "client_credentials"}, f"Basic {basic}")
        found.clients.append({"id": id, "secret": secret, "scopes": scopes})
        found.tokens[audience.value] = answer.body["access_token"]
    return found


@dataclass(frozen=True, slots=True)
class Asked:
    """The demo's question as it went: the plan, the answer, and whether that is the one computed from the seed."""

    plan: str
    answer: Any
    right: bool


async def _ask(hub: app.Hub, address: str, callers: Callers) -> Asked:
    """Ask over HTTP, as an app would."""
    principal = Principal("demo-app", Audience.APP, frozenset(callers.clients[0]["scopes"]), CEILINGS[Audience.APP])
    plan = hub.engine.explain(hub.engine.parse(WHOLE.query), WHOLE.variables, principal=principal)
    headers = {"authorization": f"Bearer {callers.tokens['app']}", "accept": "application/graphql-response+json"}
    payload = {"query": WHOLE.query, "variables": dict(WHOLE.variables)}
    url = address + hub.config.http.path
    async with aiohttp.ClientSession() as session, session.post(url, json=payload, headers=headers) as response:
        answer = orjson.loads(await response.read())
    return Asked(plan, answer, is_right(answer))


def is_right(answer: Any) -> bool:
    """Whether it is the answer computed from the seed, with no error."""
    return "errors" not in answer and bool(answer.get("data") == WHOLE.answer(world()))


def _show(asked: Asked, show: Console) -> None:
    variables = orjson.dumps(dict(WHOLE.variables)).decode()
    for title, text in (("问题 Question", f"{WHOLE.query.strip()}\n\n{variables}"), ("计划 Plan", asked.plan)):
        show.print(Rule(title, align="left"))
        show.print(text, markup=False)
    show.print(Rule("应答 Answer", align="left"))
    show.print(JSON(orjson.dumps(asked.answer).decode(), ensure_ascii=False))
    if asked.right:
        show.print(Rule("应答与种子数据一致 The answer equals what is computed from the seed", align="left", style="green"))
    else:
        show.print(Rule("应答与种子数据不一致 The answer is NOT what is computed from the seed", align="left", style="red"))


def _tell(show: Console, address: str, hub: app.Hub, callers: Callers) -> None:
    endpoint = address + hub.config.http.path
    show.print(f"GraphQL         {endpoint}")
    show.print(f"查询页面 page   {address}/explorer")
    show.print(f"令牌端点 tokens {hub.issuer.token_endpoint}")
    for found in callers.clients:
        show.print(f"调用方 client   {found['id']}  {found['secret']}", markup=False)
    for name, token in callers.tokens.items():
        if token:
            show.print(f"令牌 token      {name}  {token}", markup=False)
    query = orjson.dumps({"query": "{ hub { systems { name title } } }"}).decode()
    show.print(f"\n试一试 Try:\n  curl {endpoint} -H 'content-type: application/json' -d '{query}'", markup=False)
    show.print("Ctrl-C 停止 to stop")


def _write(ready_file: Path | None, address: str, hub: app.Hub, callers: Callers, departments: Departments) -> None:
    """Written aside and moved into place: whoever waits for the file never reads half of it."""
    if ready_file is None:
        return
    ready = {
        "endpoint": address + hub.config.http.path,
        "issuer": hub.issuer.url,
        "tokens": callers.tokens,
        "clients": callers.clients,
        "departments": departments.listing(),
        "pid": os.getpid(),
    }
    ready_file = ready_file.absolute()
    ready_file.parent.mkdir(parents=True, exist_ok=True)
    aside = ready_file.with_name(f".{ready_file.name}.{os.getpid()}")
    # It holds secrets, if only of a demo.
    handle = os.open(aside, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(msgspec.json.format(orjson.dumps(ready), indent=2) + b"\n")
    os.replace(aside, ready_file)


def _open(address: str) -> None:
    """A browser, where there is somebody to look at it."""
    if sys.stdout.isatty() and (sys.platform in ("darwin", "win32") or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        webbrowser.open(f"{address}/explorer")
