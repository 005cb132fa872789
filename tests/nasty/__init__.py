"""Nasty cases, one story each."""
