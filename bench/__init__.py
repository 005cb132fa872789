"""Measurements. Each module is a program; nothing in the house imports them."""
