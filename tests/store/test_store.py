"""Clients, signing keys, used assertions, systems and audit records, on both databases."""

from __future__ import annotations

import asyncio
import json
import stat
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from joserfc.jwk import ECKey, OctKey, RSAKey
from sqlalchemy import select, text
from sqlalchemy.exc import OperationalError

from auth.client_secrets import check_secret
from auth.errors import BadClient, BadToken
from auth.issuer import Issuer
from auth.keys import read_public_keys
from auth.principal import Audience
from auth.server import TokenServer
from auth.storage import AuthMethod
from auth.tokens import TokenVerifier
from hub.audit import AuditQuery, AuditRecord
from hub.store import Store, StoredSystem, StoreFault
from hub.store.engines import reading
from hub.store.signing import MOST_ASSERTIONS
from hub.store.systems import Change
from hub.store.tables import assertions, signing_keys
from schema.coordinates import Grade
from tests.auth.world import NOON, PAIR, StandingClock, basic

PUBLIC = read_public_keys(PAIR.as_pem(private=False).decode())
SHORT = rsa.generate_private_key(65537, 1024).public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
HOUR = timedelta(hours=1)
GRANT = {"grant_type": "client_credentials"}


async def shanghai(store: Store) -> str:
    secret = await store.add_client("shanghai", "上海市大数据中心", Audience.PARTNER, Grade.L2, ["market:read", "credit:read"])
    assert secret
    return secret


async def jiangsu(store: Store) -> None:
    await store.add_client("jiangsu", "江苏省", Audience.PARTNER, Grade.L1, method=AuthMethod.PRIVATE_KEY, keys=PUBLIC)


async def test_a_client_is_kept_as_it_was_registered_and_its_secret_only_as_a_hash(store: Store) -> None:
    secret = await shanghai(store)
    (client,) = await store.list_clients()
    assert (client.name, client.audience, client.ceiling) == ("上海市大数据中心", Audience.PARTNER, Grade.L2)
    assert (client.scopes, client.created, client.disabled) == (frozenset({"market:read", "credit:read"}), NOON, None)
    assert check_secret(secret, client.secret_hash)
    assert secret not in client.secret_hash
    assert client.secret_hash not in repr(client)


async def test_a_client_with_keys_has_no_secret(store: Store) -> None:
    assert await store.add_client("jiangsu", "江苏省", Audience.PARTNER, Grade.L1, method=AuthMethod.PRIVATE_KEY, keys=PUBLIC) is None
    client = await store.client("jiangsu")
    assert (client.keys, client.secret_hash) == (PUBLIC, "")


async def test_an_id_is_given_once(store: Store) -> None:
    await shanghai(store)
    with pytest.raises(StoreFault, match="already"):
        await shanghai(store)


@pytest.mark.parametrize(
    "wrong",
    [
        {"id": ""},
        {"id": "a b"},
        {"id": "上海"},
        {"id": "a" * 101},
        {"id": "a\x00"},
        {"audience": Audience.ANONYMOUS},
        {"scopes": ["two words"]},
        {"scopes": ['quo"te']},
        {"scopes": [""]},
        {"method": AuthMethod.PRIVATE_KEY},
        {"keys": PUBLIC},
    ],
)
async def test_a_registration_that_cannot_be_is_refused(store: Store, wrong: dict[str, Any]) -> None:
    asked: dict[str, Any] = {"id": "a", "name": "A", "audience": Audience.APP, "ceiling": Grade.L1} | wrong
    with pytest.raises(BadClient, match=r"[\u4e00-\u9fff].*[a-z]"):
        await store.add_client(**asked)
    assert await store.list_clients() == []


async def test_a_disabled_client_can_be_enabled_again(store: Store) -> None:
    await shanghai(store)
    await store.disable_client("shanghai")
    assert (await store.client("shanghai")).disabled == NOON
    assert (await store.trust()).disabled == {"shanghai"}
    await store.enable_client("shanghai")
    assert (await store.trust()).disabled == frozenset()


async def test_a_new_secret_ends_the_old_one(store: Store) -> None:
    old = await shanghai(store)
    new = await store.rotate_secret("shanghai")
    hashed = (await store.client("shanghai")).secret_hash
    assert (check_secret(new, hashed), check_secret(old, hashed)) == (True, False)


async def test_keys_are_replaced_and_are_no_secret(store: Store) -> None:
    await jiangsu(store)
    new = read_public_keys(ECKey.generate_key("P-384").as_pem(private=False).decode())
    await store.replace_keys("jiangsu", new)
    assert (await store.client("jiangsu")).keys == new
    with pytest.raises(StoreFault, match="keys, not a secret"):
        await store.rotate_secret("jiangsu")
    await shanghai(store)
    with pytest.raises(StoreFault, match="a secret, not keys"):
        await store.replace_keys("shanghai", new)


