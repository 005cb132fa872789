"""Simulated departments: twelve small systems that speak the real protocols over seeded, synthetic data. Knows nothing of the hub."""
