"""The oracle: the written-down meaning of an answer, and a whole working hub by itself.

Naive resolvers on plain graphql-core: one lookup for each key and field, no batches, no planning. Slow and obvious on purpose;
planner and executor are tested against it, so it must know nothing of ``hub.plan`` and ``hub.run``.
"""

from hub.oracle.answer import Oracle

__all__ = ["Oracle"]
