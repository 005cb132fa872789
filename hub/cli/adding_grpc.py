"""``hub add grpc``. Signature and help alone, beside those of ``authoring``."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from hub.cli.authoring import ConfigFile, Contact, Department, Folder, Header, Name, Out, Owner, Print, Title, add
from hub.cli.running import run


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
