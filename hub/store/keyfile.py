"""The key-encryption key: 32 bytes in a file of mode 0600, beside the database and never in it. Encrypts private signing keys.

Format at rest: JWE (RFC 7516), compact, ``dir`` with ``A256GCM``; the kid stands in the authenticated header, so a ciphertext cannot be
moved to another key's row. Knows no tables.
"""

from __future__ import annotations

import base64
import hmac
import json
import os
import secrets
from pathlib import Path

from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

from auth.storage import JWK
from hub.store.faults import StoreFault

_ALGS = ["dir", "A256GCM"]


class KeyFile:
    """Opens the file, or makes it. Raises StoreFault when others may read it or it holds no key."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._secret = _read_or_make(path)
        self._key = OctKey.import_key(self._secret)

    def derived(self, purpose: str) -> bytes:
        """32 bytes for one purpose alone, the same on every replica; they tell nothing of the key itself."""
        return hmac.digest(self._secret, b"derived:" + purpose.encode(), "sha256")

    def encrypt(self, kid: str, private: JWK) -> str:
        header = {"alg": "dir", "enc": "A256GCM", "kid": kid}
        return jwe.encrypt_compact(header, json.dumps(private), self._key, algorithms=_ALGS)

    def decrypt(self, kid: str, text: str) -> JWK:
        """Raises StoreFault when the text was encrypted with another key file or for another kid."""
        try:
            opened = jwe.decrypt_compact(text, self._key, algorithms=_ALGS)
        except (JoseError, ValueError):
            opened = None
        if opened is None or opened.plaintext is None or opened.headers().get("kid") != kid:
            raise StoreFault(
                f"密钥文件 {self.path} 与数据库不匹配。",
                f"The key file {self.path} does not fit the store: restore the one it was made with.",
            )
        private: JWK = json.loads(opened.plaintext)
        return private


def _read_or_make(path: Path) -> bytes:
    if not path.exists():
        _make(path)
    if path.stat().st_mode & 0o077:
        raise StoreFault(f"密钥文件 {path} 权限过宽, 请执行 chmod 600。", f"Others may read the key file {path}: chmod 600 it.")
    try:
        key = base64.b64decode(path.read_text().strip(), validate=True)
    except ValueError:
        key = b""
    if len(key) != 32:
        raise StoreFault(f"密钥文件 {path} 内容无效。", f"The key file {path} does not hold a key (32 bytes in base64).")
    return key


def _make(path: Path) -> None:
    """Written aside and linked into place: of two processes starting at once one wins, and neither sees half a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    handle = os.open(aside, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    try:
        with os.fdopen(handle, "w") as file:
            file.write(base64.b64encode(secrets.token_bytes(32)).decode() + "\n")
            file.flush()
            os.fsync(file.fileno())
        os.link(aside, path)
    except FileExistsError:
        pass
    finally:
        os.unlink(aside)
