"""What a source may do to the hub, kind by kind, and what the caller sees of it: docs/faults.md. ``make test ARGS=tests/faults``."""
