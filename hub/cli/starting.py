"""``hub new``: an empty manifest with every part explained, to be filled in by hand."""

from __future__ import annotations

from hub.cli.adding import Said, ready, variable

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
    named = {"name": said.name, "variable": variable(said.name)}
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
