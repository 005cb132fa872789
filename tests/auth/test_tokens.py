"""The verifier: which tokens are accepted, for how long, and what it costs storage."""

from __future__ import annotations

import asyncio
import base64
import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, RSAKey

from auth.errors import BadToken
from auth.issuer import Issuer, access_token
from auth.keys import new_signing_key
from auth.principal import ANONYMOUS, Audience, Principal
from auth.tokens import TokenVerifier
from schema.coordinates import Grade
from tests.auth.world import ISSUER, NOON, SHANGHAI, Memory, StandingClock


class World:
    def __init__(self, size: int = 100) -> None:
        self.clock = StandingClock()
        self.storage = Memory(self.clock, SHANGHAI)
        self.verifier = TokenVerifier(self.storage, ISSUER, self.clock, size)

    def token(self, *scopes: str, issuer: Issuer = ISSUER) -> str:
        return access_token(issuer, SHANGHAI, scopes, self.storage.signing_key(), self.clock.now())

    def signed(self, header: dict[str, Any] | None = None, **changed: Any) -> str:
        """A token of our own key, with a few things different."""
        key = self.storage.signing_key()
        at = int(self.clock.now().timestamp())
        claims = {
            "iss": ISSUER.url,
            "sub": "shanghai",
            "aud": ISSUER.audience,
            "client_id": "shanghai",
            "iat": at,
            "exp": at + 60,
            "jti": "1",
            "scope": "",
            "grade": 2,
            "hub_audience": "partner",
        }
        claims = {name: value for name, value in (claims | changed).items() if value is not None}
        assert key.private
        return jwt.encode({"alg": "ES256", "typ": "at+jwt", "kid": key.kid} | (header or {}), claims, ECKey.import_key(key.private))


async def refused(world: World, token: str) -> str:
    with pytest.raises(BadToken) as caught:
        await world.verifier.verify(token)
    assert token not in str(caught.value) or not token
    return caught.value.reason


async def test_a_token_gives_the_principal_it_was_issued_for() -> None:
    world = World()
    found = await world.verifier.verify(world.token("market:read"))
    assert found == Principal("shanghai", Audience.PARTNER, frozenset({"market:read"}), Grade.L2)


async def test_a_token_holds_the_claims_of_rfc_9068() -> None:
    world = World()
    header, claims, _ = world.token("market:read", "credit:read").split(".")
    assert _read(header) == {"alg": "ES256", "typ": "at+jwt", "kid": world.storage.signing_key().kid}
    body = _read(claims)
    assert body.pop("jti")
    assert body == {
        "iss": "https://hub.example",
        "sub": "shanghai",
        "aud": "https://hub.example/graphql",
        "client_id": "shanghai",
        "iat": int(NOON.timestamp()),
        "exp": int(NOON.timestamp()) + 3600,
        "scope": "credit:read market:read",
        "grade": 2,
        "hub_audience": "partner",
    }


async def test_without_a_header_the_caller_is_anonymous() -> None:
    world = World()
    assert await world.verifier.principal(None) is ANONYMOUS
    assert world.storage.readings == 0


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Basic YTpi", "Token x", "Bearer a b c"])
async def test_a_header_that_is_no_bearer_token_is_refused_and_not_taken_for_anonymous(header: str) -> None:
    with pytest.raises(BadToken):
        await World().verifier.principal(header)


async def test_the_scheme_is_read_in_any_case() -> None:
    world = World()
    assert (await world.verifier.principal(f"bEARER  {world.token()} ")).id == "shanghai"


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"iss": "https://other.example"}, "invalid_claim"),
        ({"aud": "https://other.example/graphql"}, "invalid_claim"),
        ({"aud": ["https://other.example"]}, "invalid_claim"),
        ({"iat": int(NOON.timestamp()) + 31}, "invalid_claim"),
        ({"exp": int(NOON.timestamp())}, "expired_token"),
        ({"exp": "tomorrow"}, "invalid_claim"),
        ({"exp": None}, "missing_claim"),
        ({"sub": None}, "missing_claim"),
        ({"client_id": None}, "missing_claim"),
        ({"jti": None}, "missing_claim"),
        ({"grade": 9}, "unknown grade or audience"),
        ({"grade": None}, "unknown grade or audience"),
        ({"hub_audience": "root"}, "unknown grade or audience"),
        ({"sub": "jiangsu"}, "malformed"),
        ({"scope": ["market:read"]}, "malformed"),
        ({"client_id": ["shanghai"]}, "malformed"),
    ],
)
async def test_a_genuine_token_with_a_wrong_claim_is_refused(changed: dict[str, Any], reason: str) -> None:
    world = World()
    assert await refused(world, world.signed(**changed)) == reason


