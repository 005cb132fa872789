"""The authorization server over HTTP, asked as a partner asks: by Authlib's client, and by hand where the client would not err."""

from __future__ import annotations

import asyncio
import base64
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx2
import pytest
from authlib.integrations.base_client import OAuthError  # type: ignore[import-untyped]
from authlib.integrations.httpx_client import AsyncOAuth2Client  # type: ignore[import-untyped]
from authlib.oauth2.rfc7523 import PrivateKeyJWT  # type: ignore[import-untyped]
from authlib.oauth2.rfc8414 import AuthorizationServerMetadata, get_well_known_url  # type: ignore[import-untyped]
from hypothesis import given, settings
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, OctKey, RSAKey
from starlette.applications import Starlette
from structlog.testing import capture_logs

from auth.issuer import Issuer
from auth.principal import Audience, Principal
from auth.server import TokenServer
from auth.storage import AuthMethod, Client
from auth.tokens import TokenVerifier
from hub.clock import SystemClock
from hub.serve.oauth import routes
from schema.coordinates import Grade
from tests.auth.world import ISSUER, JIANGSU, NOON, PAIR, SECRET, SHANGHAI, Memory, StandingClock, basic

GRANT = {"grant_type": "client_credentials"}
ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


class World:
    """A hub's authorization server with Shanghai (a secret) and Jiangsu (a key pair) registered."""

    def __init__(self, issuer: Issuer = ISSUER, *more: Client) -> None:
        self.clock = StandingClock()
        self.storage = Memory(self.clock, SHANGHAI, JIANGSU, *more)
        self.server = TokenServer(issuer, self.storage, self.clock, ["market:read", "hub:explain"])
        self.verifier = TokenVerifier(self.storage, issuer, self.clock)
        self.transport = httpx2.ASGITransport(app=Starlette(routes=routes(self.server)))

    @asynccontextmanager
    async def http(self) -> AsyncIterator[httpx2.AsyncClient]:
        async with httpx2.AsyncClient(transport=self.transport, base_url="https://hub.example") as client:
            yield client

    async def ask(self, form: dict[str, str] | str | bytes, authorization: str | None = None) -> httpx2.Response:
        headers = FORM | ({"Authorization": authorization} if authorization else {})
        async with self.http() as client:
            if isinstance(form, dict):
                return await client.post("/oauth/token", data=form, headers=headers)
            return await client.post("/oauth/token", content=form, headers=headers)

    async def assert_by(self, key: Any = PAIR, alg: str = "ES256", header: dict[str, Any] | None = None, **claims: Any) -> httpx2.Response:
        """A request of Jiangsu's whose assertion has a few things different."""
        at = int(self.clock.now().timestamp())
        full = {"iss": "jiangsu", "sub": "jiangsu", "aud": ISSUER.token_endpoint, "iat": at, "exp": at + 300, "jti": "1"} | claims
        full = {name: value for name, value in full.items() if value is not None}
        assertion = jwt.encode({"alg": alg} | (header or {}), full, key, algorithms=[alg])
        return await self.ask(GRANT | {"client_assertion_type": ASSERTION, "client_assertion": assertion})


def errs(response: httpx2.Response) -> tuple[int, str]:
    """Status and error code, of an answer that keeps to RFC 6749 §5.2."""
    assert response.headers["content-type"] == "application/json"
    assert response.headers["cache-control"] == "no-store"
    assert response.headers["pragma"] == "no-cache"
    body = response.json()
    assert body.keys() == {"error", "error_description"}
    assert all(" " <= char <= "~" and char not in '"\\' for char in body["error_description"])
    assert (response.status_code == 401) == ("www-authenticate" in response.headers)
    return response.status_code, body["error"]


async def test_a_partner_with_a_secret_gets_a_token_and_the_hub_knows_it() -> None:
    world = World()
    async with AsyncOAuth2Client("shanghai", SECRET, transport=world.transport) as partner:
        token = await partner.fetch_token(ISSUER.token_endpoint, grant_type="client_credentials", scope="market:read")
    assert {"token_type": "Bearer", "expires_in": 3600, "scope": "market:read"}.items() <= token.items()
    assert "refresh_token" not in token
    principal = await world.verifier.verify(token["access_token"])
    assert principal == Principal("shanghai", Audience.PARTNER, frozenset({"market:read"}), Grade.L2)


async def test_a_partner_with_a_key_pair_gets_a_token() -> None:
    world = World()
    world.clock.passed = _since_noon()  # Authlib's client signs by the machine's clock
    async with AsyncOAuth2Client(
        "jiangsu", PAIR, token_endpoint_auth_method=PrivateKeyJWT(ISSUER.token_endpoint, alg="ES256"), transport=world.transport
    ) as partner:
        token = await partner.fetch_token(ISSUER.token_endpoint, grant_type="client_credentials")
    assert (await world.verifier.verify(token["access_token"])).id == "jiangsu"


