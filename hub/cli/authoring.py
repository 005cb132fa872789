"""``hub add`` and the commands of a manifest's author. Signatures and help alone; each imports what it does when it runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import App, Group, Parameter

from hub.cli.running import run

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


def register(app: App) -> None:
    """Put this module's commands into the command ``hub``."""
    app.command(add)


@add.command(name="sql")
def add_sql(
    name: Name,
    *,
    url: Annotated[str, Parameter(help="数据库地址 As SQLAlchemy writes it; it is not written into the manifest.")],
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

        hub add sql waterMeter --url postgresql://reader:secret@db/water --table readings
        hub add sql cases --url sqlite:///cases.db --department market-regulation --print
    """
    from hub.cli import adding

    said = adding.Said(name, title, owner, contact, department, systems, out, print_only, config)
    return run(lambda: adding.sql(said, url, tables=table or [], schema=schema))
