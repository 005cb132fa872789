"""Connectors, one at a time."""
