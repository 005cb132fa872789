"""Options that several commands of a manifest's author share. Types and their help alone."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Group, Parameter

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
Header = Annotated[list[str] | None, Parameter(help="请求头 NAME: VALUE, sent when reading the description; not written. May be repeated.")]
