"""The commands of a manifest's author. Signatures and help alone; each imports what it does when it runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import App, Parameter

from hub.cli.add import add
from hub.cli.options import WRITE, ConfigFile, Department, Folder, Name, Out, Owner, Print, Title
from hub.cli.running import guarded, run

new = App(
    name="new",
    help="""新建空白清单或连接器。 An empty manifest with every part explained, or a connector of one's own. Where the source can be read,
    `hub add` writes more of a manifest.

    示例 For example:

        hub new waterMeter --kind sql --title "水表"
        hub new connector water_gateway
    """,
    group=WRITE,
)


def register(app: App) -> None:
    """Put this module's commands into the command ``hub``."""
    app.command(add)
    app.command(attempt, name="try", group=WRITE)
    app.command(diff, group=WRITE)
    app.command(new)
    app.command(dev, group=WRITE)
    app.command(prove, name="test", group=WRITE)
    app.command(doctor, group=WRITE)


def attempt(
    target: Annotated[str, Parameter(help="系统.字段 SYSTEM.FIELD: a lookup, a type or a field that the system serves.")],
    *given: Annotated[str, Parameter(help="主键与参数 NAME=VALUE: its key, and arguments. A name may be repeated.")],
    config: ConfigFile = None,
    systems: Folder = None,
    rows: Annotated[int, Parameter(help="显示行数 How many rows are shown.")] = 3,
    whole: Annotated[bool, Parameter(help="完整显示应答 Show the whole reply.", negative="")] = False,
) -> int:
    """试调一个系统。 One call to one system: the request, the raw reply, each value as the hub reads it, and what is wrong.

    Credentials are shown as stars. Exit code 1 when the system failed or a value cannot be read.

    示例 For example:

        hub try credit531x.byUscc uscc=91330100MA2000000Q
        hub try legalEntityRegister.Enterprise uscc=91330100MA2000000Q
        hub try adminPermitCatalogue.XK_SX.scan --rows 1
    """
    from hub.cli import trying

    return run(lambda: trying.attempt(target, given, file=config, systems=systems, rows=rows, whole=whole))


def diff(
    old: Annotated[Path, Parameter(help="旧 The old side: a folder of manifests, or SDL printed by `hub schema`.")],
    new: Annotated[Path, Parameter(help="新 The new side.")],
) -> int:
    """比较两版数据模型。 Compare two versions: changes that break callers, that are dangerous, that are safe.

    Exit code 1 when something breaks. Between folders, raised grades and narrower scopes count as breaking.

    示例 For example:

        hub diff released/systems systems
        hub diff released.graphql systems
    """
    from hub.cli import diffing

    return guarded(lambda: diffing.diff(old, new))


@new.default
def new_manifest(
    name: Name,
    *,
    kind: Annotated[Literal["rest", "sql", "soap", "graphql", "grpc", "files"], Parameter(help="类型 How the system is reached.")] = "rest",
    title: Title = "",
    owner: Owner = "",
    department: Department = "",
    systems: Folder = None,
    out: Out = None,
    print_only: Print = False,
    config: ConfigFile = None,
) -> int:
    """新建空白清单。 An empty manifest with every part explained."""
    from hub.cli import adding, starting

    said = adding.Said(name, title, owner, "", department, systems, out, print_only, config)
    return guarded(lambda: starting.new(said, kind))


@new.command(name="connector")
def new_connector(
    name: Annotated[str, Parameter(help="连接器名 Its kind and its module, small letters, digits and _: water_gateway.")],
    *,
    out: Annotated[Path | None, Parameter(help="输出目录 The folder to write, new. Default: ./NAME.")] = None,
) -> int:
    """新建连接器。 A connector of one's own: a package whose contract test passes from the start, to be changed from there.

    示例 For example:

        hub new connector water_gateway
    """
    from hub.cli import starting

    return guarded(lambda: starting.connector(name, out))


def dev(
    *,
    mock: Annotated[bool, Parameter(help="用 @mock 的数据回答 Ask no system: answer from @mock.", negative="")] = False,
    ask: Annotated[str | None, Parameter(help="提问一次即退出 Ask one query, or the file of one, and leave.")] = None,
    port: Annotated[int, Parameter(help="端口 Port; 0 for any that is free.")] = 8000,
    systems: Folder = None,
    config: ConfigFile = None,
) -> int:
    """编写清单时使用的枢纽。 A hub for an author, on this machine: it takes changes over and gives a token that may see everything.

    With --ask it answers once: exit code 1 when the answer has errors.

    示例 For example:

        hub dev
        hub dev --mock --port 9000
        hub dev --ask '{ enterprise(uscc: "91330100MA2000000Q") { name } }'
    """
    from hub.cli import developing

    return run(lambda: developing.develop(config, systems, mock=mock, ask=ask, port=port))


def prove(
    *files: Annotated[Path, Parameter(help="清单文件 Manifests, each tested by itself.")],
) -> int:
    """用 @mock 数据检验清单。 Prove that a manifest reads its own @mock rows: values, lookups, links, lists. No system is asked.

    示例 For example:

        hub test systems/housing/waterMeter.graphql
    """
    from hub.cli import proving

    return run(lambda: proving.test(files))


def doctor(*, config: ConfigFile = None, systems: Folder = None) -> int:
    """检查运行环境。 What this machine has and lacks: versions, configuration, manifests, addresses, secrets, store, port.

    No secret is shown. Exit code 1 when something has to be mended, 2 when the configuration cannot be read.

    示例 For example:

        hub doctor
        hub doctor --config /etc/hub/hub.toml
    """
    from hub.cli import doctoring

    return run(lambda: doctoring.doctor(config, systems))
