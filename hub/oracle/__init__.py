"""The oracle: the written-down meaning of an answer, and a whole working hub by itself.

Naive resolvers on plain graphql-core: one lookup for each key and field, no batches, no planning. Slow and obvious on purpose;
planner and executor are tested against it, so it must know nothing of ``hub.plan`` and ``hub.run``.

The rules, by the names that comments here and in the tests use:

S1   A field that the rows an entity came from carry (link, list or lookup rows, ``Served.parts``, arguments of a root field) is taken
     from there.
S2   Else a link, else a lookup, the first by rank of those whose key can be had at this position: carried, or from other lookups, round by
     round. Nobody: null and NOT_BOUND. A key that failed: null and that failure, at the field's own path.
S3   A root field by key asks the type's complete anchor, if its key can be had: no row, no object; if it fails, the object stands and the
     fields it serves say so. A reference is there when its key is, and is not checked. A single link is there when a row came.
S4   No row in a lookup: its fields are null, without an error. Absent is not failed.
S5   A failed call: each field asked of it is null, with the failure at the field's path (an object's at the object, a list's at the list).
S6   A failed key is S5 for the rows of that key. Two rows for one key of a lookup: that key is broken. A row that was not asked for:
     the whole call is.
S7   A leaf that cannot be read as its type: null and BAD_VALUE (in a list: at the element). An identifier that fails its check is served
     as it is, with a notice.
S8   Null where null may not be: the nearest nullable position above is null; NON_NULL unless an error was reported already. Of the errors
     below it the first that made it so remains.
S9   A denied coordinate: null and FORBIDDEN, and no call is made for it. It may still serve as a key for others, but not as the
      argument of a root field: filtering and looking up by what one may not see is FORBIDDEN.
S10  A connection: the rows that meet its filter, ordered by ``orderBy`` and then ascending by the node's first key, cut by ``first`` (50
     unless given, 1 to 1000) and ``after``, counted whole. A plain list keeps the source's order. Conditions of a filter are ANDed; null
     meets none but ``isNull: true``, and stands below all else in an order. A field to filter or order by is had as S1 and S2 say; one
     that nobody serves is FILTER_NOT_PUSHABLE. A row for which that could not be found out fails the list, unless another condition
     does not hold.
S11  An object in the same row is null when all its leaves are, asked for or not; denied leaves are not looked at (S9), and an object that
     has no others is itself FORBIDDEN. An element of a list is there when it is not null.
S12  Canonical values: see ``hub.oracle.values``.
S13  A mutation: one call for each root field, in order; a field's object is the row that its call answers with, and is followed by what is
     read for it, all of it read after the call. One that empties the data ends it (beside its own error those of
     the fields before it may stay). When the call failed and the source may have done it all
     the same, or the answer cannot be read: null and OUTCOME_UNKNOWN.
S14  @defer and @stream say when something may come, never what it is: the whole answer is the one without them.
S15  A key that is null in a row: no call, and the next source by rank whose key is not null there answers that row; if there is none, null
     without an error. A key that the rows carry and that may not be null counts as there.
S16  With FALLBACK_ON_ERROR what is carried comes first, then all of S2 by rank, until one does not fail; after a failure only a value
     counts, since no record is no answer to what another failed to say. With FALLBACK_ON_NULL until one has a value. Nobody: the first
     failure, else null. What cannot be read has failed; a key that is null is passed over.
S17  A call may require other fields of the entity, reached through single objects: what they are, or null, goes with the call. A value that
     failed is the failure of what needs it; null, where the call takes none, is null without a call. Who may not see a field may not see
     what some system makes of it either. Fields with parameters of their own give no keys.
S18  Of lookups of equal authority and priority one that the operation asks anyway comes before the others, then the name decides. Asked
     anyway are the anchors of what the root looks up, lookups that are the only best ones for some field that is asked for, and then, field
     by field in order of name, the one of its best that is asked anyway, or the first by name. Whose field falls back goes by rank alone.
S19  What the caller's rules for a type hide does not exist: a lookup, a reference or a single link of it is null, lists and counts are
     without it. The fields that rules speak of are had as S1 and S2 say, denied or not. Whether it is seen comes before whether it exists:
     if a rule could not be looked at and no other one decides, the object, or the whole list, has that failure.
S20  Figures: of the rows that a filter and the caller's rules leave, in groups of equal values (unreadable ones count as null), one in all
     when nothing is grouped by, ordered by those values. A group counts rows; sums and extremes are of the values that are there, null
     if none is. A figure of a denied field is FORBIDDEN, and so is the list when it is grouped by one. A value that could not be had
     fails the figure, one to group by the list.
"""

from hub.oracle.oracle import Oracle

__all__ = ["Oracle"]
