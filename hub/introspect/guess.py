"""How likely a column is a canonical field, and why: by its Chinese comment, by its name, by what its values look like.

Independent signs add up (one less the product of the doubts); a sign against it caps the sum. Pure; tested with tables of examples.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from math import prod

from hub.introspect import evidence
from hub.introspect.canon import CanonField, CanonType
from hub.introspect.found import Column
from hub.introspect.terms import Term, plain, terms

SURE = 0.75  # bound from here on
WORTH = 0.4  # told from here on
_IDENTIFIERS: Mapping[str, float] = {"USCC": 0.8, "LicenceID": 0.9, "ItemCode": 0.6, "Division": 0.5, "ResidentID": 0.9}
_BY_LENGTH = {1: 0.0, 2: 0.5, 3: 0.6, 4: 0.75}  # what initials of that length are worth; longer ones hardly ever mean anything else
_LONG = 0.85
_DENIED = 0.3


@dataclass(frozen=True, slots=True)
class Guess:
    """``confidence`` from 0 to 1. ``format`` and ``values`` (source's text → enum value) are what @from and an enum have to say."""

    target: CanonField
    confidence: float
    reasons: tuple[str, ...]
    format: str | None = None
    values: Mapping[str, str] = field(default_factory=dict)

    @property
    def sure(self) -> bool:
        return self.confidence >= SURE


def guesses(column: Column, entity: CanonType) -> list[Guess]:
    """Every field of ``entity`` that is worth telling of, best first."""
    found = [guess for target in entity.fields if (guess := _guess(column, entity, target)) is not None]
    return sorted(found, key=lambda guess: -guess.confidence)


def _guess(column: Column, entity: CanonType, target: CanonField) -> Guess | None:
    named = [sign for sign in (_by_comment(column, entity, target), _by_name(column, entity, target)) if sign is not None]
    looked = _by_look(column, target)
    # A value that is some code says little of which code of several it is: the name has to say something, or it is the key.
    if not named and not (looked.weight and target.name == entity.key):
        return None
    signs = [*named, *([(looked.weight, looked.reason)] if looked.weight else [])]
    confidence = 1 - prod(1 - weight for weight, _ in signs)
    reasons = [reason for _, reason in signs]
    if looked.denied:
        confidence = min(confidence, _DENIED if looked.hard else SURE - 0.05)
        reasons.append(looked.denied)
    if confidence < WORTH and not looked.denied:
        return None
    return Guess(target, round(min(confidence, 0.99), 2), tuple(reasons), looked.format, looked.values)


def _by_comment(column: Column, entity: CanonType, target: CanonField) -> tuple[float, str] | None:
    said = column.comment.strip()
    if not said:
        return None
    words = [target.zh, *(word for term in _of(entity, target) for word in term.chinese)]
    head = said.split("(")[0].split("（")[0].split(":")[0].split("：")[0].split(",")[0].split("，")[0].strip()
    for word in words:
        if word and word in (said, head):
            return 0.9, f"its comment is {word}"
    inside = [word for word in words if len(word) >= 3 and word in said]
    if inside:
        return 0.6, f"its comment speaks of {max(inside, key=len)}"
    return None


def _by_name(column: Column, entity: CanonType, target: CanonField) -> tuple[float, str] | None:
    name = plain(column.path.rpartition(".")[2])
    whole = column.path.strip()
    if not whole:
        return None
    if name in (plain(target.name), plain(target.name.rpartition(".")[2])) and name:
        return (0.9 if len(name) > 4 or "." not in target.name else 0.6), f"its name is {target.name}"
    for term in _of(entity, target):
        for each in dict.fromkeys((name, plain(whole))):  # bfjg.dm is dm, and bfjgdm
            if found := _by_term(term, each, column.path):
                return found
    return None


def _by_term(term: Term, name: str, path: str) -> tuple[float, str] | None:
    if path.strip() in term.chinese:
        return 0.9, f"its name is {path.strip()}"
    if name and name in term.english:
        return 0.9, f"its name is {term.chinese[0]} in English"
    if name == term.pinyin:
        return 0.9, f"its name is {term.chinese[0]} in pinyin"
    if name in term.initials and (weight := _BY_LENGTH.get(len(name), _LONG)):
        return weight, f"{path} are the initials of {term.chinese[0]}"
    return None


@cache
def _terms_by_field() -> Mapping[str, tuple[Term, ...]]:
    found: dict[str, list[Term]] = {}
    for term in terms():
        found.setdefault(term.means, []).append(term)
    return {means: tuple(each) for means, each in found.items()}


def _of(entity: CanonType, target: CanonField) -> tuple[Term, ...]:
    """What the field is called; the key of a reference also as it is called in the entity that it refers to."""
    own = _terms_by_field().get(f"{entity.name}.{target.name}", ())
    key = target.name.rpartition(".")[2]
    return (*own, *_terms_by_field().get(f"{target.outer}.{key}", ())) if target.reference else own


@dataclass(frozen=True, slots=True)
class _Look:
    """What the values say for it (``weight``, ``reason``) or against it (``denied``; ``hard`` where they contradict it)."""

    weight: float = 0.0
    reason: str = ""
    denied: str = ""
    hard: bool = False
    format: str | None = None
    values: Mapping[str, str] = field(default_factory=dict)


def _by_look(column: Column, target: CanonField) -> _Look:
    if target.lists and not column.many and column.type in ("text", "json") and evidence.lists(column):
        return _Look(0.2, "its values are lists in JSON", format="json")
    if column.type in ("json", "object", "other") or column.many != bool(target.lists):
        return _Look(denied=f"but it is {'a list' if column.many else f'of type {column.native or column.type}'}", hard=True)
    seen = len(evidence.distinct(column))
    match target.scalar:
        case scalar if scalar in _IDENTIFIERS:
            return _identified(column, scalar)
        case "Date" | "DateTime":
            return _dated(column, target, seen)
        case "Decimal" | "Int" | "Float":
            if evidence.numbers(column):
                return _Look(0.1, "it holds numbers")
            return _Look(denied="but its values are not numbers", hard=True) if seen or column.type != "text" else _Look()
        case "Boolean":
            if evidence.truths(column):
                return _Look(0.2, "its values are yes and no")
            return _Look(denied="but its values are not yes and no", hard=True) if seen else _Look()
        case "String" | "ID":
            if column.type in ("date", "datetime", "bool"):
                return _Look(denied=f"but it is of type {column.type}", hard=True)
            return _Look()
    return _enumerated(column, target)


def _identified(column: Column, scalar: str) -> _Look:
    fit = evidence.identifier(scalar, column)
    if column.type not in ("text", "id") and not fit.all:
        return _Look(denied=f"but it is of type {column.type}", hard=True)
    if not fit.seen:
        return _Look()
    said = f"{fit.good} of {fit.seen} sampled values pass the check of {scalar}"
    if fit.share >= 0.8:
        weight = _IDENTIFIERS[scalar]
        return _Look(weight if fit.seen > 2 else weight / 2, said)
    return _Look(denied=f"but only {said}", hard=fit.share < 0.5)


def _dated(column: Column, target: CanonField, seen: int) -> _Look:
    found = evidence.moment(column)
    if found is None and target.scalar == "DateTime":
        found = evidence.unix(column)
    if found is not None:
        kind = f"its values are written as {found.format}" if found.format else "it holds dates"
        return _Look(0.2, kind, format=found.format)
    if not seen and column.type == "text":
        return _Look(denied="but no value was seen that shows how its dates are written")
    return _Look(denied="but its values are not dates in one known form", hard=True)


def _enumerated(column: Column, target: CanonField) -> _Look:
    values, unknown = evidence.vocabulary(column, target.values)
    if values and not unknown:
        return _Look(0.3, f"all its texts are values of {target.scalar}", values=values)
    if not values and not unknown:
        return _Look(denied=f"but no value was seen that shows which text stands for which {target.scalar}")
    codes = ", ".join(repr(text) for text in sorted(unknown)) if len(unknown) <= 12 and all(len(text) <= 8 for text in unknown) else ""
    return _Look(denied=f"but say which text stands for which {target.scalar}" + (f": {codes}" if codes else ""))


def best(columns: Iterator[Column] | tuple[Column, ...], entity: CanonType) -> tuple[dict[str, Guess], dict[str, Guess]]:
    """(column path → what it is bound to, column path → what it may be). Each field is given to one column, the likeliest first."""
    every = [(guess, at, column) for at, column in enumerate(columns) for guess in guesses(column, entity)]
    every.sort(key=lambda each: (-each[0].confidence, each[1]))
    bound: dict[str, Guess] = {}
    maybe: dict[str, Guess] = {}
    given: set[str] = set()
    for guess, _, column in every:
        if column.path in bound:
            continue
        if guess.sure and guess.target.name not in given:
            bound[column.path] = guess
            given.add(guess.target.name)
            maybe.pop(column.path, None)
        else:
            maybe.setdefault(column.path, guess)
    return bound, maybe
