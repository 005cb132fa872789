"""Tests of ``hub.oracle``."""
