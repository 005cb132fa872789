"""``hub new``: an empty manifest with every part explained, to be filled in by hand; or a connector of one's own that works."""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path

from hub.cli.adding import Said, ready, variable
from hub.cli.shared import Fault

_KINDS = {
    "rest": """\
  # ${{VARIABLE}} comes from the environment or from [variables] of hub.toml; a secret is given by name only.
  @rest(base: "${{{variable}}}", limits: {{timeout: "2s", concurrency: 8}})
  # A credential: auth: {{kind: API_KEY, header: "X-App-Key", secret: "{name}.key"}}
  # Answers that are really errors: errors: [{{when: "$.code == '404'", code: "NOT_FOUND"}}]

# How this system is asked by key: private to it. {{keys}} is a batch of keys joined by commas.
type Query {{
  byUscc(uscc: USCC! @is(field: "uscc")): Enterprise @lookup
    @get(path: "/path?code={{keys}}", at: "data.list", batch: {{by: "uscc", match: "code", max: 50}})
}}

# type X binds canonical fields (hub schema shows them): @from says where each lies.
type Enterprise @key(fields: "uscc") @entity(existence: CONTRIBUTES, coverage: PARTIAL) {{
  uscc: USCC! @from(path: "code")
}}
""",
    "sql": """\
  # ${{VARIABLE}} comes from the environment or from [variables] of hub.toml.
  @sql(url: "${{{variable}}}", limits: {{timeout: "2s", concurrency: 8}})

# type X binds canonical fields (hub schema shows them): @table says which table, @from which column.
type Enterprise
  @key(fields: "uscc")
  @table(name: "TABLE", key: ["CODE"])
  @entity(existence: CONTRIBUTES, coverage: PARTIAL) {{
  uscc: USCC! @from(path: "CODE")
}}
""",
    "soap": """\
  # The WSDL lies beside this file, with what it imports. ${{VARIABLE}} comes from the environment or from [variables] of hub.toml.
  @soap(wsdl: "{name}.wsdl", url: "${{{variable}}}", limits: {{timeout: "2s", concurrency: 8}})
  # A credential within each message: security: {{user: "{name}.user", secret: "{name}.password"}}
  # Faults that are none: errors: [{{when: "fault.code == 'Client.NoRecord'", code: "NOT_FOUND"}}]

# How this system is asked by key: private to it. {{keys}} is an element for each key of a batch.
type Query {{
  byUscc(uscc: USCC! @is(field: "uscc")): Enterprise @lookup
    @call(operation: "queryUnits", input: {{code: "{{keys}}"}}, at: "return.unit", batch: {{by: "uscc", match: "code", max: 50}})
}}

# type X binds canonical fields (hub schema shows them): @from says where each lies.
type Enterprise @key(fields: "uscc") @entity(existence: CONTRIBUTES, coverage: PARTIAL) {{
  uscc: USCC! @from(path: "code")
}}
""",
    "grpc": """\
  # host:port, grpcs://host:port with TLS. ${{VARIABLE}} comes from the environment or from [variables] of hub.toml.
  # The service has to have server reflection switched on.
  @grpc(target: "${{{variable}}}", limits: {{timeout: "2s", concurrency: 8}})
  # A credential: auth: {{kind: BEARER, secret: "{name}.token"}}. A CA of one's own: tls: {{ca: "ca.pem"}}
  # Failures that are none: errors: [{{when: "fault.code == 'FAILED_PRECONDITION'", code: "NOT_FOUND"}}]

# How this system is asked by key: private to it. {{keys}} is a repeated field with all keys of a batch.
type Query {{
  byUscc(uscc: USCC! @is(field: "uscc")): Enterprise @lookup
    @call(operation: "firms.v1.Firms/FindFirms", input: {{codes: "{{keys}}"}}, at: "firms", batch: {{by: "uscc", match: "code", max: 50}})
}}

# type X binds canonical fields (hub schema shows them): @from says where each lies.
type Enterprise @key(fields: "uscc") @entity(existence: CONTRIBUTES, coverage: PARTIAL) {{
  uscc: USCC! @from(path: "code")
}}
""",
    "graphql": """\
  # ${{VARIABLE}} comes from the environment or from [variables] of hub.toml.
  @graphql(url: "${{{variable}}}", limits: {{timeout: "2s", concurrency: 8}})

# How this system is asked by key: private to it. The root field of the source, and the argument that carries the keys.
type Query {{
  byUscc(uscc: USCC! @is(field: "uscc")): Enterprise @lookup
    @field(name: "firms", argument: "codes", batch: {{by: "uscc", match: "code", max: 50}})
}}

# type X binds canonical fields (hub schema shows them): @from says where each lies.
type Enterprise @key(fields: "uscc") @entity(existence: CONTRIBUTES, coverage: PARTIAL) {{
  uscc: USCC! @from(path: "code")
}}
""",
    "files": """\
  # A path, sftp:// or s3://. ${{VARIABLE}} comes from the environment or from [variables] of hub.toml; a secret is given by name only.
  @files(base: "${{{variable}}}", limits: {{timeout: "5s", concurrency: 8}})
  # How the files are written: encoding: "gb18030". When the next is due: expectBy: "08:00"
  # A credential: auth: {{kind: BASIC, user: "{name}.user", secret: "{name}.password"}}, hostKey: "${{NAME}}"

# type X binds canonical fields (hub schema shows them): @file says which file (the last by name of those that fit), @from which column.
type Enterprise
  @key(fields: "uscc")
  @file(name: "firms-*.csv", key: ["CODE"])
  @entity(existence: CONTRIBUTES, coverage: PARTIAL) {{
  uscc: USCC! @from(path: "CODE")
}}
""",
}
_TAIL = """
# extend type X contributes fields of the system's own: described in Chinese and English, and graded.
extend type Enterprise {{
  "中文说明\\nTo be written"
  {name}Note: String @from(path: "note") @grade(level: L2)
}}
"""


