"""Selectors that select nothing, or not what they are meant to: which matcher it is, and what its label really says."""

import re
from collections.abc import Iterator
from itertools import product

from sereno_slo.diagnostics import Diagnostic, Severity, Span
from sereno_slo.model import GoodEventsRatio, Latency, ServiceLevelObjective
from sereno_slo.parse.yaml_tree import YamlTree
from sereno_slo.promql import Matcher, MatchOp
from sereno_slo.promql.matching import holds
from sereno_slo.validate.places import match_span, part_span, total_span
from sereno_slo.validate.survey import LabelValues, MatcherSight, PartSight, SelectorSight, Survey

_MOST_HOURS_ABOVE_RATIO = 0.05
_LEAST_HOURS_ABOVE = 2
_MOST_DIGITS = 4
"""Values with more digits aren't tried one by one: codes have three."""


def findings_of_selectors(
    slo: ServiceLevelObjective, survey: Survey, index: int, tree: YamlTree, *, was_seen: bool
) -> Iterator[Diagnostic]:
    """What the indicator's selectors don't select; `was_seen`: whether its events were, in seven days."""
    if not survey.total.series:
        if not was_seen:
            yield _total_selects_nothing(slo, survey.total, index, tree)
        return
    for matcher in survey.total.unlabelled:
        message = (
            f"no series of {survey.total.selector.metric} has the label {matcher.label}: {matcher} leaves nothing out"
        )
        yield _warning("SLO052", match_span(slo, index, tree), message, "check the label's name")
    if survey.part is not None:
        yield from _of_part(slo, survey.part, part_span(slo, index, tree), is_good=_counts_good(slo))
    if survey.in_total is not None:
        yield from _of_sizes(slo, survey.in_total, part_span(slo, index, tree))


def no_errors_yet(survey: Survey) -> str:
    """What to say of a bad selector that selects nothing because nothing failed; empty otherwise."""
    part = survey.part
    if part is None or part.series or not part.series_of_metric or _failing(part):
        return ""
    values = [f"{sight.values.label} was {_values(sight.values)}" for sight in part.matchers if sight.values]
    return "; ".join(["no series of it yet", *values])


def _counts_good(slo: ServiceLevelObjective) -> bool:
    return isinstance(slo.indicator, GoodEventsRatio)


def _total_selects_nothing(slo: ServiceLevelObjective, sight: SelectorSight, index: int, tree: YamlTree) -> Diagnostic:
    selector, metric = sight.selector, sight.selector.metric
    if not sight.series_of_metric:
        names = sight.nearest
        if isinstance(slo.indicator, Latency):  # written without the ending
            names = tuple(dict.fromkeys(re.sub("_(count|bucket|sum)$", "", name) for name in names))
        cure = "check the name, and that the service is scraped; a service that was never deployed has none yet"
        message = f"the server has no series of {metric}"
        return _warning("SLO052", total_span(slo, index, tree), message, f"{_did_you_mean(names)}{cure}")
    why = "; ".join(_why(sight)) or "correct the matchers"
    message = f"{selector} selects none of the server's series of this metric ({sight.series_of_metric:,})"
    return _warning("SLO052", match_span(slo, index, tree), message, f"{why}; nothing is counted")


def _did_you_mean(names: tuple[str, ...]) -> str:
    return f"did you mean {' or '.join(names)}? Else " if names else ""


def _why(sight: SelectorSight) -> Iterator[str]:
    """Which matchers it is: those without which others select something, else those that select nothing alone."""
    culprits = [each for each in sight.matchers if each.without] or [each for each in sight.matchers if not each.alone]
    if len(culprits) > 1 and all(each.without and each.alone for each in culprits):
        yield f"{' and '.join(str(each.matcher) for each in culprits)} are never met by one series"
        return
    yield from map(_why_not, culprits)
    if not culprits and len(sight.matchers) > 1:
        yield "each matcher selects some, but no series meets all of them"


def _why_not(sight: MatcherSight) -> str:
    matcher = sight.matcher
    if not sight.labelled:
        return f"no series has the label {matcher.label}"
    found = f"; {matcher.label} is {_values(sight.values)}" if sight.values else ""
    near = _alike(matcher, sight.values)
    where = "that the other matchers select " if sight.alone else ""
    return f"no series {where}has {matcher}{found}{f': did you mean {near}?' if near else ''}"


