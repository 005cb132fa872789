"""How a canonical field is declared: no resolver, a grade, and words in two languages.

The engine answers such fields from the systems that are bound to them, so a resolver of their own would never run; one that is
called all the same was forgotten by the engine and says so. Must not know any system, the engine or who may see what.
"""

from collections.abc import Callable, Iterable, Mapping
from enum import EnumMeta
from typing import Any, NoReturn, TypeVar

from strawberry.annotation import StrawberryAnnotation
from strawberry.types.arguments import StrawberryArgument
from strawberry.types.field import StrawberryField
from strawberry.types.info import Info
from strawberry.types.unset import UNSET
from strawberry.utils.str_converters import to_camel_case

from schema.coordinates import Grade
from schema.registry import Resolve

GRADE = "yiwang.grade"  # keys of a field's metadata
SCOPES = "yiwang.scopes"
RESOLVE = "yiwang.resolve"
DEFAULT_FIRST = 50

AnyEnum = TypeVar("AnyEnum", bound=EnumMeta)


class NotPlanned(RuntimeError):
    """A field that only the engine can answer was resolved without it."""


class PlannedField(StrawberryField):
    """A field of the canonical schema that the engine answers. It takes no resolver, permission class or extension: none would ever run."""

    def __call__(self, resolver: Any) -> NoReturn:
        name = getattr(resolver, "__name__", resolver)
        raise TypeError(f"planned fields are answered by the engine: {name} would never run; use strawberry.field for a resolver")

    def get_result(self, source: Any, info: Info[Any, Any] | None, args: list[Any], kwargs: Any) -> NoReturn:
        owner = self.origin.__name__ if isinstance(self.origin, type) else "?"
        raise NotPlanned(
            f"{owner}.{self.graphql_name or to_camel_case(self.python_name)} is answered by the engine, but was resolved without it"
        )


def words(zh: str, en: str) -> str:
    """A description as the schema carries it: the first line Chinese, the second English."""
    return f"{zh}\n{en}"


def argument(name: str, annotation: object, zh: str, en: str, default: object = UNSET) -> StrawberryArgument:
    """One argument of a planned field, by its public name."""
    return StrawberryArgument(
        python_name=name,
        graphql_name=name,
        type_annotation=StrawberryAnnotation(annotation),
        description=words(zh, en),
        default=default,
    )


def paging(filter: object = None, order: Any = None) -> tuple[StrawberryArgument, ...]:
    """``first`` and ``after`` of a connection; ``filter`` and ``orderBy`` where inputs for them are given."""
    narrowing = [argument("filter", filter, "筛选条件", "Filter")] if filter is not None else []
    ordering = [argument("orderBy", list[order] | None, "排序，其后总以主键排序", "Order; the key always comes last")] if order else []
    return (
        *narrowing,
        *ordering,
        argument("first", int | None, "返回条数，1 至 1000", "How many, 1 to 1000", DEFAULT_FIRST),
        argument("after", str | None, "从该游标之后开始", "Begin after this cursor"),
    )


def figures(filter: object, group: Any) -> tuple[StrawberryArgument, ...]:
    """``filter`` and ``groupBy`` of a field that aggregates."""
    return (
        argument("filter", filter, "筛选条件", "Filter"),
        argument("groupBy", list[group] | None, "分组字段；不填则汇总为一组", "Fields to group by; without any there is one group"),
    )


def policy(grade: Grade, scopes: Iterable[Iterable[str]] = (), resolve: Resolve = Resolve.FIRST) -> Mapping[str, Any]:
    """Field metadata: its grade, its scopes as a disjunction of conjunctions, and what happens when several systems serve it."""
    return {GRADE: grade, SCOPES: tuple(frozenset(every) for every in scopes), RESOLVE: resolve}


def planned(
    zh: str,
    en: str,
    *,
    grade: Grade = Grade.L1,
    scopes: Iterable[Iterable[str]] = (),
    name: str | None = None,
    arguments: Iterable[StrawberryArgument] = (),
    resolve: Resolve = Resolve.FIRST,
) -> Any:
    """A field that the engine answers. ``name`` is its public name where it is not the camel-cased Python name; ``resolve`` says whether
    the next system is asked where the better one fails."""
    field = PlannedField(
        graphql_name=name,
        type_annotation=None,
        description=words(zh, en),
        metadata=policy(grade, scopes, resolve),
    )
    taken = list(arguments)
    if taken:
        field.arguments = taken
    return field


def pages(
    zh: str, en: str, *, filter: object = None, order: Any = None, grade: Grade = Grade.L1, scopes: Iterable[Iterable[str]] = ()
) -> Any:
    """A planned connection with ``first`` and ``after``, and with ``filter`` and ``orderBy`` where inputs for them are given."""
    return planned(zh, en, grade=grade, scopes=scopes, arguments=paging(filter, order))


def meanings(**texts: tuple[str, str]) -> Callable[[AnyEnum], AnyEnum]:
    """Decorates a Strawberry enum: the (Chinese, English) description of each of its values.

    Raises TypeError when a value is left out or does not exist.
    """

    def describe(enum: AnyEnum) -> AnyEnum:
        values = {value.name: value for value in enum.__strawberry_definition__.values}  # type: ignore[attr-defined]
        if values.keys() != texts.keys():
            raise TypeError(f"{enum.__name__}: values and meanings differ: {sorted(values.keys() ^ texts.keys())}")
        for name, value in values.items():
            value.description = words(*texts[name])
        return enum

    return describe
