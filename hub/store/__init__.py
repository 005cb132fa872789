"""What the hub keeps: systems, clients, signing keys, audit. SQLAlchemy Core over SQLite or PostgreSQL; knows no GraphQL and no HTTP."""

from hub.store.faults import StoreFault
from hub.store.store import Store
from hub.store.systems import StoredSystem

__all__ = ["Store", "StoreFault", "StoredSystem"]