def _values(values: LabelValues) -> str:
    more = values.count - len(values.values)
    return ", ".join(values.values) + (f" and {more:,} more" if more > 0 else "")


def _of_part(slo: ServiceLevelObjective, sight: SelectorSight, span: Span, *, is_good: bool) -> Iterator[Diagnostic]:
    """Of bad (or good) events: none may be right, since nothing failed yet; none of good ones is everything bad."""
    kind = "good" if is_good else "bad"
    total = slo.indicator.total
    if not sight.series_of_metric:
        message = f"the server has no series of {sight.selector.metric}, which counts {kind} events"
        yield _nothing(span, message, _did_you_mean(sight.nearest), is_good=is_good)
        return
    for matcher in sight.unlabelled:
        message = f"no series of {total if sight.selector.metric == total.metric else sight.selector.metric}"
        message += f" has the label {matcher.label}, by which {kind} events are told"
        if holds(matcher, "") and not is_good and matcher.op is not MatchOp.EQUAL:
            cure = f"check the label's name; {matcher} is true of every series without it"
            yield Diagnostic("SLO054", span, f"{message}: every event is bad", cure)
        elif not holds(matcher, ""):
            yield _nothing(span, message, "check the label's name; ", is_good=is_good)
    if sight.series or sight.unlabelled:
        return
    if failing := _failing(sight):
        message = f"{sight.selector} selects nothing: {'; '.join(map(_why_not, failing))}"
        yield _nothing(span, message, "", is_good=is_good)
    elif is_good:
        message = f"{sight.selector} selects nothing so far ({'; '.join(_why(sight))}): every event is bad"
        yield _warning("SLO054", span, message, "nothing to do if nothing went well yet; else correct the matchers")


def _nothing(span: Span, message: str, cure: str, *, is_good: bool) -> Diagnostic:
    if is_good:
        return Diagnostic("SLO054", span, f"{message}: every event is bad", f"{cure}check the name and the matchers")
    normal = "nothing to do if only failures have it and nothing ever failed; else it counts no bad event"
    return _warning("SLO054", span, message, f"{cure}{normal}")


def _failing(sight: SelectorSight) -> list[MatcherSight]:
    """The matchers that look wrong: what fails would be spelt otherwise, to judge by the values that were seen."""
    if sight.matches_elsewhere:
        return []
    return [each for each in sight.matchers if not each.alone and not _may_come(each.matcher, each.values)]


def _may_come(matcher: Matcher, values: LabelValues | None) -> bool:
    """Whether a value of the shape of those seen could satisfy the matcher: 503 of `5..`, where 200 was seen."""
    return values is not None and any(
        holds(matcher, candidate) for value in values.values for candidate in _of_same_shape(value)
    )


def _of_same_shape(value: str) -> Iterator[str]:
    """The value with other digits."""
    digits = sum(character.isdigit() for character in value)
    if not 0 < digits <= _MOST_DIGITS:
        return
    template = re.sub("[0-9]", "{}", value.replace("{", "{{").replace("}", "}}"))
    for numbers in product("0123456789", repeat=len(re.findall("[0-9]", value))):
        yield template.format(*numbers)


def _alike(matcher: Matcher, values: LabelValues | None) -> str:
    """A value that differs from the wanted one by case and blanks only."""
    if values is None or matcher.op is not MatchOp.EQUAL:
        return ""
    wanted = matcher.value.strip().casefold()
    return next((value for value in values.values if value.strip().casefold() == wanted), "")


def _of_sizes(slo: ServiceLevelObjective, sight: PartSight, span: Span) -> Iterator[Diagnostic]:
    """Users see it after days otherwise: a budget that is negative, or never touched (pyrra#448)."""
    if sight.hours_above < max(_LEAST_HOURS_ABOVE, _MOST_HOURS_ABOVE_RATIO * sight.hours):
        return
    kind = "good" if _counts_good(slo) else "bad"
    message = (
        f"there are more {kind} events than events in {sight.hours_above} of {sight.hours} hours: "
        f"{sight.part_events:,.0f} of {sight.events:,.0f} by `increase` in these hours"
    )
    cure = f"count {kind} events among those of {slo.indicator.total}, by the same targets and at the same moment"
    yield Diagnostic("SLO055", span, message, cure)


def _warning(code: str, span: Span, message: str, cure: str) -> Diagnostic:
    return Diagnostic(code, span, message, cure, Severity.WARNING)
