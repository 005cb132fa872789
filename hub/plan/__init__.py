"""Planning: which systems, by which keys, in which order. Pure functions over frozen values; no I/O, no clock, no health."""
