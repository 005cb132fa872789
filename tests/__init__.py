"""Tests mirror the folders; contract, queries, bad_manifests and properties stand beside them."""
