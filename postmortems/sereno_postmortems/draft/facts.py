"""A fact is measured, with the questions it was measured by, or not measured, with the reason; never a made-up zero."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeAlias, TypeVar

T = TypeVar("T")
A = TypeVar("A")
B = TypeVar("B")


class SourceKind(StrEnum):
    """Whom a question was put to; the letter that numbers it in the draft."""

    PROMETHEUS = "P"
    LOGS = "L"
    INCIDENT = "I"
    REPOSITORY = "R"
    DEVOPS = "D"
    """The store of DevOps events."""


@dataclass(frozen=True, slots=True)
class Question:
    """What was asked of whom, so that a reader can ask again."""

    kind: SourceKind
    place: str
    """The source's name, without credentials."""
    text: str
    """The query as it was asked."""
    asked_for: str
    """The moment or the window of time."""


@dataclass(frozen=True, slots=True)
class Measured(Generic[T]):
    """A value and where it comes from."""

    value: T
    sources: tuple[Question, ...]


@dataclass(frozen=True, slots=True)
class NotMeasured:
    """No value: the source was missing, silent, or its answer meant nothing."""

    reason: str
    sources: tuple[Question, ...] = ()


Fact: TypeAlias = Measured[T] | NotMeasured


@dataclass(frozen=True, slots=True)
class Hint:
    """A measured observation that bears on a question of the analysis; people answer the question."""

    text: str
    sources: tuple[Question, ...]


def derived(function: Callable[[A], T], fact: Fact[A]) -> Fact[T]:
    """A fact computed from another; what isn't measured stays so."""
    match fact:
        case Measured(value, sources):
            return Measured(function(value), sources)
        case NotMeasured():
            return fact


def derived2(function: Callable[[A, B], T], first: Fact[A], second: Fact[B]) -> Fact[T]:
    """A fact computed from two others; if either isn't measured, neither is the result."""
    if isinstance(first, NotMeasured):
        return first
    if isinstance(second, NotMeasured):
        return second
    return Measured(function(first.value, second.value), joined(first.sources, second.sources))


def quotient(dividend: Fact[float], divisor: Fact[float], *, if_zero: str) -> Fact[float]:
    """One fact by another; a divisor of zero means that there is nothing to tell, and `if_zero` says why."""
    if isinstance(divisor, Measured) and divisor.value == 0:
        return NotMeasured(if_zero, divisor.sources)
    return derived2(lambda above, below: above / below, dividend, divisor)


def joined(*sources: tuple[Question, ...]) -> tuple[Question, ...]:
    """Each question once, in order of appearance."""
    return tuple(dict.fromkeys(question for group in sources for question in group))
