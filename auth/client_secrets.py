"""Client secrets: made here, kept only as a scrypt hash (RFC 7914). Knows no client and no storage.

A secret is 256 random bits, so guessing is hopeless whatever the hash costs; the hash is there for the day the database leaks.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from functools import cache

_N, _R, _P = 2**14, 8, 1  # 16 MiB and about 50 ms a check


def new_secret() -> str:
    """43 characters of base64url: needs no escaping in HTTP Basic."""
    return secrets.token_urlsafe(32)


def hash_secret(secret: str) -> str:
    """``scrypt$N$r$p$salt$hash``, salt and hash in base64."""
    salt = secrets.token_bytes(16)
    return f"scrypt${_N}${_R}${_P}${_text(salt)}${_text(_scrypt(secret, salt, _N, _R, _P))}"


def check_secret(secret: str, hashed: str) -> bool:
    """Compares in constant time."""
    _, n, r, p, salt, expected = hashed.split("$")
    actual = _scrypt(secret, base64.b64decode(salt), int(n), int(r), int(p))
    return hmac.compare_digest(actual, base64.b64decode(expected))


@cache
def decoy_hash() -> str:
    """Checked when there is no such client, so that the time of an answer does not tell which ids exist."""
    return hash_secret(new_secret())


def _scrypt(secret: str, salt: bytes, n: int, r: int, p: int) -> bytes:
    return hashlib.scrypt(secret.encode(), salt=salt, n=n, r=r, p=p, maxmem=256 * n * r, dklen=32)


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()
