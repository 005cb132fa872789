"""TLS with a system: whom the hub trusts, what it shows, and that old TLS is spoken by choice alone."""

from __future__ import annotations

import datetime
import ipaddress
import socket
import ssl
import warnings
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from connectors.rest import RestConnector, RestSettings
from connectors.spi import Secret, SourceError


def issued(folder: Path, name: str, by: tuple[x509.Certificate, ec.EllipticCurvePrivateKey] | None = None, days: int = 1):  # type: ignore[no-untyped-def]
    """A certificate for loopback, signed ``by`` a CA, or that CA itself, valid for so many ``days``; ``NAME.pem`` and ``NAME.key`` in
    ``folder``."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(by[0].subject if by else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=2))
        .not_valid_after(now + datetime.timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=by is None, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(by[1] if by else key, hashes.SHA256())
    )
    (folder / f"{name}.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / f"{name}.key").write_bytes(private)
    return made, key


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("tls")
    ca = issued(made, "ca")
    issued(made, "server", ca)
    issued(made, "expired", ca, days=-1)
    issued(made, "hub", ca)
    issued(made, "other")
    return made


@asynccontextmanager
async def secured(folder: Path, *, shown: str = "server", mutual: bool = False, old: bool = False) -> AsyncIterator[str]:
    """``https://127.0.0.1:PORT``; ``mutual``: who asks shows a certificate of the CA; ``old``: nothing newer than TLS 1.1 is spoken."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / f"{shown}.pem", folder / f"{shown}.key")
    if mutual:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(folder / "ca.pem")
    if old:
        context.set_ciphers("DEFAULT:@SECLEVEL=0")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            context.minimum_version, context.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1

    async def reply(request: web.Request) -> web.Response:
        return web.json_response({})

    app = web.Application()
    app.add_routes([web.get("/", reply)])
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    listening = socket.create_server(("127.0.0.1", 0))
    await web.SockSite(runner, listening, ssl_context=context).start()
    try:
        yield f"https://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        await runner.cleanup()


async def described(base: str, folder: Path, *, detail: bool = False, **tls: object) -> str:
    """What asking the system brings: nothing, or the kind of what went wrong, or what operators are told of it."""
    connector = RestConnector(RestSettings.of({"base": base, "health": "/", "beside": str(folder), **({"tls": tls} if tls else {})}))
    try:
        await connector.describe()
    except SourceError as error:
        return error.detail if detail else error.kind
    finally:
        await connector.close()
    return ""


async def test_a_ca_of_ones_own(folder: Path) -> None:
    async with secured(folder) as base:
        assert await described(base, folder, ca="ca.pem") == ""
        assert await described(base, folder, ca=str(folder / "ca.pem")) == ""
        assert await described(base, folder, ca="other.pem") == "config"
        assert await described(base, folder) == "config"


async def test_operators_are_told_what_is_wrong_with_a_certificate(folder: Path) -> None:
    async with secured(folder, shown="expired") as base:
        assert await described(base, folder, detail=True, ca="ca.pem") == "certificate has expired"
    async with secured(folder) as base:
        assert await described(base, folder, detail=True, ca="other.pem") == "unable to get local issuer certificate"


async def test_the_hub_shows_a_certificate(folder: Path) -> None:
    key = Secret((folder / "hub.key").read_text())
    async with secured(folder, mutual=True) as base:
        assert await described(base, folder, ca="ca.pem", certificate="hub.pem", key=key) == ""
        assert await described(base, folder, ca="ca.pem") != ""


async def test_old_tls_by_choice_alone(folder: Path) -> None:
    async with secured(folder, old=True) as base:
        assert await described(base, folder, ca="ca.pem") in ("config", "down")  # as the handshake ends
        assert await described(base, folder, ca="ca.pem", old=True) == ""


@pytest.mark.parametrize(
    ("tls", "said"),
    [
        ({"ca": "nowhere.pem"}, "'tls.ca' cannot be read"),
        ({"ca": "ca.key"}, "no certificates"),
        ({"certificate": "hub.pem"}, "or none of them"),
        ({"certificate": "hub.pem", "key": Secret("no key")}, "its private key"),
        ({"certificate": "hub.pem", "key": "hub.key"}, "not resolved"),
    ],
)
def test_what_does_not_fit_is_said_at_once(folder: Path, tls: dict[str, object], said: str) -> None:
    with pytest.raises(SourceError, match=said) as caught:
        RestConnector(RestSettings.of({"base": "https://dept.example", "tls": tls, "beside": str(folder)}))
    assert caught.value.kind == "config"
    assert "no key" not in f"{caught.value.message} {caught.value.detail}"
