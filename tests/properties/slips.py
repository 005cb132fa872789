"""Mistakes in what a caller may see, in who is asked, and in how a question is read."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hub.plan import objects
from hub.plan import operation as operations
from hub.run import execute, lists, nested, policed, terms
from schema.registry import Registry
from tests.properties import checks
from tests.properties.mistake import Planted
from tests.properties.truths import lower_ranks_are_not_heard, one_value_everywhere
from tests.properties.unseen import nothing_denied_is_felt


def worst_provider(right: Any) -> Any:
    def sources(registry: Registry, type_name: str, field: str, found: Any, asked: Any) -> Any:
        return tuple(reversed([b for b in registry.providers(type_name, field) if found.all(b.key)])) or right(
            registry, type_name, field, found, asked
        )

    return sources


def rows_shifted(right: Any) -> Any:
    def align(binding: Any, keys: Any, faults: Any, answers: Any) -> Any:
        return right(binding, [*keys[1:], *keys[:1]], faults, answers)

    return align


def _denied_leaves_tell(right: Any) -> Any:
    def seen(self: Any, served: Any) -> Any:
        denied, self.draft.denied = self.draft.denied, frozenset()
        try:
            return iter(list(right(self, served)))
        finally:
            self.draft.denied = denied

    return seen


def _denied_filter_used(right: Any) -> Any:
    return lambda listing, given: right(replace(listing, denied=frozenset()), given)


def _fragment_once_in_all(right: Any) -> Any:
    def collect(self: Any, parent: Any, selections: Any, grouped: Any, seen: Any) -> None:
        right(self, parent, selections, grouped, self.__dict__.setdefault("spread", set()))

    return collect


def _elements_of_the_first(right: Any) -> Any:
    def unnested(*args: Any) -> Any:
        below = right(*args)
        first = next((group for group in below.groups if group), None)
        below.groups = [first if group else group for group in below.groups]
        return below

    return unnested


def _last_page_always(right: Any) -> Any:
    def cuts(*args: Any) -> Any:
        found, faults = right(*args)
        return {row: replace(cut, has_next=False) for row, cut in found.items()}, faults

    return cuts


def _null_in_a_filter_passes(right: Any) -> Any:
    def meets(op: Any, kind: Any, wanted: Any) -> Any:
        passes = right(op, kind, wanted)
        return lambda value: value is None or passes(value)

    return meets


def _lowest_link(right: Any) -> Any:
    def sources(registry: Registry, type_name: str, field: str, found: Any, asked: Any) -> Any:
        links = tuple(reversed([b for b in registry.links.get(f"{type_name}.{field}", ()) if found.all(b.key)]))
        return links or right(registry, type_name, field, found, asked)

    return sources


SLIPS = (
    Planted("a denied leaf decides whether its object is there", objects.Objects, "seen", _denied_leaves_tell, nothing_denied_is_felt),
    Planted("policy hears of selected fields alone", policed, "_within", lambda right: lambda *_: {}, nothing_denied_is_felt),
    Planted("a denied field is filtered by", terms, "_conditions", _denied_filter_used, checks.narrowed_as_the_oracle_says),
    Planted(
        "an object of which nothing may be seen is shown",
        objects.Objects,
        "hidden",
        lambda right: lambda *_: False,
    ),
    Planted("the link of lowest rank is followed", objects, "sources", _lowest_link, lower_ranks_are_not_heard),
    Planted("the provider of lowest rank is asked", objects, "sources", worst_provider, lower_ranks_are_not_heard),
    Planted("rows belong to other keys", execute, "align", rows_shifted, one_value_everywhere),
    Planted("each list has the elements of the first", lists, "unnested", _elements_of_the_first),
    Planted("a fragment counts once in the whole question", operations._Collector, "_collect", _fragment_once_in_all, checks.in_shape),
    Planted(
        "fragments on abstract types apply to nothing",
        operations._Collector,
        "_applies",
        lambda right: lambda self, condition, parent: condition == parent.name,
        checks.in_shape,
    ),
    Planted("no page has one after it", nested, "cuts", _last_page_always, checks.cut_as_the_oracle_says),
    Planted("null passes a filter that the source left", terms, "meets", _null_in_a_filter_passes),
)