async def test_a_token_answer_is_not_to_be_stored() -> None:
    answer = await World().ask(GRANT, basic("shanghai", SECRET))
    assert answer.status_code == 200
    assert (answer.headers["cache-control"], answer.headers["pragma"]) == ("no-store", "no-cache")


async def test_who_asks_for_no_scope_gets_all_of_its_own() -> None:
    assert (await World().ask(GRANT, basic("shanghai", SECRET))).json()["scope"] == "credit:read market:read"


@pytest.mark.parametrize("scope", ["civil:marriage", "market:read civil:marriage", "market:read,credit:read", "汉字", "a\x00b", '"'])
async def test_a_scope_beyond_the_client_s_own_is_refused_whole(scope: str) -> None:
    assert errs(await World().ask(GRANT | {"scope": scope}, basic("shanghai", SECRET))) == (400, "invalid_scope")


async def test_a_client_without_scopes_gets_a_token_without_scopes() -> None:
    world = World(ISSUER, replace(SHANGHAI, id="plain", scopes=frozenset()))
    answer = (await world.ask(GRANT, basic("plain", SECRET))).json()
    assert "scope" not in answer
    assert (await world.verifier.verify(answer["access_token"])).scopes == frozenset()


@pytest.mark.parametrize(
    "authorization",
    [
        None,
        basic("shanghai", "wrong"),
        basic("nobody", SECRET),
        basic("jiangsu", SECRET),
        basic("jiangsu", ""),
        basic("", ""),
        "Basic",
        "Basic !!!",
        "Basic /////w==",  # not UTF-8
        "Basic c2hhbmdoYWk=",  # no colon
        "Bearer abc",
    ],
)
async def test_a_bad_client_gets_401_and_learns_nothing(authorization: str | None) -> None:
    answer = await World().ask(GRANT, authorization)
    assert errs(answer) == (401, "invalid_client")
    assert answer.json()["error_description"] == "Client authentication failed."
    assert answer.headers["www-authenticate"] == 'Basic realm="hub", charset="UTF-8"'


async def test_a_secret_in_the_body_is_not_accepted() -> None:
    assert errs(await World().ask(GRANT | {"client_id": "shanghai", "client_secret": SECRET})) == (401, "invalid_client")


async def test_a_disabled_client_gets_no_token() -> None:
    world = World()
    world.storage.disable("shanghai")
    assert errs(await world.ask(GRANT, basic("shanghai", SECRET))) == (401, "invalid_client")


async def test_authlib_s_client_reads_our_refusal() -> None:
    async with AsyncOAuth2Client("shanghai", "wrong", transport=World().transport) as partner:
        with pytest.raises(OAuthError) as caught:
            await partner.fetch_token(ISSUER.token_endpoint, grant_type="client_credentials")
    assert caught.value.error == "invalid_client"


async def test_an_assertion_is_accepted_once() -> None:
    world = World()
    assert (await world.assert_by()).status_code == 200
    again = await world.assert_by()
    assert errs(again) == (401, "invalid_client")
    assert "jti" in again.json()["error_description"]
    assert (await world.assert_by(jti="2")).status_code == 200


@pytest.mark.parametrize("audience", [ISSUER.token_endpoint, ISSUER.url, [ISSUER.url, "https://other.example"]])
async def test_an_assertion_may_name_the_issuer_or_its_token_endpoint(audience: Any) -> None:
    assert (await World().assert_by(aud=audience)).status_code == 200


AT = int(NOON.timestamp())


@pytest.mark.parametrize(
    ("claims", "told"),
    [
        ({"aud": "https://other.example/oauth/token"}, "aud"),
        ({"aud": None}, "aud"),
        ({"iss": "shanghai"}, "iss"),
        ({"iss": None}, "iss"),
        ({"exp": AT - 61}, "expired"),
        ({"exp": None}, "exp"),
        ({"exp": AT + 3700}, "3600 seconds"),
        ({"exp": 1e300}, "3600 seconds"),
        ({"iat": AT + 300}, "future"),
        ({"nbf": AT + 300}, "not yet valid"),
        ({"jti": None}, "jti"),
        ({"jti": ""}, "jti"),
        ({"jti": 7}, "jti"),
    ],
)
async def test_who_holds_the_key_is_told_what_is_wrong_with_the_assertion(claims: dict[str, Any], told: str) -> None:
    answer = await World().assert_by(**claims)
    assert errs(answer) == (401, "invalid_client")
    assert told in answer.json()["error_description"].lower()


