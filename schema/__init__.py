"""Canonical types, scalars, manifest directives and composition. Knows no storage, no execution and no HTTP."""
