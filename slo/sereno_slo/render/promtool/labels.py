"""Label values that a user's matchers accept or refuse, so that tests can feed series which really are selected."""

import re
import warnings
from collections.abc import Iterable, Iterator, Mapping
from itertools import product

# The parser of Python's own `re`: private, but it is the only one at hand; its result is checked by an engine of RE2's
# family below, so a change of it could lose a test (warning SLO033), never make a wrong one.
from re import _constants as syntax  # type: ignore[attr-defined, unused-ignore]
from re import _parser as parser  # type: ignore[attr-defined, unused-ignore]
from typing import Any

from sereno_slo.promql import Matcher, MatchOp, regex
from sereno_slo.promql.matching import holds

Labels = Mapping[str, str]

# Tried after the values that the matchers themselves name.
_USUAL_VALUES = ("500", "200", "404", "test", "/test", "")
_MOST_COMBINATIONS = 20_000
_LONGEST_EXAMPLE = 200
_CATEGORIES = {
    syntax.CATEGORY_DIGIT: r"\d",
    syntax.CATEGORY_NOT_DIGIT: r"\D",
    syntax.CATEGORY_SPACE: r"\s",
    syntax.CATEGORY_NOT_SPACE: r"\S",
    syntax.CATEGORY_WORD: r"\w",
    syntax.CATEGORY_NOT_WORD: r"\W",
}


def labels_for(wanted: Iterable[Matcher], refused: Iterable[Matcher] = ()) -> Labels | None:
    """Labels that satisfy all of `wanted` and, where `refused` has any, not all of `refused`; None if not found."""
    wanted, refused = tuple(wanted), tuple(refused)
    names = sorted({matcher.label for matcher in (*wanted, *refused)})
    candidates = [
        [value for value in _candidates(name, (*wanted, *refused)) if _allowed(name, value, wanted)] for name in names
    ]
    for tried, values in enumerate(product(*candidates)):
        labels = dict(zip(names, values, strict=True))
        if not refused or not all(holds(matcher, labels[matcher.label]) for matcher in refused):
            return {name: value for name, value in labels.items() if value}
        if tried > _MOST_COMBINATIONS:
            break
    return None


def values_for(label: str, wanted: Iterable[Matcher], count: int) -> list[str]:
    """Up to `count` different values of a label that satisfy all matchers of it."""
    wanted = tuple(wanted)
    numbered = (f"{slash}group-{number}" for number in range(1, count + 1) for slash in ("", "/"))
    tried = dict.fromkeys((*numbered, *_candidates(label, wanted)))
    # The same for all of them: "group-1" and "/group-1" would be a strange pair of routes.
    found = [value for value in tried if value and _allowed(label, value, wanted)]
    plain = [value for value in found if value.startswith("group-")]
    return (plain if len(plain) >= count else found)[:count]


def _allowed(name: str, value: str, wanted: Iterable[Matcher]) -> bool:
    return all(holds(matcher, value) for matcher in wanted if matcher.label == name)


def _candidates(name: str, matchers: Iterable[Matcher]) -> list[str]:
    named: list[str] = []
    for matcher in matchers:
        if matcher.label == name:
            is_regex = matcher.op in (MatchOp.REGEX, MatchOp.NOT_REGEX)
            named += examples(matcher.value) if is_regex else [matcher.value]
    return list(dict.fromkeys((*named, *_USUAL_VALUES)))


class _BeyondExamplesError(Exception):
    """The pattern has something of which no example is made."""


def examples(pattern: str) -> list[str]:
    """A few strings that the pattern matches in full; none where it is beyond this simple generator."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # `[[:alpha:]]` is a nested set to Python
            found = list(_strings(parser.parse(pattern)))
    except (re.error, _BeyondExamplesError, OverflowError, RecursionError):
        return []
    return [text for text in dict.fromkeys(found) if regex.matches(pattern, text)]


def _strings(parsed: Iterable[Any]) -> Iterator[str]:
    """The shortest string of every alternative, parts joined; alternatives of different parts are not crossed."""
    endings = [""]
    for operation, argument in parsed:
        alternatives = _alternatives(operation, argument)
        if len(alternatives) > 1:
            endings = [ending + alternative for ending in endings[:8] for alternative in alternatives[:8]]
        else:
            endings = [ending + alternatives[0] for ending in endings]
    yield from endings


def _alternatives(operation: Any, argument: Any) -> list[str]:  # noqa: PLR0911 - one line a kind of node
    match operation:
        case syntax.LITERAL:
            return [chr(argument)]
        case syntax.ANY | syntax.NOT_LITERAL:
            return ["x"]
        case syntax.IN:
            return [_one_of(argument)]
        case syntax.BRANCH:
            return [text for branch in argument[1] for text in _strings(branch)]
        case syntax.SUBPATTERN:
            return list(_strings(argument[3]))
        case syntax.MAX_REPEAT | syntax.MIN_REPEAT:
            least, _, repeated = argument
            return [_repeated(text, least) for text in _strings(repeated)]
        case syntax.AT:
            return [""]
        case _:
            raise _BeyondExamplesError(str(operation))


def _repeated(text: str, times: int) -> str:
    if len(text) * times > _LONGEST_EXAMPLE:
        raise _BeyondExamplesError("a label value of this length")
    return text * times


def _one_of(members: Iterable[Any]) -> str:
    members = list(members)
    for candidate in "012xX/-_.: ":
        inside = any(_contains(member, candidate) for member in members)
        if inside != (members[0][0] is syntax.NEGATE):
            return candidate
    for operation, argument in members:
        if operation is syntax.LITERAL:
            return chr(argument)
        if operation is syntax.RANGE:
            return chr(argument[0])
    raise _BeyondExamplesError(str(members))


def _contains(member: Any, character: str) -> bool:
    operation, argument = member
    if operation is syntax.LITERAL:
        return bool(ord(character) == argument)
    if operation is syntax.RANGE:
        return bool(argument[0] <= ord(character) <= argument[1])
    if operation is syntax.CATEGORY:
        return re.fullmatch(_CATEGORIES[argument], character) is not None
    return False