@pytest.mark.parametrize(
    ("key", "alg", "claims"),
    [
        (ECKey.generate_key("P-256"), "ES256", {}),
        (RSAKey.generate_key(2048), "RS256", {}),
        (OctKey.import_key(PAIR.as_pem(private=False).hex()), "HS256", {}),
        (PAIR, "ES256", {"sub": "shanghai", "iss": "shanghai"}),
        (PAIR, "ES256", {"sub": "nobody", "iss": "nobody"}),
        (PAIR, "ES256", {"sub": None}),
        (PAIR, "ES256", {"sub": 7}),
    ],
)
async def test_who_does_not_hold_the_key_learns_nothing(key: Any, alg: str, claims: dict[str, Any]) -> None:
    answer = await World().assert_by(key, alg, **claims)
    assert errs(answer) == (401, "invalid_client")
    assert answer.json()["error_description"] == "Client authentication failed."


async def test_of_two_keys_the_named_one_counts_or_any_when_none_is_named() -> None:
    second = RSAKey.generate_key(2048, {"kid": "second"})
    two = replace(JIANGSU, keys=(*JIANGSU.keys, dict(second.as_dict(private=False))))
    world = World(ISSUER, two)
    assert (await world.assert_by(second, "RS256", {"kid": "second"}, jti="1")).status_code == 200
    assert (await world.assert_by(second, "PS256", jti="2")).status_code == 200
    assert (await world.assert_by(PAIR, jti="3")).status_code == 200
    assert (await world.assert_by(second, "RS256", {"kid": str(PAIR.kid)}, jti="4")).status_code == 401


async def test_a_client_of_secrets_cannot_use_an_assertion_even_with_keys_on_record() -> None:
    world = World(ISSUER, replace(JIANGSU, method=AuthMethod.SECRET, secret_hash=SHANGHAI.secret_hash))
    assert errs(await world.assert_by()) == (401, "invalid_client")


async def test_a_client_id_beside_the_credentials_must_agree() -> None:
    world = World()
    assert (await world.ask(GRANT | {"client_id": "shanghai"}, basic("shanghai", SECRET))).status_code == 200
    assert errs(await world.ask(GRANT | {"client_id": "jiangsu"}, basic("shanghai", SECRET))) == (401, "invalid_client")


@pytest.mark.parametrize("body", ["grant_type=", "", "scope=market:read", "grant_type"])
async def test_a_request_without_a_grant_type_is_invalid(body: str) -> None:
    assert errs(await World().ask(body, basic("shanghai", SECRET))) == (400, "invalid_request")


@pytest.mark.parametrize("grant", ["password", "authorization_code", "refresh_token", '汉"\\\x07'])
async def test_other_grants_are_unsupported(grant: str) -> None:
    assert errs(await World().ask({"grant_type": grant}, basic("shanghai", SECRET))) == (400, "unsupported_grant_type")


@pytest.mark.parametrize(
    "body",
    [
        b"grant_type=client_credentials&grant_type=client_credentials",
        b"grant_type=client_credentials&scope=a&scope=b",
        b"grant_type=%ff",
        b"grant_type=\xff",
        b"&".join(b"a%d=1" % number for number in range(40)),
    ],
)
async def test_a_form_that_repeats_or_is_not_utf8_is_invalid(body: bytes) -> None:
    assert errs(await World().ask(body, basic("shanghai", SECRET))) == (400, "invalid_request")


async def test_two_ways_of_authentication_at_once_are_invalid() -> None:
    form = GRANT | {"client_assertion_type": ASSERTION, "client_assertion": "x"}
    assert errs(await World().ask(form, basic("shanghai", SECRET))) == (400, "invalid_request")


async def test_a_body_beyond_the_limit_is_refused() -> None:
    assert errs(await World().ask("grant_type=client_credentials&x=" + "a" * 20_000)) == (413, "invalid_request")


async def test_json_is_no_form() -> None:
    async with World().http() as client:
        assert errs(await client.post("/oauth/token", json=GRANT)) == (400, "invalid_request")


async def test_the_token_endpoint_is_for_post() -> None:
    async with World().http() as client:
        assert (await client.get("/oauth/token")).status_code == 405


@settings(max_examples=40)
@given(st.text(max_size=120), st.sampled_from(["{}", "{}.{}.{}", "eyJhbGciOiJFUzI1NiJ9.{}.AAAA"]))
def test_no_assertion_brings_the_server_down(text: str, shape: str) -> None:
    form = GRANT | {"client_assertion_type": ASSERTION, "client_assertion": shape.replace("{}", text)}
    answer = asyncio.run(World().ask({name: value for name, value in form.items() if value}))
    assert errs(answer) == (401, "invalid_client")