def new(said: Said, kind: str) -> int:
    """Exit code 0 when the file was written. Raises Fault when it is there."""
    place = ready(said)
    named = {"name": said.name, "variable": variable(said.name, "ADDRESS" if kind == "grpc" else "URL")}
    head = (
        f"# {said.title or said.name}: what this system is, in a line. docs/manifests.md explains every word.\n"
        f'extend schema\n  @system(name: "{said.name}", title: "{said.title or "待补充名称"}", owner: "{said.owner or "待补充部门"}")\n'
    )
    text = head + _KINDS[kind].format(**named) + _TAIL.format(**named)
    if said.print_only:
        print(text, end="")
        return 0
    place.file.parent.mkdir(parents=True, exist_ok=True)
    with place.file.open("x", encoding="utf-8") as file:
        file.write(text)
    print(f"wrote {place.file}; fill it in, then: hub check {place.folder}")
    return 0


_MODULE = re.compile(r"[a-z][a-z0-9_]*")


def connector(name: str, out: Path | None) -> int:
    """Exit code 0 when the connector ``name`` was written, with its test, into a folder of its own. Raises Fault when that is there."""
    if not _MODULE.fullmatch(name):
        en = f"'{name}' is no name of a connector: small letters, digits and _, a letter first, as in water_gateway."
        raise Fault("连接器名只能由小写字母、数字和下划线组成，以字母开头。", en)
    folder = out or Path(name)
    if folder.exists():
        raise Fault(f"{folder} 已存在。", f"{folder} is there already; nothing was written.")
    folder.mkdir(parents=True)
    for place, written in (
        ("gateway.py", f"{name}.py"),
        ("test_gateway.py", f"test_{name}.py"),
        ("package.toml", "pyproject.toml"),
        ("README.md", "README.md"),
    ):
        text = files("connectors.template").joinpath(place).read_text(encoding="utf-8")
        (folder / written).write_text(_named(text, name), encoding="utf-8")
    print(f"wrote {folder}/: {name}.py and its contract test; then: pip install -e '{folder}[test]' && pytest {folder}")
    return 0


def _named(text: str, name: str) -> str:
    """The template in the words of the connector ``name``: its module, package, variable, class, kind."""
    said = {
        "connectors.template.gateway": name,
        "yiwang-gateway": f"yiwang-{name.replace('_', '-')}",
        "GATEWAY": name.upper(),
        "Gateway": "".join(part.capitalize() for part in name.split("_")),
        "gateway": name,
    }
    return re.sub("|".join(map(re.escape, said)), lambda found: said[found[0]], text)