async def test_a_token_for_several_resources_is_accepted_if_ours_is_one() -> None:
    world = World()
    assert (await world.verifier.verify(world.signed(aud=["https://other.example", ISSUER.audience]))).id == "shanghai"


@pytest.mark.parametrize("kind", ["JWT", "jwt", "id+jwt", ""])
async def test_another_kind_of_jwt_is_no_access_token(kind: str) -> None:
    world = World()
    assert await refused(world, world.signed({"typ": kind})) == "not an access token"


@pytest.mark.parametrize("kind", ["AT+JWT", "application/at+jwt"])
async def test_the_long_name_of_the_type_is_accepted(kind: str) -> None:
    world = World()
    assert (await world.verifier.verify(world.signed({"typ": kind}))).id == "shanghai"


async def test_unsigned_tokens_are_refused() -> None:
    world = World()
    _, claims, signature = world.token().split(".")
    header = _write({"alg": "none", "typ": "at+jwt", "kid": world.storage.signing_key().kid})
    assert await refused(world, f"{header}.{claims}.") == "algorithm not allowed"
    assert await refused(world, f"{header}.{claims}.{signature}") == "algorithm not allowed"


async def test_the_public_key_does_not_serve_as_a_secret() -> None:
    """Algorithm confusion: HS256 keyed with what everybody can read (RFC 8725 §2.1)."""
    world = World()
    key = world.storage.signing_key()
    secret = OctKey.import_key(json.dumps(key.public))
    forged = jwt.encode({"alg": "HS256", "typ": "at+jwt", "kid": key.kid}, {"sub": "shanghai"}, secret, algorithms=["HS256"])
    assert await refused(world, forged) == "algorithm not allowed"


async def test_a_stranger_s_key_under_our_kid_is_refused() -> None:
    world = World()
    ours = world.storage.signing_key()
    theirs = replace(new_signing_key(NOON), kid=ours.kid)
    assert await refused(world, access_token(ISSUER, SHANGHAI, (), theirs, NOON)) == "bad_signature"


async def test_a_key_in_the_header_is_not_believed() -> None:
    world = World()
    theirs = new_signing_key(NOON)
    assert theirs.private
    header = {"alg": "ES256", "typ": "at+jwt", "kid": theirs.kid, "jwk": theirs.public}
    forged = jwt.encode(header, {"sub": "shanghai"}, ECKey.import_key(theirs.private))
    assert await refused(world, forged) == "unknown signing key"


async def test_other_algorithms_are_refused_though_the_library_knows_them() -> None:
    world = World()
    header = {"alg": "RS256", "typ": "at+jwt", "kid": world.storage.signing_key().kid}
    assert await refused(world, jwt.encode(header, {"sub": "x"}, RSAKey.generate_key(2048))) == "algorithm not allowed"


async def test_a_token_works_until_its_last_second_also_out_of_the_cache() -> None:
    world = World()
    token = world.token()
    await world.verifier.verify(token)
    world.clock.move(3599)
    assert (await world.verifier.verify(token)).id == "shanghai"
    world.clock.move(1)
    assert await refused(world, token) == "expired_token"


