"""The adapter to Authlib: its framework-free server classes over our storage, clock and keys. Synchronous; runs in a worker thread.

Everything that depends on Authlib is in this file. Must not know a web framework, an event loop or SQL.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from authlib.oauth2.rfc6749 import AuthorizationServer, ClientMixin, OAuth2Error, OAuth2Request  # type: ignore[import-untyped]
from authlib.oauth2.rfc6749.errors import InvalidClientError, InvalidRequestError, UnsupportedGrantTypeError  # type: ignore[import-untyped]
from authlib.oauth2.rfc6749.grants import ClientCredentialsGrant  # type: ignore[import-untyped]
from authlib.oauth2.rfc6749.requests import BasicOAuth2Payload  # type: ignore[import-untyped]
from authlib.oauth2.rfc6749.util import extract_basic_authorization  # type: ignore[import-untyped]
from authlib.oauth2.rfc6750.token import BearerTokenGenerator  # type: ignore[import-untyped]
from authlib.oauth2.rfc7523 import JWTBearerClientAssertion  # type: ignore[import-untyped]
from authlib.oauth2.rfc8414 import AuthorizationServerMetadata  # type: ignore[import-untyped]
from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import Key, import_key

from auth.client_secrets import check_secret, decoy_hash
from auth.issuer import Issuer, access_token
from auth.keys import algs
from auth.storage import AuthMethod, Client, Clock, IssuingStorage

_LONGEST_ASSERTION = 3600  # seconds that an assertion may live: its jti is remembered that long
_SKEW = 60  # seconds that a client's clock may be off
_NO_STORE = (("Cache-Control", "no-store"), ("Pragma", "no-cache"))
_REFUSED = "Client authentication failed."


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back: ``body`` is a JSON object. ``client`` and ``reason`` are for the hub's log and never sent."""

    status: int
    body: Mapping[str, Any]
    headers: tuple[tuple[str, str], ...] = _NO_STORE
    client: str = ""
    reason: str = ""


def refusal(status: int, error: str, description: str, *headers: tuple[str, str]) -> Answer:
    """An error as RFC 6749 §5.2 writes it."""
    return Answer(status, {"error": error, "error_description": description}, (*_NO_STORE, *headers), reason=description)


@dataclass(frozen=True, slots=True)
class Asked:
    """A token request: each form parameter once, and the ``Authorization`` header or an empty text."""

    form: dict[str, str]
    authorization: str = field(repr=False)


class _Request(OAuth2Request):  # type: ignore[misc]
    """Authlib's request over a parsed form. The uri is the public one: behind a proxy the hub itself is asked by plain http."""

    def __init__(self, asked: Asked, uri: str) -> None:
        super().__init__("POST", uri, headers={"Authorization": asked.authorization})
        self.payload = BasicOAuth2Payload(asked.form)
        self.known = ""  # the id of a registered client that this request claims to come from

    @property
    def form(self) -> dict[str, str]:
        form: dict[str, str] = self.payload.data
        return form


class _Registered(ClientMixin):  # type: ignore[misc]
    """A client, as Authlib asks about one."""

    def __init__(self, client: Client) -> None:
        self.client = client

    def get_client_id(self) -> str:
        return self.client.id

    def get_allowed_scope(self, scope: str | None) -> str | None:
        """All scopes of the client when none is asked for; None, which means invalid_scope, when one is not its own."""
        asked = frozenset((scope or "").split()) or self.client.scopes
        return " ".join(sorted(asked)) if asked <= self.client.scopes else None

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        return endpoint == "token" and method == self.client.method

    def check_grant_type(self, grant_type: str) -> bool:
        return bool(grant_type == "client_credentials")


class _ProvenClientError(InvalidClientError):  # type: ignore[misc]
    """The client held its key and erred otherwise: it may be told how. Others learn nothing, not even whether the client exists."""


class _Grant(ClientCredentialsGrant):  # type: ignore[misc]
    TOKEN_ENDPOINT_AUTH_METHODS = [method.value for method in AuthMethod]  # noqa: RUF012 (Authlib declares it so)

    def validate_token_request(self) -> None:
        super().validate_token_request()
        named = self.request.payload.client_id
        if named and named != self.request.client.get_client_id():
            raise _ProvenClientError(description="client_id is another client's.")


class _Assertion(JWTBearerClientAssertion):  # type: ignore[misc]
    """private_key_jwt (RFC 7523 §3) by the hub's clock, with asymmetric algorithms only, each assertion once."""

    CLIENT_AUTH_METHOD = AuthMethod.PRIVATE_KEY.value

    def __init__(self, issuer: Issuer, storage: IssuingStorage, clock: Clock) -> None:
        super().__init__()
        self._audiences = [issuer.token_endpoint, issuer.url]
        self._storage = storage
        self._clock = clock

    def extract_assertion(self, assertion: str) -> tuple[dict[str, Any], dict[str, Any]]:
        try:
            extracted: tuple[dict[str, Any], dict[str, Any]] = super().extract_assertion(assertion)
            return extracted
        except (ValueError, TypeError, RecursionError):
            raise InvalidClientError(description="The assertion is not a JWT.") from None

    def resolve_client_public_key(self, client: _Registered) -> list[Key]:
        return [import_key(key) for key in client.client.keys]

    def process_assertion_claims(self, assertion: str, resolve_key: list[Key]) -> dict[str, Any]:
        claims = _verified_by(assertion, resolve_key)
        self.verify_claims(claims)
        return claims

    def verify_claims(self, claims: dict[str, Any]) -> None:
        now = self._clock.now()
        rules = jwt.JWTClaimsRegistry(
            now=int(now.timestamp()),
            leeway=_SKEW,
            iss={"essential": True, "value": claims["sub"]},
            aud={"essential": True, "values": self._audiences},
            exp={"essential": True},
            jti={"essential": True},
        )
        try:
            rules.validate(claims)
        except JoseError as error:
            raise _ProvenClientError(description=_plain(f"The assertion: {error.description or error.error}")) from None
        if claims["exp"] > now.timestamp() + _LONGEST_ASSERTION + _SKEW:
            raise _ProvenClientError(description=f"The assertion may live {_LONGEST_ASSERTION} seconds at most.")
        # Kept beyond ``exp`` for as long as the leeway would still accept it.
        until = datetime.fromtimestamp(claims["exp"] + _SKEW, UTC)
        if not self._storage.remember(claims["sub"], claims["jti"], until):
            raise _ProvenClientError(description="The assertion was used before (jti), or too many of this client are still valid.")


