"""Automatic persisted queries: a text that came once with its hash is meant when the hash comes alone.

What is kept is bounded, and each process keeps its own: a client that hears that a hash is not known sends the text. Must not know
documents, principals or the engine.
"""

from __future__ import annotations

from hashlib import sha256

from cachetools import LRUCache

from hub.errors import CODES
from hub.serve.request import Request, Turned

KEPT = 16_000_000  # characters of texts


class Persisted:
    """Texts by the SHA-256 of their UTF-8."""

    def __init__(self, kept: int = KEPT) -> None:
        self._texts: LRUCache[str, str] = LRUCache(kept, getsizeof=len)

    def text(self, request: Request) -> str:
        """The document of a request. Raises Turned: with status 200, which clients expect, where its hash is not known."""
        if not request.digest:
            return request.query
        if not request.query:
            text = self._texts.get(request.digest)
            if text is None:
                code = CODES["PERSISTED_QUERY_NOT_FOUND"]
                raise Turned(200, code.code, code.zh, code.en)
            return text
        if sha256(request.query.encode()).hexdigest() != request.digest:
            raise Turned(400, "BAD_REQUEST", "`sha256Hash` 与 `query` 不符。", "`sha256Hash` is not that of `query`.")
        if len(request.query) <= self._texts.maxsize:
            self._texts[request.digest] = request.query
        return request.query
