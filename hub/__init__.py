"""Yiwang Hub (一网枢纽): one GraphQL endpoint that answers from hundreds of departmental systems."""

__version__ = "0.1.0"