@pytest.mark.parametrize("change", ["disable_client", "enable_client", "rotate_secret", "client"])
async def test_an_unknown_client_is_named(store: Store, change: str) -> None:
    with pytest.raises(StoreFault, match="no client nobody"):
        await getattr(store, change)("nobody")


async def test_a_token_from_endpoint_to_principal_over_the_real_store(store: Store, clock: StandingClock) -> None:
    secret = await shanghai(store)
    issuer = Issuer("http://127.0.0.1:8000")
    server, verifier = TokenServer(issuer, store.issuing(), clock), TokenVerifier(store, issuer, clock)
    answers = await asyncio.gather(*(server.token(GRANT, basic("shanghai", secret)) for _ in range(6)))
    assert {answer.status for answer in answers} == {200}
    old = answers[0].body["access_token"]
    assert (await verifier.verify(old)).id == "shanghai"

    await store.rotate_signing_key()
    clock.move(20)
    new = (await server.token(GRANT, basic("shanghai", secret))).body["access_token"]
    assert (await verifier.verify(new)) == (await verifier.verify(old))
    assert len((await server.jwks())["keys"]) == 2

    await store.rotate_signing_key(withdraw=True)
    clock.move(20)
    for token in (old, new):
        with pytest.raises(BadToken, match="withdrawn"):
            await verifier.verify(token)
    assert len((await server.jwks())["keys"]) == 1

    await store.disable_client("shanghai")
    assert (await server.token(GRANT, basic("shanghai", secret))).status == 401


async def test_only_the_newest_key_has_a_private_part_and_that_is_encrypted(store: Store, clock: StandingClock) -> None:
    first = store.issuing().signing_key()
    clock.move(10)
    kid = await store.rotate_signing_key()
    second = store.issuing().signing_key()
    assert second.kid == kid != first.kid
    assert second.private
    async with reading(store.engine) as connection:
        rows = {row.kid: row for row in await connection.execute(select(signing_keys))}
    assert (rows[first.kid].private_jwk, rows[first.kid].retired) == (None, clock.now())
    assert second.private["d"] not in rows[kid].private_jwk
    assert "d" not in rows[kid].public_jwk
    assert [key.private for key in (await store.trust()).keys] == [None, None]


async def test_another_key_file_does_not_open_the_store(store: Store, url: str, tmp_path: Path) -> None:
    other = Store.open(url, tmp_path / "other.key")
    with pytest.raises(StoreFault, match="does not fit"):
        other.issuing().signing_key()
    await other.close()


async def test_a_private_key_moved_to_another_row_is_noticed(store: Store, clock: StandingClock) -> None:
    async with reading(store.engine) as connection:
        text_of_first = (await connection.execute(select(signing_keys.c.private_jwk))).scalar_one()
    await store.rotate_signing_key()
    async with store.engine.begin() as connection:
        await connection.execute(signing_keys.update().where(signing_keys.c.retired.is_(None)).values(private_jwk=text_of_first))
    with pytest.raises(StoreFault, match="does not fit"):
        store.issuing().signing_key()


async def test_without_a_signing_key_the_fault_says_what_to_do(store: Store) -> None:
    async with store.engine.begin() as connection:
        await connection.execute(signing_keys.delete())
    with pytest.raises(StoreFault, match="hub migrate"):
        store.issuing().signing_key()


async def test_an_assertion_is_remembered_until_it_expires(store: Store, clock: StandingClock) -> None:
    await jiangsu(store)
    await shanghai(store)
    storage = store.issuing()
    assert storage.remember("jiangsu", "1", NOON + HOUR)
    assert not storage.remember("jiangsu", "1", NOON + HOUR)
    assert storage.remember("shanghai", "1", NOON + HOUR)
    assert storage.remember("jiangsu", "\ud800" * 9000, NOON + HOUR)
    clock.move(3600)
    assert storage.remember("jiangsu", "2", NOON + 2 * HOUR)
    async with reading(store.engine) as connection:
        assert len((await connection.execute(select(assertions))).all()) == 1


async def test_of_many_uses_of_one_assertion_at_once_one_wins(store: Store) -> None:
    await jiangsu(store)
    storage = store.issuing()
    won = await asyncio.gather(*(asyncio.to_thread(storage.remember, "jiangsu", "1", NOON + HOUR) for _ in range(8)))
    assert sorted(won) == [False] * 7 + [True]


