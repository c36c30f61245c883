"""When a deployment is denied: the little grammar of a gate's conditions, and what they mean.

remaining < 10%      less than this of the error budget remains; below 0 % is overspent
burning              an alert on the budget fires: a page or a ticket
burning page         one that pages; or `ticket`, or by its kind: `outage`, `fast`, `slow`
coverage < 50%       the ledger saw less than this of its window
unknown              the server has no remaining budget of the SLO
"""

import difflib
import re
from dataclasses import dataclass
from enum import StrEnum

CONDITION_PATTERN = (
    r"^ *((remaining|coverage) *< *-?[0-9]+(\.[0-9]+)? *%|burning( +(outage|fast|slow|page|ticket))?|unknown) *$"
)
"""What editors check; `read_condition` says what is wrong."""

_EXAMPLES = "write for example remaining < 10%, burning, burning page, coverage < 50% or unknown"
_TOKEN = re.compile(r" *([A-Za-z_]+|-?[0-9][0-9_.]*|<=|>=|[^ A-Za-z0-9])")
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")


class GateAnswer(StrEnum):
    """What is answered when a rule's condition holds."""

    DENY = "deny"
    WARN = "warn"


class BurnKind(StrEnum):
    """Which alerts on the budget are meant."""

    OUTAGE = "outage"
    FAST = "fast"
    SLOW = "slow"
    PAGE = "page"
    TICKET = "ticket"


@dataclass(frozen=True, slots=True)
class RemainingBelow:
    """Less than this of the budget remains; a ratio, 1 is all of it."""

    ratio: float


@dataclass(frozen=True, slots=True)
class CoverageBelow:
    """The ledger saw less than this part of its window."""

    ratio: float


@dataclass(frozen=True, slots=True)
class Burning:
    """An alert on the budget fires, of a kind or of any."""

    kind: BurnKind | None


@dataclass(frozen=True, slots=True)
class Unknown:
    """Nobody knows how much of the budget remains."""


GateCondition = RemainingBelow | CoverageBelow | Burning | Unknown


@dataclass(frozen=True, slots=True)
class GateRule:
    """One rule of a gate; it concerns every SLO of the service, or the one that it names."""

    when: str
    """The condition as it is written, for messages and records."""
    condition: GateCondition
    answer: GateAnswer
    tier: str | None = None
    """Only services of this tier."""
    slo: str | None = None
    """Only this SLO."""


class ConditionMistake(ValueError):  # noqa: N818 - a user's, not ours
    """The text is no condition; `code` is that of the diagnostic, `hint` says what to write."""

    def __init__(self, code: str, message: str, hint: str) -> None:
        super().__init__(message)
        self.code = code
        self.hint = hint


def read_condition(text: str) -> GateCondition:
    """Read `remaining < 10%` and the like.

    Raises:
        ConditionMistake: it is none of the conditions; the message names the word and where in the text it stands.
    """
    tokens = [(match[1], match.start(1) + 1) for match in _TOKEN.finditer(text)]
    if not tokens:
        raise ConditionMistake("SLO080", "the condition is empty", _EXAMPLES)
    (subject, _), *rest = tokens
    match subject:
        case "remaining":
            return RemainingBelow(_percentage(text, subject, rest, least=-1000, most=100))
        case "coverage":
            return CoverageBelow(_percentage(text, subject, rest, least=0, most=100))
        case "burning":
            return _burning(text, rest)
        case "unknown":
            _end(text, rest)
            return Unknown()
        case _:
            near = difflib.get_close_matches(subject, ("remaining", "burning", "coverage", "unknown"), n=1)
            hint = f"did you mean {near[0]}?" if near else _EXAMPLES
            raise ConditionMistake("SLO080", f"{subject!r} in {text!r} is nothing that a gate knows", hint)


def _burning(text: str, rest: list[tuple[str, int]]) -> Burning:
    if not rest:
        return Burning(None)
    (word, place), *more = rest
    if word not in set(BurnKind):
        kinds = ", ".join(BurnKind)
        near = difflib.get_close_matches(word, list(BurnKind), n=1)
        hint = f"did you mean burning {near[0]}?" if near else f"write burning alone, or with one of {kinds}"
        raise ConditionMistake("SLO080", f"{word!r}, character {place} of {text!r}, is no kind of burning", hint)
    _end(text, more)
    return Burning(BurnKind(word))


def _percentage(text: str, subject: str, rest: list[tuple[str, int]], *, least: float, most: float) -> float:
    """`< 10%` as a ratio."""
    example = f"{subject} < 10%"
    if not rest:
        raise ConditionMistake("SLO080", f"{text!r} compares {subject} with nothing", f"write {example}")
    (operator, place), *more = rest
    if operator != "<":
        message = f"{operator!r}, character {place} of {text!r}, is no comparison that a gate knows"
        raise ConditionMistake("SLO080", message, f"write {example}: a gate closes below a percentage")
    if not more or not _NUMBER.fullmatch(more[0][0]):
        found = (
            f"{more[0][0]!r}, character {more[0][1]} of {text!r}, is no number" if more else f"{text!r} ends too soon"
        )
        raise ConditionMistake("SLO080", found, f"write {example}")
    (number, _), *unit = more
    if not unit or unit[0][0] != "%":
        cure = float(number) * 100 if 0 < abs(float(number)) < 1 else float(number)
        message = f"{number} in {text!r} has no unit; budgets and coverage are told in percent"
        raise ConditionMistake("SLO081", message, f"write {subject} < {cure:g}%")
    _end(text, unit[1:])
    if not least < float(number) <= most:
        # With `coverage < 0%` nothing would ever be denied, and with 101 % everything.
        message = f"{number}% in {text!r} is not above {least:g}% and at most {most:g}%"
        raise ConditionMistake("SLO081", message, f"write for example {example}")
    return float(number) / 100


def _end(text: str, rest: list[tuple[str, int]]) -> None:
    if rest:
        word, place = rest[0]
        message = f"{word!r}, character {place} of {text!r}, follows a whole condition"
        raise ConditionMistake("SLO080", message, "write one condition a rule; further ones are rules of their own")
