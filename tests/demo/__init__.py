"""Tests of the simulated departments."""