async def test_a_deeply_nested_assertion_is_refused() -> None:
    deep = base64.urlsafe_b64encode(b'{"sub":' + b"[" * 5000).decode().rstrip("=")
    form = GRANT | {"client_assertion_type": ASSERTION, "client_assertion": f"eyJhbGciOiJFUzI1NiJ9.{deep}.AAAA"}
    assert errs(await World().ask(form)) == (401, "invalid_client")


async def test_the_key_set_verifies_a_token_without_asking_the_hub() -> None:
    world = World()
    token = (await world.ask(GRANT, basic("shanghai", SECRET))).json()["access_token"]
    async with world.http() as client:
        keys = (await client.get("/oauth/jwks.json")).json()
    assert jwt.decode(token, KeySet.import_key_set(keys), algorithms=["ES256"]).claims["sub"] == "shanghai"
    assert [sorted(key) for key in keys["keys"]] == [["alg", "crv", "kid", "kty", "use", "x", "y"]]


async def test_the_key_set_holds_a_retired_key_as_long_as_its_tokens_live() -> None:
    world = World()
    old = world.storage.signing_key().kid
    world.storage.rotate()
    new = world.storage.signing_key().kid
    assert [key["kid"] for key in (await world.server.jwks())["keys"]] == [new, old]
    world.clock.move(3600 + 61)
    assert [key["kid"] for key in (await world.server.jwks())["keys"]] == [new]


@pytest.mark.parametrize("url", ["https://hub.example", "https://gov.example/hub"])
async def test_the_metadata_is_where_and_what_rfc_8414_says(url: str) -> None:
    world = World(Issuer(url))
    async with world.http() as client:
        found = (await client.get(get_well_known_url(url))).json()
    AuthorizationServerMetadata(found).validate()
    assert found == {
        "issuer": url,
        "token_endpoint": f"{url}/oauth/token",
        "jwks_uri": f"{url}/oauth/jwks.json",
        "response_types_supported": ["none"],
        "grant_types_supported": ["client_credentials"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "private_key_jwt"],
        "token_endpoint_auth_signing_alg_values_supported": ["ES256", "ES384", "RS256", "PS256"],
        "scopes_supported": ["hub:explain", "market:read"],
        "ui_locales_supported": ["zh-CN", "en"],
    }


@pytest.mark.parametrize("url", ["http://hub.example", "hub.example", "https://hub.example/", "https://hub.example?x=1", "https://h#f", ""])
def test_an_address_that_cannot_be_an_issuer_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="issuer"):
        Issuer(url)


@pytest.mark.parametrize("url", ["http://127.0.0.1:8000", "http://localhost:8000", "http://[::1]:8000"])
async def test_plain_http_will_do_on_loopback(url: str) -> None:
    assert (await World(Issuer(url)).ask(GRANT, basic("shanghai", SECRET))).status_code == 200


async def test_many_partners_at_once_are_served_and_a_flood_is_turned_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("auth.server._QUEUE", 6)
    world = World()
    answers = await asyncio.gather(*(world.server.token(GRANT, basic("shanghai", SECRET)) for _ in range(9)))
    assert [answer.status for answer in answers] == [200] * 6 + [503] * 3
    assert (await world.server.token(GRANT, basic("shanghai", SECRET))).status == 200


async def test_the_log_says_who_and_why_and_never_the_secret() -> None:
    world = World()
    with capture_logs() as lines:
        await world.ask(GRANT, basic("shanghai", SECRET))
        await world.ask(GRANT, basic("shanghai", "a-wrong-secret"))
        await world.assert_by(ECKey.generate_key("P-256"))
    assert [(line["client"], line["status"]) for line in lines] == [("shanghai", 200), ("shanghai", 401), ("jiangsu", 401)]
    assert lines[2]["reason"] == "invalid_client: No key of this client has signed the assertion."
    assert "a-wrong-secret" not in str(lines)


async def test_the_assertion_of_the_documents_is_accepted() -> None:
    page = (Path(__file__).parents[2] / "docs" / "auth.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"^```python\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    space: dict[str, Any] = {}
    exec(compile(block, "docs/auth.md", "exec"), space)
    signed = space["assertion"]("jiangsu", PAIR.as_pem(private=True), ISSUER.token_endpoint)
    world = World()
    world.clock.passed = _since_noon()
    assert (await world.ask(GRANT | {"client_assertion_type": ASSERTION, "client_assertion": signed})).status_code == 200


def _since_noon() -> float:
    return (SystemClock().now() - NOON).total_seconds()
