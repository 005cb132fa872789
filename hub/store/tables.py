"""The tables. ``migrations/`` builds them; a test proves that both say the same. Knows no queries."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import JSON, BigInteger, Column, DateTime, Dialect, Float, ForeignKey, Index, Integer, MetaData, String, Table, Text
from sqlalchemy.types import TypeDecorator


class Instant(TypeDecorator[datetime]):
    """A moment, aware, kept in UTC. SQLite has no zones, so they are taken off and put back here."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is not None and value.tzinfo is None:
            raise ValueError("a moment without a zone")
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

systems = Table(
    "systems",
    metadata,
    Column("name", String(100), primary_key=True),
    Column("kind", String(40), nullable=False),
    Column("title", Text, nullable=False),
    Column("owner", Text, nullable=False),
    Column("manifest", Text, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("state", String(20), nullable=False),  # serving | removed
    Column("first_seen", Instant, nullable=False),
    Column("changed", Instant, nullable=False),
)

clients = Table(
    "clients",
    metadata,
    Column("id", String(100), primary_key=True),
    Column("name", Text, nullable=False),
    Column("audience", String(20), nullable=False),
    Column("ceiling", Integer, nullable=False),  # 1 to 4
    Column("scopes", JSON, nullable=False),  # list of names
    Column("method", String(40), nullable=False),
    Column("secret_hash", Text, nullable=False),  # empty for private_key_jwt
    Column("keys", JSON, nullable=False),  # list of public JWKs, empty for client_secret_basic
    Column("created", Instant, nullable=False),
    Column("disabled", Instant),
)

signing_keys = Table(
    "signing_keys",
    metadata,
    Column("kid", String(100), primary_key=True),
    Column("alg", String(20), nullable=False),
    Column("public_jwk", JSON, nullable=False),
    Column("private_jwk", Text),  # a JWE; removed when the key retires
    Column("created", Instant, nullable=False),
    Column("retired", Instant),
)

# Assertions of private_key_jwt already used, until they expire (RFC 7523 §3, rule 7).
assertions = Table(
    "assertions",
    metadata,
    Column("client", String(100), ForeignKey("clients.id", ondelete="CASCADE"), primary_key=True),
    Column("jti_sha256", String(64), primary_key=True),
    Column("expires", Instant, nullable=False, index=True),
)

audit = Table(
    "audit",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("at", Instant, nullable=False, index=True),
    Column("request_id", Text, nullable=False, index=True),
    Column("client", Text, nullable=False),  # empty for anonymous
    Column("audience", Text, nullable=False),
    Column("operation", Text, nullable=False),
    Column("document_sha256", String(64), nullable=False),
    Column("coordinates", JSON, nullable=False),
    Column("systems", JSON, nullable=False),
    Column("codes", JSON, nullable=False),
    Column("status", Integer, nullable=False),
    Column("ms", Float, nullable=False),
    Index("ix_audit_client_id", "client", "id"),
)
