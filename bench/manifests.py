"""Manifests of many systems, made up but plausible, as the text that authors would write.

First come the real ones of ``systems/``, which have the anchors of the canonical types; then systems of the province, its cities and
counties. A made-up system keeps records of one subject in a type of its own, reached from the enterprise or from the root; some
serve canonical fields of the enterprise as replicas, share a field with their like elsewhere, take an application or announce changes.
The same seed gives the same text, and fewer systems are the beginning of more. Must not know how manifests are read.
"""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable

from bench.departments import COLUMNS, DEPARTMENTS, FORMS, PLACES, STATES, Column, Department, Named

SOURCES = {"sql": 7, "rest": 6, "graphql": 3, "soap": 1, "files": 1, "stream": 1, "grpc": 1}  # kind -> how often among twenty
TABLES = {"sql": "table", "files": "file", "stream": "topic"}  # kind -> the word for what holds a type whole
REPLICAS = (
    ("name", "String", "QYMC"),
    ("address", "String", "ZS"),
    ("industryCode", "String", "HYDM"),
    ("legalRepName", "String", "FDDBR"),
    ("division", "Division", "XZQHDM"),
    ("registeredCapital", "Decimal", "ZCZB"),
)


@dataclass(frozen=True, slots=True)
class Written:
    """One manifest as it lies in a folder: ``systems/ecology/….graphql`` and its text."""

    file: str
    text: str