async def test_a_client_cannot_fill_the_table(store: Store) -> None:
    await jiangsu(store)
    rows = [{"client": "jiangsu", "jti_sha256": f"{number:064}", "expires": NOON + HOUR} for number in range(MOST_ASSERTIONS - 1)]
    async with store.engine.begin() as connection:
        await connection.execute(assertions.insert(), rows)
    storage = store.issuing()
    assert storage.remember("jiangsu", "the last", NOON + HOUR)
    assert not storage.remember("jiangsu", "one too many", NOON + HOUR)


@pytest.mark.parametrize("id", ["", "a\x00", "\ud800", "a' OR '1'='1", "x" * 5000, "shanghai "])
async def test_a_strange_id_is_no_client_and_no_error(store: Store, id: str) -> None:
    await shanghai(store)
    assert store.issuing().client(id) is None


CREDIT = StoredSystem("credit531x", "rest", "公共信用信息平台", "省发展改革委", "extend schema @system")
ENFORCEMENT = StoredSystem("marketEnforcementCore", "sql", "市场监管执法核心数据库", "省市场监管局", "extend schema")


async def test_systems_come_change_go_and_come_back(store: Store, clock: StandingClock) -> None:
    assert await store.record_systems([CREDIT, ENFORCEMENT]) == Change(added=("credit531x", "marketEnforcementCore"))
    clock.move(60)
    assert await store.record_systems([ENFORCEMENT, CREDIT]) == Change()
    edited = replace(CREDIT, manifest="extend schema @system(name: 1)")
    assert await store.record_systems([edited]) == Change(changed=("credit531x",), removed=("marketEnforcementCore",))
    credit, enforcement = await store.list_systems()
    assert credit == replace(edited, first_seen=NOON, changed=clock.now())
    assert enforcement == replace(ENFORCEMENT, state="removed", first_seen=NOON, changed=clock.now())
    clock.move(60)
    assert await store.record_systems([edited, ENFORCEMENT]) == Change(added=("marketEnforcementCore",))
    assert (await store.list_systems())[1] == replace(ENFORCEMENT, first_seen=NOON, changed=clock.now())


def asked(number: int, client: str = "shanghai") -> AuditRecord:
    return AuditRecord(
        request_id=f"r{number}",
        client=client,
        audience="partner",
        operation="企业",
        document="0" * 64,
        coordinates=("Enterprise.name", "Enterprise.uscc"),
        systems=("credit531x",),
        codes=("SYSTEM_DOWN",),
        status=200,
        ms=12.5,
        at=NOON + timedelta(minutes=number),
    )


async def test_audit_records_come_back_whole_newest_first(store: Store) -> None:
    await store.append_audit([asked(1), asked(2)])
    await store.append_audit([asked(3)])
    found = await store.audit_records(AuditQuery())
    assert [replace(record, id=None) for record in found] == [asked(3), asked(2), asked(1)]


async def test_audit_records_are_found_by_time_client_and_request(store: Store) -> None:
    await store.append_audit([asked(number, "shanghai" if number % 2 else "anhui") for number in range(10)])

    async def found(**query: Any) -> list[str]:
        return [record.request_id for record in await store.audit_records(AuditQuery(**query))]

    assert await found(client="anhui") == ["r8", "r6", "r4", "r2", "r0"]
    assert await found(since=NOON + timedelta(minutes=2), until=NOON + timedelta(minutes=4)) == ["r3", "r2"]
    assert await found(request_id="r7") == ["r7"]
    first = await store.audit_records(AuditQuery(limit=4))
    assert await found(limit=4, before=first[-1].id) == ["r5", "r4", "r3", "r2"]


async def test_a_moment_without_a_zone_is_refused(store: Store) -> None:
    naive = replace(asked(1), at=NOON.replace(tzinfo=None))
    with pytest.raises(Exception, match="without a zone"):
        await store.append_audit([naive])
    assert await store.audit_records(AuditQuery()) == []