class AuthlibServer(AuthorizationServer):  # type: ignore[misc]
    """Authlib's server with our storage behind it; ``create_token_response`` takes an ``Asked`` and gives an ``Answer``."""

    def __init__(self, issuer: Issuer, storage: IssuingStorage, clock: Clock) -> None:
        super().__init__()
        self._issuer = issuer
        self._storage = storage
        self._clock = clock
        self.register_client_auth_method(AuthMethod.SECRET.value, _by_secret)
        self.register_client_auth_method(AuthMethod.PRIVATE_KEY.value, _Assertion(issuer, storage, clock))
        self.register_grant(_Grant)
        self.register_token_generator("default", BearerTokenGenerator(self._write, expires_generator=issuer.lifetime))

    def create_token_response(self, request: Asked) -> Answer:
        asked = _Request(request, self._issuer.token_endpoint)
        try:
            _check_form(request)
        except OAuth2Error as error:
            return self.handle_error_response(asked, error)
        answer: Answer = super().create_token_response(asked)
        return replace(answer, client=asked.client.client.id if asked.client else asked.known)

    def create_oauth2_request(self, request: _Request) -> _Request:
        return request

    def query_client(self, client_id: str) -> _Registered | None:
        client = self._storage.client(client_id)
        return None if client is None or client.disabled is not None else _Registered(client)

    def save_token(self, token: Mapping[str, Any], request: _Request) -> None:
        """Nothing is kept: an access token says all itself."""

    def send_signal(self, name: str, *args: Any, **kwargs: Any) -> None:
        """Authlib offers signals; nobody listens."""

    def handle_response(self, status: int, body: Mapping[str, Any], headers: Sequence[tuple[str, str]]) -> Answer:
        return Answer(status, body)

    def handle_error_response(self, request: _Request, error: OAuth2Error) -> Answer:
        reason = error.get_error_description()
        if isinstance(error, InvalidClientError):
            told = reason if isinstance(error, _ProvenClientError) else _REFUSED
            answer = refusal(401, "invalid_client", told, ("WWW-Authenticate", 'Basic realm="hub", charset="UTF-8"'))
        elif isinstance(error, UnsupportedGrantTypeError):
            answer = refusal(400, "unsupported_grant_type", "The only grant type is client_credentials.")
        else:
            answer = refusal(400, error.error, _plain(reason))
        return replace(answer, reason=f"{error.error}: {_plain(reason)[:200]}")

    def _write(self, client: _Registered, grant_type: str, user: None, scope: str) -> str:
        return access_token(self._issuer, client.client, scope.split(), self._storage.signing_key(), self._clock.now())


def _check_form(asked: Asked) -> None:
    """What Authlib does not check (RFC 6749 §2.3, §4.4.2)."""
    if not asked.form.get("grant_type"):
        raise InvalidRequestError("grant_type is missing.")
    if asked.authorization and "client_assertion" in asked.form:
        raise InvalidRequestError("Use one way of client authentication, not two.")


def _by_secret(query_client: Any, request: _Request) -> _Registered | None:
    """client_secret_basic (RFC 6749 §2.3.1). An unknown client costs the same time as a wrong secret."""
    try:
        client_id, secret = extract_basic_authorization(request.headers)
    except ValueError:  # not UTF-8
        return None
    if not client_id or not secret:
        return None
    found: _Registered | None = query_client(client_id)
    if found is None or found.client.method is not AuthMethod.SECRET:
        check_secret(secret, decoy_hash())
        return None
    request.known = found.client.id
    return found if check_secret(secret, found.client.secret_hash) else None


def _verified_by(assertion: str, keys: Sequence[Key]) -> dict[str, Any]:
    """The claims, if one of the client's keys signed them: the one the header names, or any when it names none."""
    kid = jws.extract_compact(assertion.encode()).headers().get("kid")
    for key in keys:
        if kid is not None and key.kid != kid:
            continue
        try:
            return jwt.decode(assertion, key, algorithms=algs(key)).claims
        except (JoseError, ValueError):
            continue
    raise InvalidClientError(description="No key of this client has signed the assertion.")


def _plain(text: str) -> str:
    """Only what RFC 6749 §5.2 allows in an error_description."""
    return "".join(char if " " <= char <= "~" and char not in '"\\' else "'" for char in text)


def check_metadata(document: Mapping[str, Any]) -> None:
    """Raises ValueError where the document breaks RFC 8414."""
    AuthorizationServerMetadata(document).validate()
