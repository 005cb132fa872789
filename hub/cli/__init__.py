"""The command ``hub``. Each command is a function in a module beside this one, imported when it runs, so that help is quick.

Exit codes: 0 done; 1 what was asked about is not as it should be (faults in manifests, a wrong answer, no such client);
2 wrong usage or configuration; 130 interrupted.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import App, Group, Parameter

import hub
from hub.cli import authoring
from hub.cli.running import READ_ENOUGH
from hub.cli.running import guarded as _guarded
from hub.cli.running import run as _run

app = App(
    name="hub",
    version=hub.__version__,
    help="""一网枢纽：一个 GraphQL 入口，汇集各部门系统的数据。 One GraphQL endpoint over all departmental systems.

Try it: `hub demo`. Then write a manifest, `hub check` it, look at the plan of a query with `hub explain`, and `hub serve`.""",
    help_format="markdown",
    version_flags=["--version"],
)
_RUN = Group("运行 Running", sort_key=1)
_LOOK = Group("查看 Looking", sort_key=2)
_KEEP = Group("维护 Keeping", sort_key=3)
authoring.register(app)

ConfigFile = Annotated[Path | None, Parameter(help="配置文件 hub.toml. Default: $HUB_CONFIG, ./hub.toml, or the defaults.")]
Folder = Annotated[Path | None, Parameter(help="系统清单目录 Folder of manifests. Default: as configured, else those of the hub.")]
GradeName = Literal["L1", "L2", "L3", "L4"]
AudienceName = Literal["anonymous", "app", "partner", "operator"]
ClientAudience = Literal["app", "partner", "operator"]


@app.command(group=_RUN)
def serve(
    *,
    config: ConfigFile = None,
    host: Annotated[str | None, Parameter(help="监听地址 Address to listen on.")] = None,
    port: Annotated[int | None, Parameter(help="端口 Port; 0 for any that is free.")] = None,
    systems: Folder = None,
    reload: Annotated[bool | None, Parameter(help="清单变化时自动更新 Take changes of the manifests over while running.")] = None,
    supergraph: Annotated[Path | None, Parameter(help="联邦超图 A composed supergraph (SDL), in place of manifests.")] = None,
    url: Annotated[tuple[str, ...], Parameter(help="子图地址 Where a subgraph is instead: NAME=URL.", negative="")] = (),
) -> int:
    """启动枢纽。 Serve the hub until it is told to stop (SIGTERM, Ctrl-C): then it drains.

    示例 For example:

        hub serve
        hub serve --systems ./systems --reload --port 9000
        HUB_STORE_URL=postgresql://hub@db/hub hub serve --config /etc/hub/hub.toml
        hub serve --supergraph supergraph.graphql --port 4000 --url reviews=http://127.0.0.1:4002/graphql
    """
    from hub.cli import serving

    if supergraph is not None:
        return _run(lambda: serving.serve_supergraph(config, supergraph, url, host=host, port=port, reload=reload))
    return _run(lambda: serving.serve(config, host=host, port=port, systems=systems, reload=reload))


@app.command(group=_RUN)
def demo(
    *,
    once: Annotated[bool, Parameter(help="提问一次即退出 Ask once and leave: 0 if the answer is right.", negative="")] = False,
    port: Annotated[int, Parameter(help="端口 Port; 0 for any that is free.")] = 8000,
    ready_file: Annotated[Path | None, Parameter(help="就绪后写入 Written when all is up: addresses, tokens, clients (JSON).")] = None,
    open: Annotated[bool, Parameter(help="在浏览器中打开 Open the query page in a browser.")] = True,
) -> int:
    """演示：在本机启动模拟的部门系统与枢纽。 Simulated departments and a hub on this machine, one question answered by all.

    Prints the question, its plan and its answer, then the endpoint and tokens, and serves until stopped. All data are made up.

    示例 For example:

        hub demo
        hub demo --once
        hub demo --port 0 --no-open --ready-file /tmp/hub.json
    """
    from hub.cli import demonstration

    return _run(lambda: demonstration.demo(once=once, port=port, ready_file=ready_file, open_browser=open))


@app.command(group=_LOOK)
def check(
    folder: Annotated[Path | None, Parameter(help="系统清单目录 Folder of manifests.")] = None,
    *,
    config: ConfigFile = None,
    json: Annotated[bool, Parameter(help="以 JSON 输出 Faults as JSON, for editors and scripts.", negative="")] = False,
    live: Annotated[bool, Parameter(help="连接各系统比对 Ask the systems, and compare tables, columns and fields.", negative="")] = False,
    all: Annotated[bool, Parameter(help="全部列出 Every fault; else the first 20 of each code.", negative="")] = False,
    explain: Annotated[str | None, Parameter(help="解释代码 What a code means, with a wrong and a right example.")] = None,
) -> int:
    """检查系统清单。 Check all manifests: every fault with its place and the edit that mends it. Exit code 1 if there are errors.

    示例 For example:

        hub check
        hub check ./systems --json
        hub check ./systems --live
        hub check --explain NO_BATCH
    """
    from hub.cli import living, looking

    if explain is not None:
        return looking.meaning(explain)
    if live:
        return _run(lambda: living.check(config, folder))
    return _guarded(lambda: looking.check(folder, config, as_json=json, everything=all))


@app.command(group=_LOOK)
def editor(
    folder: Annotated[Path | None, Parameter(help="系统清单目录 Folder of manifests.")] = None,
    *,
    config: ConfigFile = None,
) -> int:
    """供编辑器补全清单。 Write .graphqlrc.yml, by which an editor's GraphQL language server completes and explains manifests.

    Run it again after a manifest was added or the types changed.

    示例 For example:

        hub editor systems
    """
    from hub.cli import editing

    return _guarded(lambda: editing.write(folder, config))


@app.command(group=_LOOK)
def explain(
    query: Annotated[str, Parameter(help="查询文件，或 - 表示标准输入 File, or - for standard input.", allow_leading_hyphen=True)],
    *,
    config: ConfigFile = None,
    systems: Folder = None,
    operation: Annotated[str | None, Parameter(help="操作名 Which operation, if there are several.")] = None,
    variables: Annotated[str, Parameter(help="变量(JSON) Variables as JSON; conditions are decided by them.")] = "{}",
    grade: Annotated[GradeName, Parameter(help="调用方可见的最高分级 Highest grade that the caller may see.")] = "L4",
    scope: Annotated[list[str] | None, Parameter(help="调用方的权限范围 A scope of the caller's; may be repeated.")] = None,
    json: Annotated[bool, Parameter(help="以 JSON 输出 Print JSON.", negative=())] = False,
) -> int:
    """查看查询计划。 The plan of a query: which systems, by which keys, in which order. Nothing is called.

    示例 For example:

        hub explain query.graphql
        echo '{ enterprises(first: 3) { nodes { name creditScore { grade } } } }' | hub explain - --grade L1
    """
    from hub.cli import looking

    return _guarded(
        lambda: looking.explain(
            query, config, systems=systems, operation=operation, variables=variables, grade=grade, scopes=scope or [], as_json=json
        )
    )


@app.command(group=_LOOK)
def schema(
    *,
    config: ConfigFile = None,
    systems: Folder = None,
    audience: Annotated[AudienceName | None, Parameter(help="只含该类调用方可见的字段 Only what such callers may see.")] = None,
    grade: Annotated[GradeName | None, Parameter(help="只含不高于此分级的字段 Only up to this grade.")] = None,
    subgraph: Annotated[bool, Parameter(help="作为联邦子图，含实体的键 As a federation subgraph, with the keys of entities.")] = False,
) -> int:
    """输出数据模型。 Print the schema as SDL.

    示例 For example:

        hub schema > schema.graphql
        hub schema --audience anonymous
        hub schema --subgraph > hub.graphql
    """
    from hub.cli import looking

    return _guarded(lambda: looking.schema(config, systems=systems, audience=audience, grade=grade, subgraph=subgraph))


@app.command(name="dead-letters", group=_KEEP)
def dead_letters(
    system: Annotated[str, Parameter(help="系统 A system that is a stream. Default: all, counts alone.")] = "",
    *,
    config: ConfigFile = None,
    show: Annotated[bool, Parameter(help="显示内容的形式 What they looked like: names, and the form of each value.", negative="")] = False,
    most: Annotated[int, Parameter(help="最多显示几条 How many, the newest first.")] = 20,
) -> int:
    """查看无法接收的消息。 Messages of streams that could not be taken: how many, when, why. The hub may be running.

    Values are never shown: a message may hold anything, persons too. By --show `张三 2024-01-05` is `字字 9999-99-99`.

    示例 For example:

        hub dead-letters
        hub dead-letters dischargePermits --show
    """
    from hub.cli import aside

    return _guarded(lambda: aside.dead_letters(system, config, show=show, most=most))


@app.command(group=_KEEP)
def migrate(
    *,
    config: ConfigFile = None,
    to: Annotated[str, Parameter(help="目标版本 A revision, `head` or `base` (an empty store).")] = "head",
) -> int:
    """升级或回退数据库。 Bring the store to a revision. `hub serve` does so itself on starting.

    示例 For example:

        hub migrate
        hub migrate --to base
    """
    from hub.cli import keeping

    return _run(lambda: keeping.migrate(config, to))


client = App(name="client", help="登记调用方。 Register callers: they get tokens by OAuth client credentials.", group=_KEEP)
app.command(client)


@client.command(name="add")
def client_add(
    id: Annotated[str, Parameter(help="客户端标识 Its id.")],
    *,
    config: ConfigFile = None,
    name: Annotated[str, Parameter(help="名称 What it is called.")] = "",
    audience: Annotated[ClientAudience, Parameter(help="类别 Kind of caller.")] = "app",
    grade: Annotated[GradeName, Parameter(help="可见的最高分级 Highest grade of data that it may see.")] = "L1",
    scope: Annotated[list[str] | None, Parameter(help="权限范围 A scope; may be repeated.")] = None,
    keys: Annotated[Path | None, Parameter(help="公钥 Its public keys (JWK Set, JWK or PEM), instead of a secret.")] = None,
) -> int:
    """登记一个调用方，密码只显示一次。 Register a caller. Its secret is shown this once.

    示例 For example:

        hub client add tax-app --name "税务应用" --grade L2
        hub client add shanghai --audience partner --grade L3 --keys shanghai.jwks.json
    """
    from hub.cli import keeping

    return _run(lambda: keeping.add(config, id, name=name, audience=audience, grade=grade, scopes=scope or [], keys=keys))


@client.command(name="list")
def client_list(*, config: ConfigFile = None) -> int:
    """列出所有调用方。 All registered callers."""
    from hub.cli import keeping

    return _run(lambda: keeping.listed(config))


@client.command(name="disable")
def client_disable(id: str, *, config: ConfigFile = None) -> int:
    """停用一个调用方。 Switch a caller off: no more tokens, and those it has stop working within half a minute."""
    from hub.cli import keeping

    return _run(lambda: keeping.switch(config, id, on=False))


@client.command(name="enable")
def client_enable(id: str, *, config: ConfigFile = None) -> int:
    """重新启用一个调用方。 Switch a caller on again."""
    from hub.cli import keeping

    return _run(lambda: keeping.switch(config, id, on=True))


@client.command(name="rotate")
def client_rotate(
    id: str,
    *,
    config: ConfigFile = None,
    keys: Annotated[Path | None, Parameter(help="新公钥文件 New public keys, for a caller that signs.")] = None,
) -> int:
    """更换调用方的密码或公钥。 A new secret (shown this once), or new public keys; the old ones are no longer accepted."""
    from hub.cli import keeping

    return _run(lambda: keeping.rotate(config, id, keys))


key = App(name="key", help="签名密钥。 The keys that sign access tokens.", group=_KEEP)
app.command(key)


@key.command(name="rotate")
def key_rotate(
    *,
    config: ConfigFile = None,
    withdraw: Annotated[bool, Parameter(help="旧密钥立即作废 The old key has leaked: its tokens stop working at once.")] = False,
) -> int:
    """更换签名密钥。 A new key signs tokens from now on; the old one verifies until its tokens have expired."""
    from hub.cli import keeping

    return _run(lambda: keeping.rotate_signing_key(config, withdraw=withdraw))


def main() -> None:
    """The entry point of the command."""
    try:
        try:
            sys.exit(app())
        finally:
            sys.stdout.flush()
    except BrokenPipeError:  # whoever reads has seen enough, as `head` has; nothing more is to be written at the end
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(READ_ENOUGH)