async def test_on_sqlite_the_file_is_the_owner_s_alone_and_a_commit_reaches_the_disk(tmp_path: Path) -> None:
    store = Store.open(f"sqlite:///{tmp_path}/deep/er/hub.db", tmp_path / "deep" / "hub.key")
    await store.upgrade()
    async with reading(store.engine) as connection:
        pragmas = [
            (await connection.execute(text(f"PRAGMA {name}"))).scalar_one() for name in ("journal_mode", "synchronous", "foreign_keys")
        ]
    assert pragmas == ["wal", 2, 1]
    for path in (tmp_path / "deep").rglob("hub.*"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
    await store.close()


async def test_readers_do_not_wait_for_a_writer(tmp_path: Path) -> None:
    store = Store.open(f"sqlite:///{tmp_path}/hub.db", tmp_path / "hub.key")
    await store.upgrade()
    async with store.engine.execution_options(hub_writes=True).begin() as connection:
        await connection.execute(signing_keys.delete())
        assert len((await store.trust()).keys) == 1
    assert len((await store.trust()).keys) == 0
    await store.close()


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "mysql://x/y", "not a url", ""])
def test_a_store_that_cannot_be_is_refused_in_both_languages(url: str, tmp_path: Path) -> None:
    with pytest.raises(StoreFault, match=r"[\u4e00-\u9fff].*[a-z]"):
        Store.open(url, tmp_path / "hub.key")


async def test_a_postgres_that_is_not_there_fails_soon(tmp_path: Path) -> None:
    store = Store.open("postgresql://nobody@127.0.0.1:1/none", tmp_path / "hub.key")
    with pytest.raises(OperationalError):
        await store.revision()
    await store.close()


def test_a_key_file_is_made_once_and_for_its_owner(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "hub.key"
    Store.open(f"sqlite:///{tmp_path}/hub.db", path)
    made = path.read_bytes()
    Store.open(f"sqlite:///{tmp_path}/hub.db", path)
    assert path.read_bytes() == made
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [file.name for file in path.parent.iterdir()] == ["hub.key"]


@pytest.mark.parametrize(("mode", "content", "told"), [(0o644, None, "chmod 600"), (0o600, "", "32 bytes"), (0o600, "?" * 44, "32 bytes")])
def test_a_key_file_that_others_read_or_that_holds_no_key_is_refused(tmp_path: Path, mode: int, content: str | None, told: str) -> None:
    path = tmp_path / "hub.key"
    Store.open(f"sqlite:///{tmp_path}/hub.db", path)
    path.chmod(mode)
    if content is not None:
        path.write_text(content)
    with pytest.raises(StoreFault, match=told):
        Store.open(f"sqlite:///{tmp_path}/hub.db", path)


def test_public_keys_are_read_from_pem_jwk_and_jwk_set() -> None:
    pair = RSAKey.generate_key(2048)
    (of_pem,) = read_public_keys(pair.as_pem(private=False).decode())
    (of_jwk,) = read_public_keys(_json(pair.as_dict(private=False)))
    of_set = read_public_keys(_json({"keys": [pair.as_dict(private=False), PAIR.as_dict(private=False)]}))
    assert of_pem == of_jwk == of_set[0]
    assert of_pem["kid"] == pair.thumbprint()
    assert len(of_set) == 2


@pytest.mark.parametrize(
    ("given_key", "told"),
    [
        (PAIR.as_pem(private=True).decode(), "private key"),
        (RSAKey.generate_key(2048).as_pem(private=True).decode(), "private key"),
        (lambda: _json(PAIR.as_dict(private=True)), "private key"),
        (lambda: _json(OctKey.generate_key(256).as_dict()), "EC P-256 or P-384, or RSA"),
        (lambda: _json(ECKey.generate_key("P-521").as_dict(private=False)), "EC P-256 or P-384, or RSA"),
        (lambda: _json(PAIR.as_dict(private=False) | {"use": "enc"}), "for signing"),
        (SHORT.decode(), "2048 bits"),
        (lambda: _json({"keys": []}), "1 to 8"),
        (lambda: _json({"keys": [PAIR.as_dict(private=False)] * 2}), "same kid"),
        (lambda: _json({"keys": "x"}), "is a list"),
        (lambda: _json({"keys": [7]}), "cannot be read"),
        ("{", "not JSON"),
        ("{}", "cannot be read"),
        ("", "cannot be read"),
        ("ssh-ed25519 AAAA", "cannot be read"),
    ],
)
def test_keys_that_cannot_serve_are_refused_with_the_reason(given_key: Any, told: str) -> None:
    with pytest.raises(BadClient, match=told):
        read_public_keys(given_key if isinstance(given_key, str) else given_key())


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.text(max_size=80)
    | st.recursive(
        st.none() | st.integers() | st.text(max_size=5),
        lambda inner: st.dictionaries(st.sampled_from(["kty", "keys", "crv", "x", "y", "n", "e", "use", "kid"]), inner),
        max_leaves=6,
    ).map(lambda data: _json(data))
)
def test_no_text_brings_the_reader_of_keys_down(source: str) -> None:
    with pytest.raises(BadClient):
        read_public_keys(source)


def _json(data: Any) -> str:
    return json.dumps(data)
