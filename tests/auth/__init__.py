"""Tokens, the authorization server, policy."""
