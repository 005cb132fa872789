"""``hub.toml``, the environment over it, and secrets by name."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from connectors.spi import Options, Secret
from hub.config import BadConfig, Config, find, load, seconds, settings, size
from hub.environment import Environment, environment, fill, secret_variable

ROOT = Path(__file__).parent.parent


def written(folder: Path, text: str) -> Path:
    file = folder / "hub.toml"
    file.write_text(text, encoding="utf-8")
    return file


def faults(folder: Path, text: str, environ: dict[str, str] | None = None) -> list[str]:
    with pytest.raises(BadConfig) as caught:
        load(written(folder, text), environ or {})
    return [str(fault).replace(f"{folder}/", "") for fault in caught.value.faults]


# --- the file ------------------------------------------------------------------------------------------------------------------


def test_without_a_file_the_defaults_stand() -> None:
    config = load(None, {})
    assert (config.http.port, config.limits.depth, config.home) == (8000, 20, Path.cwd())


def test_the_file_that_comes_with_the_hub_says_the_defaults() -> None:
    shipped, defaults = load(ROOT / "hub.toml", {}), load(None, {})
    for section, name, _, _ in settings():
        assert getattr(getattr(shipped, section), name) == getattr(getattr(defaults, section), name), f"{section}.{name}"


def test_the_file_that_comes_with_the_hub_names_every_setting() -> None:
    text = (ROOT / "hub.toml").read_text(encoding="utf-8")
    for _, name, _, _ in settings():
        assert re.search(rf"^{name} = ", text, re.MULTILINE), name


def test_values_are_read_with_their_units(tmp_path: Path) -> None:
    text = (
        '[http]\ndrain = "1m"\norigins = ["https://app.example"]\n[limits]\nbody = "64KB"\n[engine]\ndeadline = 3\n[variables]\nA = "b"\n'
    )
    config = load(written(tmp_path, text), {})
    assert (config.http.drain, config.http.origins, config.limits.body, config.engine.deadline) == (
        60.0,
        ("https://app.example",),
        64_000,
        3.0,
    )
    assert config.variables == {"A": "b"}


@pytest.mark.parametrize(("text", "number"), [("500ms", 0.5), ("10s", 10), ("2m", 120), ("1h", 3600), ("1.5s", 1.5), ("7", 7)])
def test_times(text: str, number: float) -> None:
    assert seconds(text) == number


@pytest.mark.parametrize(("text", "number"), [("1MB", 1_000_000), ("64 kb", 64_000), ("10", 10), ("1.5GB", 1_500_000_000)])
def test_sizes(text: str, number: int) -> None:
    assert size(text) == number


@pytest.mark.parametrize("text", ["", "s", "10 weeks", "-1s", "1e3s"])
def test_what_is_no_time(text: str) -> None:
    with pytest.raises(ValueError, match="Expected a time"):
        seconds(text)


def test_all_faults_are_told_at_once_with_place_and_suggestion(tmp_path: Path) -> None:
    text = """\
