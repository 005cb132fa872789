"""Keys: the hub's own for signing tokens (ES256), and the public keys that clients register for private_key_jwt.

Must not know where keys are kept or how they are encrypted at rest.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from joserfc.errors import JoseError, SecurityWarning
from joserfc.jwk import ECKey, Key, RSAKey, import_key

from auth.errors import BadClient
from auth.storage import JWK, SigningKey

SIGNING_ALG = "ES256"
# What a client's assertion may be signed with, by the kind of its key. Nothing symmetric, so a public key can never serve as a secret.
CLIENT_ALGS = {"P-256": ("ES256",), "P-384": ("ES384",), "RSA": ("RS256", "PS256")}
_MOST_KEYS = 8
_SLACK = timedelta(seconds=60)  # clocks of two replicas differ, and a token may be signed while its key is being retired


def new_signing_key(now: datetime) -> SigningKey:
    """A fresh P-256 key; its kid is the RFC 7638 thumbprint."""
    key = ECKey.generate_key("P-256", {"use": "sig", "alg": SIGNING_ALG}, auto_kid=True)
    return SigningKey(
        kid=str(key.kid), alg=SIGNING_ALG, public=dict(key.as_dict(private=False)), created=now, private=dict(key.as_dict(private=True))
    )


def still_trusted(keys: Iterable[SigningKey], now: datetime, lifetime: int) -> tuple[SigningKey, ...]:
    """Keys of which a token may still be alive: not retired, or retired less than ``lifetime`` seconds ago."""
    kept = timedelta(seconds=lifetime) + _SLACK
    return tuple(key for key in keys if key.retired is None or key.retired + kept > now)


def read_public_keys(text: str) -> tuple[JWK, ...]:
    """A client's public keys, from a JWK Set, one JWK or a PEM. Each comes back with a kid and without anything private.

    Raises BadClient when a key is private, symmetric, too weak, or of a kind not in ``CLIENT_ALGS``.
    """
    keys = tuple(_checked(item) for item in _parsed(text))
    if not 1 <= len(keys) <= _MOST_KEYS:
        raise BadClient(f"公钥数量应为 1 至 {_MOST_KEYS} 个。", f"A client has 1 to {_MOST_KEYS} public keys.")
    if len({key["kid"] for key in keys}) != len(keys):
        raise BadClient("公钥的 kid 重复。", "Two public keys have the same kid.")
    return keys


def algs(key: Key) -> Sequence[str]:
    """Algorithms that this key may sign a client's assertion with."""
    if isinstance(key, ECKey):
        return CLIENT_ALGS.get(key.curve_name, ())
    return CLIENT_ALGS["RSA"] if isinstance(key, RSAKey) else ()


def _parsed(text: str) -> list[Any]:
    text = text.strip()
    if not text.startswith("{"):
        return [text]
    try:
        data = json.loads(text)
    except ValueError as error:
        raise BadClient("公钥不是有效的 JSON。", f"The public keys are not JSON: {error}.") from None
    keys = data.get("keys", [data])
    if not isinstance(keys, list):
        raise BadClient("JWKS 的 keys 应为数组。", "`keys` of a JWK Set is a list.")
    return keys


def _checked(item: Any) -> JWK:
    if isinstance(item, dict) and item.get("kty") in ("oct", "OKP"):
        raise _unfit()
    try:
        key = _imported(item)
    except (JoseError, ValueError, TypeError, KeyError):
        raise BadClient("无法读取公钥。", "A public key cannot be read: give a JWK Set, a JWK or a PEM (EC or RSA).") from None
    if (isinstance(item, dict) and "d" in item) or key.is_private:
        raise BadClient("这是私钥, 请只提供公钥, 并更换该密钥。", "This is a private key: give the public one only, and replace this pair.")
    if not algs(key) or key.get("use") == "enc":
        raise _unfit()
    if isinstance(key, RSAKey) and key.raw_value.key_size < 2048:
        raise BadClient("RSA 密钥至少 2048 位。", "An RSA key has at least 2048 bits.")
    key.ensure_kid()
    return dict(key.as_dict(private=False))


def _unfit() -> BadClient:
    return BadClient("不支持此类密钥。", "A key must be for signing: EC P-256 or P-384, or RSA.")


def _imported(item: Any) -> Key:
    if not isinstance(item, dict | str):
        raise TypeError("a key is an object or a PEM")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SecurityWarning)  # of short RSA keys: they are refused, not warned of
        if isinstance(item, dict):
            return import_key(item)
        try:
            return import_key(item, "EC")
        except (JoseError, ValueError, TypeError):
            return import_key(item, "RSA")
