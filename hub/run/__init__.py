"""Running a plan: batched, deduplicated, deadline-bound calls, conversion of values, assembly of the answer."""
