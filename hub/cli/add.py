"""``hub add``: a command for each kind of source. Signatures and help alone; ``hub.cli.adding`` does it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import App, Parameter

from hub.cli.options import WRITE, ConfigFile, Contact, Department, Folder, Header, Name, Out, Owner, Print, Title
from hub.cli.running import run

add = App(
    name="add",
    help="接入系统：读取数据源并写出清单。 Add a system: its manifest, written from what the source says of itself.",
    group=WRITE,
)


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


@add.command(name="grpc")
def add_grpc(
    name: Name,
    target: Annotated[str, Parameter(help="地址 host:port, with TLS grpcs://host:port, or ${NAME}; default ${<SYSTEM>_ADDRESS}.")] = "",
    *,
    method: Annotated[
        list[str] | None,
        Parameter(help="方法 A method, or package.Service/Method; may be repeated. Default: all that read, by their names."),
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
    """接入 gRPC 服务。 Add a gRPC service by server reflection: methods that read.

    示例 For example:

        hub add grpc standards standards.example:50051 --title 标准信息服务
        hub add grpc standards grpcs://standards.example:443 --method FindFirms --header "Authorization: Bearer TOKEN"
    """
    from hub.cli import adding

    said = adding.Said(name, title, owner, contact, department, systems, out, print_only, config)
    return run(lambda: adding.grpc(said, target, methods=method or [], headers=header or []))
