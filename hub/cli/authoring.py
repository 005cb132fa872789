"""``hub add`` and the commands of a manifest's author. Signatures and help alone; each imports what it does when it runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import App, Group, Parameter

from hub.cli.running import guarded, run

WRITE = Group("编写清单 Writing manifests", sort_key=2)

ConfigFile = Annotated[Path | None, Parameter(help="配置文件 hub.toml. Default: $HUB_CONFIG, ./hub.toml, or the defaults.")]
Folder = Annotated[Path | None, Parameter(help="系统清单目录 Folder of manifests. Default: as configured, else ./systems.")]
Name = Annotated[str, Parameter(help="系统名 Its name in the hub, letters and digits: waterMeter.")]
Title = Annotated[str, Parameter(help="中文名称 Its official title, in Chinese.")]
Owner = Annotated[str, Parameter(help="主管部门 The department that owns it, in Chinese.")]
Contact = Annotated[str, Parameter(help="联系邮箱 Whom to ask.")]
Department = Annotated[str, Parameter(help="部门目录 Folder of the department below that of manifests.")]
Out = Annotated[Path | None, Parameter(help="输出文件 The file to write; one that is there is never overwritten.")]
Print = Annotated[bool, Parameter(name="--print", help="只输出不写入 Print the manifest and write nothing.", negative="")]

add = App(
    name="add",
    help="接入系统：读取数据源并写出清单。 Add a system: its manifest, written from what the source says of itself.",
    group=WRITE,
)


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
    from hub.cli import adding_grpc as adding_grpc  # a command of ``add``

    app.command(add)
    app.command(attempt, name="try", group=WRITE)
    app.command(diff, group=WRITE)
    app.command(new)
    app.command(dev, group=WRITE)
    app.command(prove, name="test", group=WRITE)
    app.command(doctor, group=WRITE)


@add.command(name="sql")
def add_sql(
    name: Name,
    *,
    url: Annotated[str, Parameter(help="数据库地址 As SQLAlchemy writes it, or ${NAME}; default ${<SYSTEM>_URL}. Not written.")] = "",
    table: Annotated[list[str] | None, Parameter(help="表名 A table or view; may be repeated. Default: all.")] = None,
    schema: Annotated[str, Parameter(help="模式 The schema of its tables.")] = "",
    title: Title = "",
    owner: Owner = "",
    contact: Contact = "",
    department: Department = "",
    systems: Folder = None,
    out: Out = None,
    print_only: Print = False,
    config: ConfigFile = None,
) -> int:
    """接入数据库。 Add a database (SQLite, PostgreSQL, MySQL, MariaDB): its tables are reflected, and a few rows are looked at.

    示例 For example:

        WATER_METER_URL=postgresql://reader:secret@db/water hub add sql waterMeter --table readings
        hub add sql cases --url sqlite:///cases.db --department market-regulation --print
    """
    from hub.cli import adding

    said = adding.Said(name, title, owner, contact, department, systems, out, print_only, config)
    return run(lambda: adding.sql(said, url, tables=table or [], schema=schema))


Header = Annotated[list[str] | None, Parameter(help="请求头 NAME: VALUE, sent when reading the description; not written. May be repeated.")]


@add.command(name="rest")
def add_rest(
    name: Name,
    *,
    openapi: Annotated[str, Parameter(help="OpenAPI 文档 An OpenAPI document (3.0 or 3.1, JSON or YAML): a file or an address.")],
    operation: Annotated[
        list[str] | None, Parameter(help="操作 An operationId or `GET /path`; may be repeated. Default: all reads.")
    ] = None,
    header: Header = None,
    title: Title = "",
    owner: Owner = "",
    contact: Contact = "",
    department: Department = "",
    systems: Folder = None,
    out: Out = None,
    print_only: Print = False,
    config: ConfigFile = None,
) -> int:
    """接入 REST 服务。 Add a REST service by its OpenAPI document: reads by GET, and searches by POST.

    示例 For example:

        hub add rest tax --openapi https://tax.example/v3/api-docs
        hub add rest tax --openapi tax.yaml --operation queryTaxpayer
    """
    from hub.cli import adding

    said = adding.Said(name, title, owner, contact, department, systems, out, print_only, config)
    return run(lambda: adding.rest(said, openapi, operations=operation or [], headers=header or []))


@add.command(name="graphql")
def add_graphql(
    name: Name,
    *,
    url: Annotated[str, Parameter(help="端点 The endpoint, which is introspected; it is not written into the manifest.")] = "",
    schema: Annotated[str, Parameter(help="模型文件 Its schema instead: a file or address of SDL, or of an introspection's JSON.")] = "",
    field: Annotated[list[str] | None, Parameter(help="字段 A field of its query type; may be repeated. Default: all.")] = None,
    header: Header = None,
    title: Title = "",
    owner: Owner = "",
    contact: Contact = "",
    department: Department = "",
    systems: Folder = None,
    out: Out = None,
    print_only: Print = False,
    config: ConfigFile = None,
) -> int:
    """接入 GraphQL 服务。 Add a GraphQL service by introspection, or by its schema.

    示例 For example:

        hub add graphql shops --url https://shops.example/graphql
        hub add graphql shops --schema shops.graphql --field shop
    """
    from hub.cli import adding

    said = adding.Said(name, title, owner, contact, department, systems, out, print_only, config)
    return run(lambda: adding.graphql(said, url, schema=schema, fields=field or [], headers=header or []))


@add.command(name="subgraph")
def add_subgraph(
    name: Name,
    *,
    url: Annotated[str, Parameter(help="接口地址 The endpoint, asked for its SDL unless --sdl is given. Not written.")] = "",
    sdl: Annotated[str, Parameter(help="子图 SDL 文件 Its SDL: a file or an address.")] = "",
    grade: Annotated[Literal["L1", "L2", "L3", "L4"], Parameter(help="分级 How sensitive what it tells is.")] = "L2",
    header: Header = None,
    title: Title = "",
    owner: Owner = "",
    contact: Contact = "",
    department: Department = "",
    systems: Folder = None,
    out: Out = None,
    print_only: Print = False,
    config: ConfigFile = None,
) -> int:
    """接入联邦子图。 Add a subgraph of Apollo Federation, of version 1 or 2: its types become a part of the hub's.

    示例 For example:

        hub add subgraph reviews --url https://reviews.example/graphql --grade L1
        hub add subgraph reviews --sdl reviews.graphql
    """
    from hub.cli import adding, federating

    said = adding.Said(name, title, owner, contact, department, systems, out, print_only, config)
    return run(lambda: federating.subgraph(said, url, sdl=sdl, grade=grade, headers=adding.headers_of(header or [])))


@add.command(name="soap")
def add_soap(
    name: Name,
    *,
    wsdl: Annotated[str, Parameter(help="WSDL 文档 The WSDL: a file or an address. It is kept beside the manifest, with what it imports.")],
    operation: Annotated[
        list[str] | None, Parameter(help="操作 An operation; may be repeated. Default: all whose names say that they read.")
    ] = None,
    port: Annotated[str, Parameter(help="端口 Which port of the WSDL. Default: the first that speaks SOAP.")] = "",
    header: Header = None,
    title: Title = "",
    owner: Owner = "",
    contact: Contact = "",
    department: Department = "",
    systems: Folder = None,
    out: Out = None,
    print_only: Print = False,
    config: ConfigFile = None,
) -> int:
    """接入 SOAP 服务。 Add a SOAP service by its WSDL: operations that read.

    示例 For example:

        hub add soap insurance --wsdl "https://insurance.example/ws?wsdl"
        hub add soap insurance --wsdl insurance.wsdl --operation queryUnits
    """
    from hub.cli import adding

    said = adding.Said(name, title, owner, contact, department, systems, out, print_only, config)
    return run(lambda: adding.soap(said, wsdl, port=port, operations=operation or [], headers=header or []))


@add.command(name="files")
def add_files(
    name: Name,
    folder: Annotated[str, Parameter(help="目录 A path, sftp://host/path, s3://bucket/prefix, or ${NAME}. The same as --url.")] = "",
    *,
    url: Annotated[str, Parameter(help="目录地址 The folder; default ${<SYSTEM>_URL}. Not written.")] = "",
    file: Annotated[list[str] | None, Parameter(help="文件 A name, in which * and ? may stand; may be repeated. Default: all.")] = None,
    title: Title = "",
    owner: Owner = "",
    contact: Contact = "",
    department: Department = "",
    systems: Folder = None,
    out: Out = None,
    print_only: Print = False,
    config: ConfigFile = None,
) -> int:
    """接入文件。 Add a folder of files: CSV (UTF-8, GB18030), XLSX, JSON lines, Parquet.

    Of files whose names differ in a date or a number alone the newest is read.

    示例 For example:

        hub add files meters deliveries/meters --title 水表
        hub add files issues --url sftp://files.example/out --file "issues-*.csv"
    """
    from hub.cli import adding

    said = adding.Said(name, title, owner, contact, department, systems, out, print_only, config)
    return run(lambda: adding.files(said, folder or url, patterns=file or []))


@add.command(name="stream")
def add_stream(
    name: Name,
    url: Annotated[str, Parameter(help="消息服务地址 nats://, mqtt://, amqp:// or kafka://, or ${NAME}. Not written.")],
    subject: Annotated[str, Parameter(help="主题 The subject, topic or queue, with the wildcards of its protocol.")],
    *,
    key: Annotated[list[str] | None, Parameter(help="主键 Where a message holds its key; may be repeated. Default: found out.")] = None,
    samples: Annotated[Path | None, Parameter(help="样本文件 Messages, one in each line, instead of asking the broker.")] = None,
    wait: Annotated[float, Parameter(help="等待秒数 How long to wait for a message where the broker holds none.")] = 10,
    title: Title = "",
    owner: Owner = "",
    contact: Contact = "",
    department: Department = "",
    systems: Folder = None,
    out: Out = None,
    print_only: Print = False,
    config: ConfigFile = None,
) -> int:
    """接入消息流。 Add a department that announces (NATS JetStream, MQTT, AMQP, Kafka), by messages that its broker holds.

    Messages are looked at alone: none is taken from those who read them.

    示例 For example:

        hub add stream permits nats://events.example permits.changed --title 排污许可
        hub add stream weather mqtt://broker.example "weather/+/rain" --key "_topic[1]"
        hub add stream permits amqp://events.example permits --samples permits.jsonl
    """
    from hub.cli import adding

    said = adding.Said(name, title, owner, contact, department, systems, out, print_only, config)
    return run(lambda: adding.stream(said, url, subject, keys=key or [], samples=samples, wait=wait))


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