[htpp]
port = 1
[http]
prot = 1
port = "x"
drain = "1 week"
explorer = 1
[limits]
depth = true
body = "1QB"
tokens = 0
[logs]
level = "loud"
[variables]
A = 1
"""
    assert faults(tmp_path, text, {"HUB_HTTP_PRT": "1", "HUB_LIMITS_FIELDS": "many"}) == [
        "hub.toml:1 htpp: 未知的配置节。 Unknown section. Did you mean `http`?",
        "hub.toml:4 http.prot: 未知的设置。 Unknown setting. Did you mean `port`?",
        "hub.toml:5 http.port: 取值无效。 Expected `int`, got `str`.",
        'hub.toml:6 http.drain: 取值无效。 Expected a time such as "500ms", "10s", "2m" or "1h".',
        "hub.toml:7 http.explorer: 取值无效。 Expected `bool`, got `int`.",
        "hub.toml:9 limits.depth: 取值无效。 Expected something else than true or false.",
        'hub.toml:10 limits.body: 取值无效。 Expected a size such as "64KB" or "1MB".',
        "hub.toml:11 limits.tokens: 取值无效。 Expected `int` >= 1.",
        "hub.toml:13 logs.level: 取值无效。 Invalid enum value 'loud'.",
        "hub.toml:15 variables.A: 应为字符串。 A variable is a string.",
        "$HUB_HTTP_PRT http.prt: 未知的设置。 Unknown setting. Did you mean `port`?",
        "$HUB_LIMITS_FIELDS limits.fields: 取值无效。 Expected `int`, got `str`.",
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [("[http", "Not valid TOML"), ("http = 3", "A section is written as [http]"), ("variables = 3", "A section is written as [variables]")],
)
def test_a_file_that_is_no_such_file(tmp_path: Path, text: str, message: str) -> None:
    assert message in faults(tmp_path, text)[0]


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(BadConfig, match="cannot be read"):
        load(tmp_path / "none.toml", {})


# --- the environment over it ---------------------------------------------------------------------------------------------------


def test_the_environment_comes_before_the_file(tmp_path: Path) -> None:
    environ = {
        "HUB_HTTP_PORT": "9000",
        "HUB_HTTP_ORIGINS": "https://a.example, https://b.example",
        "HUB_HTTP_EXPLORER": "false",
        "HUB_HTTP_PARTIAL_STATUS": "294",
        "HUB_LIMITS_ROOT_FIELDS": "7",
        "HUB_AUTH_LIFETIME": "5m",
        "HUB_UNRELATED": "other people's",
        "HUB_SECRET_CREDIT531X_KEY": "s",
    }
    config = load(written(tmp_path, "[http]\nport = 1\n"), environ)
    assert (config.http.port, config.http.origins, config.http.explorer) == (9000, ("https://a.example", "https://b.example"), False)
    assert (config.http.partial_status, config.limits.root_fields, config.auth.lifetime) == (294, 7, 300.0)


def test_every_setting_can_be_given_by_the_environment() -> None:
    for section, name, _, default in settings():
        text = ",".join(default) if isinstance(default, tuple) else str(default).lower() if isinstance(default, bool) else str(default)
        config = load(None, {f"HUB_{section}_{name}".upper(): text})
        assert getattr(getattr(config, section), name) == default


def test_which_file_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert find(None, {}) is None
    written(tmp_path, "")
    assert find(None, {}) == Path("hub.toml")
    assert find(None, {"HUB_CONFIG": "/etc/hub.toml"}) == Path("/etc/hub.toml")
    assert find(Path("given.toml"), {"HUB_CONFIG": "/etc/hub.toml"}) == Path("given.toml")


def test_relative_paths_start_at_the_file(tmp_path: Path) -> None:
    config = load(written(tmp_path, ""), {})
    assert config.store_url() == f"sqlite:///{tmp_path}/var/hub.sqlite"
    assert config.at("systems") == tmp_path / "systems"
    assert config.at("/srv/systems") == Path("/srv/systems")


@pytest.mark.parametrize("url", ["sqlite:////srv/hub.sqlite", "postgresql://hub@db/hub", "sqlite:///:memory:"])
def test_other_store_urls_stay_as_they_are(tmp_path: Path, url: str) -> None:
    assert load(None, {"HUB_STORE_URL": url}).store_url() == url


# --- variables and secrets in manifests ----------------------------------------------------------------------------------------


def test_a_secret_is_found_in_the_environment_then_in_files(tmp_path: Path) -> None:
    first, second = tmp_path / "one", tmp_path / "two"
    first.mkdir()
    second.mkdir()
    (second / "credit531x.key").write_text("from two\n", encoding="utf-8")
    given = Environment({}, {}, (first, second))
    assert given.secret("credit531x.key") == Secret("from two")
    (first / "credit531x.key").write_text("from one\n", encoding="utf-8")
    assert given.secret("credit531x.key") == Secret("from one")
    assert Environment({"HUB_SECRET_CREDIT531X_KEY": "from env"}, {}, (first,)).secret("credit531x.key") == Secret("from env")
    assert given.secret("missing") is None


@pytest.mark.parametrize("name", ["../etc/passwd", "/etc/passwd", "", ".hidden", "a/b"])
def test_a_secrets_name_is_no_path(tmp_path: Path, name: str) -> None:
    assert Environment({}, {}, (tmp_path, Path("/"))).secret(name) is None


def test_the_folder_of_secrets_is_configured(tmp_path: Path) -> None:
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys" / "a.key").write_text("k", encoding="utf-8")
    config = load(written(tmp_path, '[secrets]\nfolder = "keys"\n[variables]\nA = "file"\nB = "file"\n'), {})
    given = environment(config, {"B": "environment"})
    assert given.secret("a.key") == Secret("k")
    assert (given.variables["A"], given.variables["B"]) == ("file", "environment")


def test_options_are_filled() -> None:
    options = Options(
        {
            "base": "${HOST}/api/${HOST}",
            "auth": {"kind": "BASIC", "user": "u.name", "secret": "u.key"},
            "headers": {"X": "${X}"},
            "errors": [{"when": "$.code == 1"}],
            "user": "plain",
            "size": 3,
        }
    )
    given = Environment({"HOST": "http://h", "X": "x", "HUB_SECRET_U_NAME": "me"}, {"u.key": Secret("k")})
    filled = fill(options, given)
    assert filled.missing == []
    assert filled.options == {
        "base": "http://h/api/http://h",
        "auth": {"kind": "BASIC", "user": Secret("me"), "secret": Secret("k")},
        "headers": {"X": "x"},
        "errors": [{"when": "$.code == 1"}],
        "user": "plain",
        "size": 3,
    }


def test_the_private_key_of_a_certificate_is_a_secret() -> None:
    filled = fill({"tls": {"ca": "${NAME}.pem", "key": "u.key"}, "key": "plain"}, Environment({"NAME": "ca"}, {"u.key": Secret("k")}))
    assert filled.options == {"tls": {"ca": "ca.pem", "key": Secret("k")}, "key": "plain"}


def test_what_is_missing_is_named_once_and_how_to_give_it() -> None:
    filled = fill({"base": "${HOST}/${HOST}", "auth": {"secret": "u.key"}}, Environment())
    assert filled.missing == ["variable HOST", f"secret u.key (environment {secret_variable('u.key')}, or a file)"]
    assert secret_variable("u.key") == "HUB_SECRET_U_KEY"


def test_no_secret_and_no_variable_is_printed() -> None:
    given = Environment({"TOKEN": "planted-value"}, {"k": Secret("planted-value")})
    assert "planted-value" not in repr(given) + repr(fill({"auth": {"secret": "k"}}, given))


def test_a_configuration_is_plain_data() -> None:
    assert Config() == Config()