def manifests(systems: int, seed: int = 1) -> list[Written]:
    """So many manifests, sorted by nothing in particular."""
    found = sorted(_real(files("systems"), "systems"), key=lambda each: each.file)[:systems]
    kept = [(department, subject) for department in DEPARTMENTS for subject in department.subjects]
    random.Random(seed).shuffle(kept)
    for number in range(systems - len(found)):
        turn, which = divmod(number, len(kept))
        round_, at = divmod(turn, len(FORMS) * len(PLACES))
        place, form = PLACES[at // len(FORMS)], FORMS[at % len(FORMS)]
        found.append(_System(random.Random(f"{seed}.{number}"), *kept[which], place, form, round_).written())
    return found


def _real(folder: Traversable, at: str) -> Iterable[Written]:
    for child in folder.iterdir():
        if child.is_dir():
            yield from _real(child, f"{at}/{child.name}")
        elif child.name.endswith(".graphql") and child.name != "hub.graphql":
            yield Written(f"{at}/{child.name}", child.read_text(encoding="utf-8"))


class _System:
    """One made-up system: what it is called, what it has, and its manifest."""

    def __init__(self, rng: random.Random, department: Department, subject: Named, place: Named, form: Named, round_: int) -> None:
        self.rng, self.department, self.subject = rng, department, subject
        self.type = f"{place.word}{subject.word}{form.word}" + (str(round_ + 1) if round_ else "")
        self.name = self.type[0].lower() + self.type[1:]
        self.title = f"{place.zh if place.word else ''}{subject.zh}{form.zh}"
        self.owner = f"{place.zh}{department.zh}{'厅' if not place.word else '局'}"
        self.kind = rng.choices(list(SOURCES), list(SOURCES.values()))[0]
        self.columns = sorted(rng.sample(COLUMNS, rng.randrange(4, 10)), key=COLUMNS.index)
        self.states = STATES[: rng.randrange(2, 5)] if rng.random() < 0.3 else ()
        self.replicas = rng.sample(REPLICAS, rng.randrange(1, 4)) if rng.random() < 0.3 and self.kind != "stream" else []
        self.shares = self.replicas != [] and rng.random() < 0.5
        self.linked = rng.random() < 0.6 and self.kind != "stream"
        self.listed = rng.random() < 0.15
        self.table = f"T_{subject.native.upper()}_{form.native.upper()}"

    def written(self) -> Written:
        """The manifest."""
        parts = [self._head(), self._private(), self._enterprise(), self._record(), self._added(), self._roots(), self._acts()]
        text = f"# {self.title}\n" + "\n".join(part for part in parts if part)
        return Written(f"systems/{self.department.folder}/{self.name}.graphql", text)

    def _head(self) -> str:
        variable = f'"${{{self.name.upper()}_URL}}"'
        limits = f'limits: {{timeout: "{self.rng.choice(("1s", "2s", "3s"))}", concurrency: {self.rng.choice((4, 8, 16))}}}'
        key = f'auth: {{kind: API_KEY, header: "X-App-Key", secret: "{self.name}.key"}}, ' if self.rng.random() < 0.5 else ""
        source = {
            "sql": f"@sql(url: {variable}, {limits})",
            "rest": f"@rest(base: {variable}, {key}{limits})",
            "graphql": f"@graphql(url: {variable}, {limits})",
            "soap": f'@soap(wsdl: "{self.name}.wsdl", url: {variable}, {limits})',
            "files": f'@files(base: {variable}, encoding: "gb18030", {limits})',
            "stream": f"@stream(url: {variable}, {limits})",
            "grpc": f"@grpc(target: {variable}, {key}{limits})",
        }[self.kind]
        contact = f"{self.subject.native}@{self.department.folder}.example"
        system = f'@system(name: "{self.name}", title: "{self.title}", owner: "{self.owner}", contact: "{contact}")'
        return f"extend schema\n  {system}\n  {source}\n"

    def _private(self) -> str:
        if self.kind in TABLES:
            return ""
        found = [f'  byNo(recordNo: ID! @is(field: "recordNo")): {self.type} @lookup\n    {self._place("recordNo", "JLBH", "records")}']
        if self.replicas:
            found.append(f'  byUscc(uscc: USCC! @is(field: "uscc")): Enterprise @lookup\n    {self._place("uscc", "TYSHXYDM", "firms")}')
        return _block("type Query", found)

    def _place(self, key: str, match: str, what: str) -> str:
        most = self.rng.choice((20, 50, 100))
        if self.kind == "graphql":
            native = key if key == "uscc" else match
            return f'@field(name: "{what}", argument: "ids", batch: {{by: "{key}", match: "{native}", max: {most}}})'
        if self.kind in ("soap", "grpc"):
            operation = f"query{what.replace('-', '')}"
            name = operation if self.kind == "soap" else f"{self.subject.native}.v1.Records/{operation[0].upper()}{operation[1:]}"
            call = f'operation: "{name}", input: {{ids: "{{keys}}"}}, at: "{"return.row" if self.kind == "soap" else "rows"}"'
            return f'@call({call}, batch: {{by: "{key}", match: "{match}", max: {most}}})'
        path = f"/api/{self.subject.native}/{what}?{match.lower()}={{keys}}"
        return f'@get(path: "{path}", at: "data", batch: {{by: "{key}", match: "{match}", max: {most}}})'

    def _enterprise(self) -> str:
        if not self.replicas and not self.linked:
            return ""
        words = '@key(fields: "uscc") @entity(existence: CONTRIBUTES, coverage: PARTIAL)'
        if self.kind in TABLES and self.replicas:
            words += f" {self._table('_QY', 'TYSHXYDM')}"
        fields = ['  uscc: USCC! @from(path: "TYSHXYDM")' if self.kind != "graphql" else "  uscc: USCC!"]
        fields += [f'  {name}: {kind} @from(path: "{native}") @serves(authority: REPLICA)' for name, kind, native in self.replicas]
        return _block(f"type Enterprise {words}", fields)

    def _table(self, suffix: str, key: str) -> str:
        """What holds a type whole."""
        if self.kind == "stream":
            return f'@topic(path: "{self.subject.native}.>", order: "XH")'
        name = f"{self.table}{suffix}" + ("-*.csv" if self.kind == "files" else "")
        return f'@{TABLES[self.kind]}(name: "{name}", key: ["{key}"])'

    def _record(self) -> str:
        words = '@key(fields: "recordNo") @entity(existence: ANCHOR, coverage: COMPLETE)'
        if self.kind in TABLES:
            words += f" {self._table('', 'JLBH')}"
        fields = [_described("记录编号", "Record number", 'recordNo: ID! @from(path: "JLBH") @grade(level: L1)')]
        fields.append(
            _described("所属主体", "The enterprise it is about", 'enterprise: Enterprise @from(expr: "{uscc: TYSHXYDM}") @grade(level: L1)')
        )
        fields += [_described(each.named.zh, each.named.en, self._column(each)) for each in self.columns]
        if self.states:
            fields.append(_described("状态", "State", f'state: {self.type}State @from(path: "ZT") @grade(level: L1)'))
        record = f'"{self.title}的记录\\nA record of: {self.subject.en}"\n' + _block(f"type {self.type} {words}", fields)
        values = [_described(named.zh, named.en, f'{name} @from(path: "{named.native}")') for name, named in self.states]
        enum = f'"{self.title}记录的状态\\nState of a record"\n' + _block(f"enum {self.type}State", values) if self.states else ""
        return record + ("\n" + enum if enum else "")

    def _column(self, column: Column) -> str:
        form = f', format: "{column.format}"' if column.format else ""
        ops = f" @filter(ops: [{column.ops}])" if column.ops and self.kind in TABLES else ""
        return f'{column.name}: {column.type} @from(path: "{column.named.native}"{form}){ops} @grade(level: {column.grade})'

    def _added(self) -> str:
        """What the enterprise gets: its records here, and a field that all systems of the subject share."""
        fields = []
        if self.linked:
            place = {
                "rest": self._place("uscc", "TYSHXYDM", "of-firm"),
                "graphql": self._place("uscc", "uscc", "ofFirms"),
                "soap": self._place("uscc", "TYSHXYDM", "of-firm"),
                "grpc": self._place("uscc", "TYSHXYDM", "of-firm"),
            }.get(self.kind, '@join(on: "TYSHXYDM = uscc", many: true)')
            line = f"{self.name}: [{self.type}!] @grade(level: L1)\n    {place}"
            fields.append(_described(self.title, f"Its records of: {self.subject.en}", line))
        if self.shares:
            name = self.subject.word[0].lower() + self.subject.word[1:] + "Rating"
            line = f'{name}: String @from(path: "{self.subject.native.upper()}_DJ") @grade(level: L1) @shareable'
            fields.append(_described(f"{self.subject.zh}评级", f"Rating: {self.subject.en}", line))
        return _block("extend type Enterprise", fields)

    def _roots(self) -> str:
        fields = []
        if not self.linked or self.rng.random() < 0.4:
            line = f'{self.name}Record(recordNo: ID! @is(field: "recordNo")): {self.type} @grade(level: L1)'
            fields.append(_described(f"{self.title}的一条记录", f"A record by its number: {self.subject.en}", line))
        if self.listed and self.kind not in ("graphql", "soap", "grpc"):
            place = ""
            if self.kind == "rest":
                path = f"/api/{self.subject.native}/all"
                page = '{style: PAGE, page: "pageNum", limit: "pageSize", size: 100, total: "total"}'
                place = f'\n    @get(path: "{path}", at: "rows", page: {page})'
            line = f"{self.name}List: [{self.type}!] @grade(level: L1){place}"
            fields.append(_described(f"{self.title}的全部记录", f"All records: {self.subject.en}", line))
        return _block("extend type Query", fields)

    def _acts(self) -> str:
        if self.kind != "rest":
            return ""
        parts = []
        if self.rng.random() < 0.15:
            body = '{tyshxydm: "{uscc}", sqly: "{reason}"}'
            line = (
                f"applyFor{self.type}(uscc: USCC!, reason: String!): {self.type}\n"
                f'    @send(path: "/api/{self.subject.native}/sq", body: {body}, at: "data")\n'
                f'    @grade(level: L1) @requiresScopes(scopes: [["{self.department.folder}:apply"]])'
            )
            parts.append(_block("extend type Mutation", [_described(f"{self.subject.zh}申请", f"Applies for: {self.subject.en}", line)]))
        if self.rng.random() < 0.1:
            topic = f'@topic(path: "/api/{self.subject.native}/bg", at: "data")'
            line = f"{self.name}Changed: {self.type} {topic} @grade(level: L1)"
            words = _described(f"{self.title}的变更", f"News of: {self.subject.en}", line)
            parts.append(_block("extend type Subscription", [words]))
        return "\n".join(parts)


def _described(zh: str, en: str, line: str) -> str:
    return f'  "{zh}\\n{en}"\n  {line}'


def _block(head: str, lines: list[str]) -> str:
    return f"{head} {{\n" + "\n".join(lines) + "\n}\n" if lines else ""
