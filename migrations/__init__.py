"""The store's migrations, for Alembic. Run by ``hub.store`` (``hub migrate``), from a checkout and from an installed wheel alike."""
