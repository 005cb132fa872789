"""TLS as a manifest says it: whom the hub trusts, what it shows of itself, and what is too old unless somebody wants it.

Must not know what is sent.
"""

from __future__ import annotations

import os
import ssl
import tempfile
import warnings
from dataclasses import dataclass, field
from pathlib import Path

from connectors.settings import refused
from connectors.spi import Secret

_LEGACY_SERVER_CONNECT = getattr(ssl, "OP_LEGACY_SERVER_CONNECT", 0x4)  # named by Python from 3.12 on


@dataclass(frozen=True, slots=True)
class Tls:
    """``ca`` is a file of certificates (PEM) trusted instead of the machine's; ``certificate`` a file with what the hub shows, ``key`` its
    private key (PEM). ``old`` admits TLS 1.0 and 1.1, weak ciphers and servers without secure renegotiation (RFC 5746).
    """

    ca: str = ""
    certificate: str = ""
    key: Secret | None = None
    old: bool = False


def context(tls: Tls | None, beside: str) -> ssl.SSLContext | None:
    """The context for ``tls``, None for the usual one; files are looked for from the folder ``beside``. Raises SourceError (config)."""
    if tls is None:
        return None
    if bool(tls.certificate) is not bool(tls.key):
        raise refused("'tls' needs 'certificate' and 'key', or none of them")
    try:
        made = ssl.create_default_context(cadata=_read(tls.ca, beside, "ca") if tls.ca else None)
    except ssl.SSLError:
        raise refused("the file of 'tls.ca' holds no certificates in PEM") from None
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    if tls.old:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # that it is old is why it has to be said
            made.minimum_version = ssl.TLSVersion.TLSv1
        made.set_ciphers("DEFAULT:@SECLEVEL=0")
        made.options |= _LEGACY_SERVER_CONNECT
    if tls.key is not None:
        _show(made, _read(tls.certificate, beside, "certificate"), tls.key)
    return made


@dataclass(frozen=True, slots=True)
class Pem:
    """What ``Tls`` names, as texts in PEM: for drivers that take no context. Empty where it names nothing."""

    ca: str
    certificate: str
    key: str = field(repr=False)


def pem(tls: Tls, beside: str) -> Pem:
    """The texts of ``tls``, checked as ``context`` checks them. Raises SourceError (config)."""
    context(tls, beside)
    return Pem(
        _read(tls.ca, beside, "ca") if tls.ca else "",
        _read(tls.certificate, beside, "certificate") if tls.certificate else "",
        tls.key.reveal() if tls.key is not None else "",
    )


def _show(made: ssl.SSLContext, certificate: str, key: Secret) -> None:
    """OpenSSL takes a key from a file alone: it is there, for the hub's own eyes, as long as it is read."""
    handle, name = tempfile.mkstemp()  # mode 600
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(f"{key.reveal().strip()}\n{certificate}")
        made.load_cert_chain(name, password=lambda: "")  # an encrypted key is refused instead of asked about at a terminal
    except (ssl.SSLError, ValueError):
        raise refused("'tls.certificate' and 'tls.key' are no certificate and its private key in PEM, without a passphrase") from None
    finally:
        os.unlink(name)


def _read(file: str, beside: str, word: str) -> str:
    try:
        return (Path(beside) / file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise refused(f"the file of 'tls.{word}' cannot be read", type(error).__name__) from None
