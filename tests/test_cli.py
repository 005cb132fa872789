"""The command ``hub``, as a person or a script runs it."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from graphql import build_schema

from hub.cli import app
from tests.test_app import LICENCES, manifest

ROOT = Path(__file__).parent.parent
QUERY = "query Brief { enterprises(first: 3) { nodes { name address creditScore { grade } } } }"


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every command works from any folder, so each is run from an empty one."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    for name in [name for name in os.environ if name.startswith("HUB_")]:
        monkeypatch.delenv(name)


def run(*arguments: str) -> int:
    found = app(list(arguments), result_action="return_value")
    assert isinstance(found, int)
    return found


# --- help ----------------------------------------------------------------------------------------------------------------------


COMMANDS = [
    "serve",
    "demo",
    "check",
    "editor",
    "explain",
    "schema",
    "migrate",
    "client add",
    "client list",
    "client disable",
    "client enable",
    "client rotate",
    "key rotate",
    "add sql",
    "add rest",
    "add graphql",
    "add soap",
    "add grpc",
    "add files",
    "try",
    "diff",
    "new",
    "new connector",
    "dev",
    "test",
    "doctor",
]


@pytest.mark.parametrize("command", COMMANDS)
def test_help_teaches(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    app([*command.split(), "--help"], result_action="return_value")
    text = capsys.readouterr().out
    assert f"hub {command}" in text
    assert any("\u4e00" <= character <= "\u9fff" for character in text)
    if command.split()[-1] not in ("list", "disable", "enable", "rotate"):
        assert "For example" in text


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    app(["--help"], result_action="return_value")
    text = capsys.readouterr().out
    assert all(name in text for name in ("serve", "demo", "check", "explain", "schema", "migrate", "client", "key"))


# --- check, explain, schema ----------------------------------------------------------------------------------------------------


def test_check_of_what_comes_with_the_hub(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("check") == 0
    assert "12 个系统 systems" in capsys.readouterr().out


def test_check_tells_all_faults_and_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    manifest(tmp_path / "systems", text=LICENCES.format(system="licences", path="get", column="mc").replace("@lookup", "@lookpu"))
    manifest(tmp_path / "systems", system="other", text="type Licence {")
    assert run("check", "systems") == 1
    text = capsys.readouterr().out
    assert "systems/licences.graphql:5:64 UNKNOWN_WORD" in text
    assert "systems/other.graphql:1:15 SYNTAX" in text
    assert "fix:" in text
    assert "个错误 errors" in text


def test_check_as_json_is_for_editors(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    manifest(tmp_path / "systems", text="type Licence {")
    assert run("check", "systems", "--json") == 1
    found = json.loads(capsys.readouterr().out)
    assert ("SYNTAX", "error", 1) in [(fault["code"], fault["severity"], fault["line"]) for fault in found]


def test_check_counts_the_rest_of_what_one_slip_brings_a_hundred_times(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fields = "".join(f"  name{number}: String @form\n" for number in range(57))
    manifest(tmp_path / "systems", text=f"type Licence {{\n{fields}}}")
    assert run("check", "systems") == 1
    text = capsys.readouterr().out
    assert text.count("UNKNOWN_WORD Unknown") == 20
    assert "systems/licences.graphql:1:1 NO_SYSTEM" in text
    assert "… 另有 37 处 UNKNOWN_WORD … and 37 more UNKNOWN_WORD (hub check --all)" in text
    assert "个错误 errors" in text
    assert run("check", "systems", "--all") == 1
    text = capsys.readouterr().out
    assert text.count("UNKNOWN_WORD Unknown") == 57
    assert "more UNKNOWN_WORD" not in text
    assert run("check", "systems", "--json") == 1
    assert sum(fault["code"] == "UNKNOWN_WORD" for fault in json.loads(capsys.readouterr().out)) == 57


@pytest.mark.parametrize("code", ["NO_BATCH", "no-batch"])
def test_check_explains_a_code_by_a_wrong_and_a_right_example(code: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("check", "--explain", code) == 0
    text = capsys.readouterr().out
    assert text.startswith("NO_BATCH\n\n**列表之下逐个调用** A call for each element of a list")
    assert text.index("Wrong:") < text.index("Right:")
    assert "## " not in text


def test_a_code_that_there_is_not_is_misuse(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("check", "--explain", "NO_BTCH") == 2
    assert "Did you mean 'NO_BATCH'" in capsys.readouterr().err


def test_editor_gives_a_language_server_one_project_for_each_manifest(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    manifest(tmp_path / "mine")
    assert run("editor", "mine") == 0
    assert "1 manifest" in capsys.readouterr().out
    assert (tmp_path / ".graphqlrc.yml").read_text(encoding="utf-8").splitlines()[1:] == [
        "projects:",
        '  "licences":',
        '    schema: [".graphql/hub.graphql", ".graphql/schema.graphql"]',
        '    documents: "mine/licences.graphql"',
    ]
    words, types = ((tmp_path / ".graphql" / name).read_text(encoding="utf-8") for name in ("hub.graphql", "schema.graphql"))
    assert "directive @lookup" in words
    assert "type Licence" in types
    assert run("check", "mine") == 0  # what is written is no manifest


def test_editor_runs_above_the_manifests(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    manifest(tmp_path / "mine")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert run("editor", "../mine") == 1
    assert "Run this in a folder that holds" in capsys.readouterr().err


def test_who_has_read_enough_is_shown_no_trace() -> None:
    reading, writing = os.pipe()
    os.close(reading)  # as `head` does
    words = [sys.executable, "-c", "from hub.cli import main; main()", "check", "--explain", "NO_BATCH"]
    done = subprocess.run(words, stdout=writing, stderr=subprocess.PIPE, check=False)
    os.close(writing)
    assert (done.returncode, done.stderr) == (141, b"")


def test_explain_prints_the_plan_of_a_file_and_of_standard_input(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "query.graphql").write_text(QUERY, encoding="utf-8")
    assert run("explain", "query.graphql") == 0
    first = capsys.readouterr().out
    assert first.startswith("plan of Brief: 2 systems")
    assert "legalEntityRegister" in first
    assert "credit531x" in first
    monkeypatch.setattr("sys.stdin", io.StringIO(QUERY))
    assert run("explain", "-") == 0
    assert capsys.readouterr().out == first


def test_explain_shows_what_a_grade_may_not_see(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "query.graphql").write_text(QUERY, encoding="utf-8")
    assert run("explain", "query.graphql", "--grade", "L1") == 0
    assert "Enterprise.address (FORBIDDEN)" in capsys.readouterr().out


def test_explain_decides_conditions_by_the_variables_given(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = "query Q($credit: Boolean! = false) { enterprises(first: 3) { nodes { status creditScore @include(if: $credit) { grade } } } }"
    (tmp_path / "query.graphql").write_text(text, encoding="utf-8")
    assert run("explain", "query.graphql", "--json") == 0
    assert json.loads(capsys.readouterr().out)["systems"] == ["legalEntityRegister"]
    assert run("explain", "query.graphql", "--json", "--variables", '{"credit": true}') == 0
    assert json.loads(capsys.readouterr().out)["systems"] == ["credit531x", "legalEntityRegister"]
    assert run("explain", "query.graphql", "--variables", "[1]") == 1
    assert "JSON" in capsys.readouterr().err


def test_explain_of_a_wrong_query_says_where(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "query.graphql").write_text("{\n  enterprise\n}", encoding="utf-8")
    assert run("explain", "query.graphql") == 1
    assert "query.graphql:2:3 " in capsys.readouterr().err


def test_explain_of_several_operations_asks_which(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "query.graphql").write_text(QUERY + QUERY.replace("Brief", "Other"), encoding="utf-8")
    assert run("explain", "query.graphql") == 1
    assert "--operation: Brief, Other" in capsys.readouterr().err
    assert run("explain", "query.graphql", "--operation", "Other") == 0
    assert run("explain", "query.graphql", "--operation", "None") == 1


def test_explain_of_no_file(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("explain", "none.graphql") == 1
    assert "无法读取 none.graphql" in capsys.readouterr().err


def test_schema_is_sdl_and_narrower_for_those_who_see_less(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("schema") == 0
    whole = build_schema(capsys.readouterr().out)
    assert run("schema", "--audience", "anonymous") == 0
    open_to_all = build_schema(capsys.readouterr().out)
    assert "address" in whole.type_map["Enterprise"].fields  # type: ignore[attr-defined]  # an object type
    assert "address" not in open_to_all.type_map["Enterprise"].fields  # type: ignore[attr-defined]  # an object type
    assert run("schema", "--grade", "L2") == 0
    assert "address" in build_schema(capsys.readouterr().out).type_map["Enterprise"].fields  # type: ignore[attr-defined]  # an object type


def test_schema_as_a_subgraph_has_the_keys_of_entities(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("schema", "--subgraph", "--grade", "L1") == 0
    told = capsys.readouterr().out
    assert 'type Enterprise @key(fields: "uscc") {' in told
    assert "address:" not in told


def test_no_folder_is_misuse(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("check", "none") == 2
    assert "目录不存在" in capsys.readouterr().err


def test_a_wrong_configuration_is_misuse_and_all_of_it_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "hub.toml").write_text("[http]\nprot = 1\n[limits]\ndepht = 2\n", encoding="utf-8")
    assert run("check") == 2
    text = capsys.readouterr().err
    assert "Did you mean `port`?" in text
    assert "Did you mean `depth`?" in text


# --- the store -----------------------------------------------------------------------------------------------------------------


def test_migrate_up_and_down(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("migrate") == 0
    head = capsys.readouterr().out.split()[-1]
    assert run("migrate") == 0
    assert run("migrate", "--to", "base") == 0
    assert run("migrate", "--to", head) == 0
    assert capsys.readouterr().out.splitlines() == [f"{head} -> {head}", f"{head} -> base", f"base -> {head}"]
    assert run("migrate", "--to", "0815") == 1
    assert "没有版本 0815" in capsys.readouterr().err


def test_clients_are_added_listed_switched_and_given_new_secrets(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("client", "list") == 0
    assert "尚无调用方" in capsys.readouterr().out
    assert run("client", "add", "tax-app", "--name", "税务应用", "--grade", "L2", "--scope", "a", "--scope", "b") == 0
    first = capsys.readouterr().out.split()[-1]
    assert run("client", "rotate", "tax-app") == 0
    assert capsys.readouterr().out.split()[-1] != first
    assert run("client", "disable", "tax-app") == 0
    capsys.readouterr()
    assert run("client", "list") == 0
    listed = capsys.readouterr().out
    assert all(word in listed for word in ("tax-app", "税务应用", "L2", "a b", "停用 disabled"))
    assert first not in listed
    assert run("client", "enable", "tax-app") == 0


def test_another_key_signs_after_a_rotation(capsys: pytest.CaptureFixture[str]) -> None:
    made = []
    for withdraw in ([], ["--withdraw"]):
        assert run("key", "rotate", *withdraw) == 0
        made.append(capsys.readouterr().out.split()[-1])
    assert made[0] != made[1]


def test_a_client_that_cannot_be_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("client", "add", "a b") == 1
    assert run("client", "disable", "nobody") == 1
    assert run("client", "add", "a", "--keys", "none.pem") == 1
    (tmp_path / "keys.pem").write_text("not a key", encoding="utf-8")
    assert run("client", "add", "a", "--keys", "keys.pem") == 1
    text = capsys.readouterr().err
    assert "客户端标识" in text
    assert "无法读取 none.pem" in text
    assert "Traceback" not in text


def test_a_client_may_sign_instead(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from joserfc.jwk import ECKey

    for name in ("old", "new"):
        key = ECKey.generate_key("P-256", {"use": "sig"}, auto_kid=True)
        (tmp_path / f"{name}.json").write_text(json.dumps(key.as_dict(private=False)), encoding="utf-8")
    assert run("client", "add", "shanghai", "--audience", "partner", "--keys", "old.json") == 0
    assert "secret" not in capsys.readouterr().out
    assert run("client", "rotate", "shanghai", "--keys", "new.json") == 0
    assert run("client", "rotate", "shanghai") == 1


# --- serve and demo, as processes ----------------------------------------------------------------------------------------------


@contextmanager
def hub(*arguments: str, folder: Path, **environ: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", "from hub.cli import main; main()", *arguments]
    env = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "200", **environ}
    with subprocess.Popen(command, cwd=folder, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()  # nothing when it has ended


def ended(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    out, err = process.communicate(timeout=60)
    return process.returncode, out, err


def fetch(url: str, *, body: Any = None, headers: dict[str, str] | None = None) -> Any:
    from urllib.request import Request, urlopen

    data = None if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
    given = {"accept": "application/json", **({"content-type": "application/json"} if data else {}), **(headers or {})}
    with urlopen(Request(url, data=data, headers=given), timeout=30) as response:
        return json.loads(response.read())


def test_serve_answers_until_it_is_told_to_stop(tmp_path: Path) -> None:
    with hub("serve", "--port", "0", folder=tmp_path) as process:
        assert process.stderr is not None
        address = next(line.split()[3] for line in process.stderr if line.startswith("一网枢纽"))
        assert fetch(address, body={"query": "{ __typename }"}) == {"data": {"__typename": "Query"}}
        process.send_signal(signal.SIGTERM)
        code, _, log = ended(process)
    assert code == 0
    lines = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
    assert [line["event"] for line in lines if line["logger"] == "hub.request"] == ["answered"]
    assert (tmp_path / "var" / "hub.key").stat().st_mode & 0o777 == 0o600


def test_serve_does_not_start_with_broken_manifests(tmp_path: Path) -> None:
    manifest(tmp_path / "systems", text="type Licence {")
    with hub("serve", "--port", "0", "--systems", "systems", folder=tmp_path) as process:
        code, _, err = ended(process)
    assert code == 1
    assert "systems/licences.graphql:1:15 SYNTAX" in err


@dataclass(frozen=True, slots=True)
class Demo:
    process: subprocess.Popen[str]
    ready: dict[str, Any]
    printed: str

    def ask(self, query: str, caller: str = "app") -> Any:
        token = self.ready["tokens"][caller]
        headers = {"authorization": f"Bearer {token}"} if token else {}
        return fetch(self.ready["endpoint"], body={"query": query}, headers=headers)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    folder = tmp_path_factory.mktemp("demo")
    with hub("demo", "--port", "0", "--no-open", "--ready-file", "out/ready.json", folder=folder) as process:
        assert process.stdout is not None
        printed = ""
        for line in process.stdout:
            printed += line
            if "Ctrl-C" in line:  # the last thing it says, when all is up
                break
        file = folder / "out" / "ready.json"
        assert file.exists(), printed
        assert file.stat().st_mode & 0o777 == 0o600
        yield Demo(process, json.loads(file.read_text(encoding="utf-8")), printed)
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            ended(process)


def test_demo_prints_question_plan_answer_endpoint_and_tokens(demo: Demo) -> None:
    for words in (
        "query Whole",
        "plan of Whole: 11 systems",
        '"data"',
        "The answer equals",
        demo.ready["endpoint"],
        demo.ready["tokens"]["app"],
    ):
        assert words in demo.printed


def test_the_ready_file_says_all_that_a_script_needs(demo: Demo) -> None:
    ready = demo.ready
    assert sorted(ready) == ["clients", "departments", "endpoint", "issuer", "pid", "tokens"]
    assert list(ready["tokens"]) == ["anonymous", "app", "partner", "operator"]
    assert ready["tokens"]["anonymous"] is None
    assert (ready["pid"], len(ready["departments"]), len(ready["clients"])) == (demo.process.pid, 12, 3)
    assert all(sorted(department) == ["pid", "system", "url"] for department in ready["departments"])
    assert all(sorted(client) == ["id", "scopes", "secret"] for client in ready["clients"])


@pytest.mark.parametrize("caller", ["anonymous", "app", "partner", "operator"])
def test_every_caller_of_the_ready_file_is_who_it_says(demo: Demo, caller: str) -> None:
    assert demo.ask("{ hub { me { audience } } }", caller) == {"data": {"hub": {"me": {"audience": caller.upper()}}}}


def test_a_client_of_the_ready_file_gets_a_token(demo: Demo) -> None:
    import base64

    metadata = fetch(demo.ready["issuer"] + "/.well-known/oauth-authorization-server")
    client = demo.ready["clients"][0]
    basic = base64.b64encode(f"{client['id']}:{client['secret']}".encode()).decode()
    headers = {"authorization": f"Basic {basic}", "content-type": "application/x-www-form-urlencoded"}
    token = fetch(metadata["token_endpoint"], body=b"grant_type=client_credentials", headers=headers)["access_token"]
    answer = fetch(demo.ready["endpoint"], body={"query": "{ hub { me { client } } }"}, headers={"authorization": f"Bearer {token}"})
    assert answer == {"data": {"hub": {"me": {"client": client["id"]}}}}


def test_without_a_token_an_l2_field_is_null_and_forbidden(demo: Demo) -> None:
    answer = demo.ask("{ enterprises(first: 1) { nodes { name address } } }", "anonymous")
    [node] = answer["data"]["enterprises"]["nodes"]
    assert node["name"]
    assert node["address"] is None
    [error] = answer["errors"]
    assert (error["path"], error["extensions"]["code"]) == (["enterprises", "nodes", 0, "address"], "FORBIDDEN")
    assert demo.ask("{ enterprises(first: 1) { nodes { address } } }")["data"]["enterprises"]["nodes"][0]["address"]


def test_stopped_it_takes_its_departments_with_it(demo: Demo) -> None:
    """A department dies first: its fields are null with SYSTEM_DOWN, everything else is answered."""
    pids = {department["system"]: department["pid"] for department in demo.ready["departments"]}
    os.kill(pids["credit531x"], signal.SIGKILL)
    answer = demo.ask("{ enterprises(first: 3) { nodes { name creditScore { grade } } } }")
    assert all(node["name"] and node["creditScore"] is None for node in answer["data"]["enterprises"]["nodes"])
    assert {error["extensions"]["code"] for error in answer["errors"]} == {"SYSTEM_DOWN"}
    demo.process.send_signal(signal.SIGTERM)
    assert ended(demo.process)[0] == 0
    for pid in pids.values():
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_demo_once_leaves_with_the_verdict(tmp_path: Path) -> None:
    with hub("demo", "--once", "--port", "0", folder=tmp_path) as process:
        code, out, err = ended(process)
    assert code == 0, err
    assert "The answer equals what is computed from the seed" in out
    assert list(tmp_path.iterdir()) == []


def test_another_answer_than_the_seeds_is_not_right() -> None:
    from demo.question import WHOLE
    from demo.seed import world
    from hub.cli.demonstration import is_right

    right = WHOLE.answer(world())
    assert is_right({"data": right})
    assert not is_right({"data": {**right, "first": None}})
    assert not is_right({"data": right, "errors": [{}]})
    assert not is_right({"errors": [{}]})