async def test_a_verified_token_is_not_verified_again(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    token = world.token()
    first = await world.verifier.verify(token)
    monkeypatch.setattr("auth.tokens.jwt.decode", None)
    assert await world.verifier.verify(token) is first


async def test_the_cache_is_bounded_and_the_oldest_goes_first() -> None:
    world = World(size=2)
    tokens = [world.token() for _ in range(3)]
    found = [await world.verifier.verify(token) for token in tokens]
    assert await world.verifier.verify(tokens[2]) is found[2]
    assert await world.verifier.verify(tokens[0]) is not found[0]


async def test_a_disabled_client_s_tokens_stop_within_half_a_minute() -> None:
    world = World()
    token = world.token()
    await world.verifier.verify(token)
    world.storage.disable("shanghai")
    world.clock.move(30)
    assert await refused(world, token) == "the client is switched off"
    assert await refused(world, world.token()) == "the client is switched off"


async def test_after_a_rotation_old_tokens_live_on_and_new_ones_are_known_at_once() -> None:
    world = World()
    old = world.token()
    await world.verifier.verify(old)
    world.clock.move(2)
    world.storage.rotate()
    new = world.token()
    assert (await world.verifier.verify(new)).id == "shanghai"
    assert (await world.verifier.verify(old)).id == "shanghai"


async def test_a_withdrawn_key_s_tokens_stop_also_those_already_verified() -> None:
    world = World()
    token = world.token()
    await world.verifier.verify(token)
    world.storage.keys = [new_signing_key(world.clock.now())]
    world.clock.move(30)
    assert await refused(world, token) == "the signing key was withdrawn"


async def test_a_retired_key_is_forgotten_when_its_last_token_has_expired() -> None:
    world = World()
    world.storage.rotate()
    old = world.storage.keys[1]
    world.clock.move(3600 + 61)
    late = access_token(ISSUER, SHANGHAI, (), old, world.clock.now())
    assert await refused(world, late) == "unknown signing key"


async def test_unknown_keys_do_not_make_the_verifier_read_storage_each_time() -> None:
    world = World()
    forged = [access_token(ISSUER, SHANGHAI, (), new_signing_key(NOON), NOON) for _ in range(20)]
    for token in forged:
        await refused(world, token)
    assert world.storage.readings == 1


async def test_many_callers_at_once_share_one_reading() -> None:
    world = World()
    token = world.token()
    await asyncio.gather(*(world.verifier.verify(token) for _ in range(50)))
    assert world.storage.readings == 1


async def test_a_reading_that_fails_is_tried_again_by_the_next_caller() -> None:
    world = World()
    token, read = world.token(), world.storage.trust

    async def down() -> Any:
        raise OSError("no store")

    world.storage.trust = down  # type: ignore[method-assign]
    with pytest.raises(OSError, match="no store"):
        await world.verifier.verify(token)
    world.storage.trust = read  # type: ignore[method-assign]
    assert (await world.verifier.verify(token)).id == "shanghai"


async def test_an_endless_token_is_refused_unread() -> None:
    assert await refused(World(), "a" * 5000) == "too long"


DEEP = base64.urlsafe_b64encode(b'{"alg":' + b"[" * 2500).rstrip(b"=").decode()


@pytest.mark.parametrize(
    "token", [".", "..", "...", "a.b.c", "e30.e30.", "bnVsbA.e30.AA", "WzFd.e30.AA", f"{DEEP}.e30.AA", "汉.字.符", "\udcff"]
)
async def test_what_is_no_jwt_is_refused(token: str) -> None:
    assert await refused(World(), token) in ("malformed", "algorithm not allowed")


@given(st.data())
def test_no_change_of_a_token_is_accepted(data: st.DataObject) -> None:
    world = World()
    token = world.token("market:read")
    at = data.draw(st.integers(0, len(token) - 1))
    char = data.draw(st.sampled_from("ABCxyz019-_.=汉\x00"))
    changed = token[:at] + char + token[at + 1 :]

    async def story() -> Principal | None:
        try:
            return await world.verifier.verify(changed)
        except BadToken:
            return None

    found = asyncio.run(story())
    # base64url leaves bits unused at the end of each part: another spelling of the very same bytes is the same token.
    assert found is None or _parts(changed) == _parts(token)


@given(st.text(max_size=200))
def test_no_text_brings_the_verifier_down(text: str) -> None:
    with pytest.raises(BadToken):
        asyncio.run(World().verifier.verify(text))


def _read(part: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(part + "=="))
    return found


def _write(header: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(header).encode()).rstrip(b"=").decode()


def _parts(token: str) -> list[bytes]:
    return [base64.urlsafe_b64decode(part + "==") for part in token.split(".")]
