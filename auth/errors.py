"""What can be wrong with a token, and with a client as registered. Knows no HTTP: the hub turns these into answers."""

from __future__ import annotations


class BadToken(Exception):
    """An access token that is not accepted. ``reason`` is for logs and for ``WWW-Authenticate``; it never holds the token."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


class BadClient(ValueError):
    """A registration that cannot stand: a scope that is no scope, a key that is too short or not public."""

    def __init__(self, zh: str, en: str) -> None:
        self.zh = zh
        self.en = en
        super().__init__(f"{zh} {en}")
