"""What the series of an SLO lack beside events: labels of groups and targets, the right kind, and a past."""

import math
from collections.abc import Iterator

from sereno_slo.diagnostics import Diagnostic, Severity, Span
from sereno_slo.model import (
    GroupBy,
    Probe,
    ServiceLevelObjective,
    Settings,
    Threshold,
    TimeSlices,
)
from sereno_slo.parse.yaml_tree import YamlTree
from sereno_slo.validate.places import at, indicator_path, part_span, total_span
from sereno_slo.validate.survey import (
    RESETS_WITHIN_HOURS,
    GroupsSight,
    KindSight,
    ReachSight,
    Survey,
    TargetsSight,
)

_COUNTERS = frozenset({"counter", "histogram", "gaugehistogram", "summary"})
_GAUGES = frozenset({"gauge", "info", "stateset"})
_MILLISECONDS = 1000
_MOST_RESETS = 5
"""So often may a counter go down without a new process: clocks and proxies err now and then."""
_COUNT_SOMETHING = "after each fall it is counted from zero; name a counter, or use threshold for a gauge"


def findings_of_series(slo: ServiceLevelObjective, survey: Survey, index: int, tree: YamlTree) -> Iterator[Diagnostic]:
    """Everything but selectors and targets."""
    if survey.groups is not None and slo.group_by is not None:
        yield from _of_groups(slo.group_by, survey.groups, index, tree)
    for kind in survey.kinds:
        is_total = kind.metric == slo.indicator.total.metric
        span = total_span(slo, index, tree) if is_total else part_span(slo, index, tree)
        yield from _of_kind(slo, kind, span)
        yield from _of_values(slo, kind, index, tree)
    if survey.reach is not None:
        yield from _of_reach(slo, survey.reach, tree.span(("slos", index, "window")))


def findings_of_targets(sight: TargetsSight, settings: Settings, span: Span) -> Iterator[Diagnostic]:
    """What joins with `up` and process starts lack; the same for all SLOs of these targets."""
    by = ", ".join(settings.identity_labels)
    if sight.without_label:
        labels = " and ".join(sight.without_label)
        message = f"series of {sight.selector} lack the label {labels}, which names their target"
        cure = "write identity_labels in sereno.yaml that both they and `up` carry"
        yield _warning("SLO057", span, message, cure)
    elif sight.without_up:
        message = f"{sight.without_up:,} of {_targets(sight.targets)} without an `up` of the same {by}"
        cure = "the ledger doesn't count what their series are born with, coverage doesn't see them, and "
        cure += "SLONoData pages when none of the targets has it; write identity_labels that `up` carries"
        yield _warning("SLO057", span, message, cure)
    elif sight.up_twice:
        message = f"{sight.up_twice:,} of {_targets(sight.targets)} with several series of `up` of the same {by}"
        cure = "add the label that tells them apart to identity_labels in sereno.yaml"
        yield _warning("SLO057", span, message, cure)
    elif sight.without_start:
        metric = settings.process_start_metric
        message = f"{sight.without_start:,} of {_targets(sight.targets)} without {metric}"
        cure = "their restarts are told by counters that go down: what fails once in each life isn't seen; "
        cure += "expose it, name another process_start_metric in sereno.yaml, or write null to say that there is none"
        yield _warning("SLO057", span, message, cure)


def _targets(count: int) -> str:
    return f"{count:,} targets"


def _of_groups(group_by: GroupBy, sight: GroupsSight, index: int, tree: YamlTree) -> Iterator[Diagnostic]:
    for position, label in enumerate(group_by.labels):
        if label in sight.missing_labels:
            span = tree.span(("slos", index, "group_by", "labels", position))
            message = f"no series has the label {label}: it tells no groups apart"
            yield _warning("SLO056", span, message, "check the label's name")
    if sight.groups > group_by.limit:
        path = ("slos", index, "group_by", "limit")
        span = tree.span(path) if tree.has(path) else tree.key_span(path[:-1])
        left_out = sight.groups - group_by.limit
        message = f"there are {sight.groups:,} groups now, and at most {group_by.limit:,} are admitted"
        biggest = ", ".join(f"{'/'.join(values)} {events:,.0f}" for values, events in sight.biggest)
        cure = f"the {left_out:,} that come last are counted in the whole only; raise the limit, or match fewer"
        cure += f"; most events of a day: {biggest}" if biggest else ""
        yield _warning("SLO056", span, message, cure)


def _of_kind(slo: ServiceLevelObjective, kind: KindSight, span: Span) -> Iterator[Diagnostic]:
    wants_gauge = isinstance(slo.indicator, TimeSlices)
    wanted = _GAUGES if wants_gauge else _COUNTERS
    if kind.types and not kind.types & wanted:
        said = " and ".join(sorted(kind.types))
        message = f"{kind.metric} is a {said}, by its targets' own word"
        cure = "bounds are for gauges; count its events as ratio" if wants_gauge else _COUNT_SOMETHING
        yield _warning("SLO058", span, message, cure)
    elif kind.resets > _MOST_RESETS:
        an_hour = max(1, kind.resets / RESETS_WITHIN_HOURS)
        message = f"{kind.metric} goes down without a restart, about {an_hour:,.0f} times an hour: counters only grow"
        yield _warning("SLO058", span, message, _COUNT_SOMETHING)


def _of_values(slo: ServiceLevelObjective, kind: KindSight, index: int, tree: YamlTree) -> Iterator[Diagnostic]:
    """A gauge that can't be what the spec takes it for."""
    lowest, highest = kind.lowest, kind.highest
    if lowest is None or highest is None:
        return
    seen = f"{kind.metric} was from {_number(lowest)} to {_number(highest)} in the last day"
    match slo.indicator:
        case Probe():
            if lowest < 0 or highest > 1 or (0 < lowest < 1):
                cure = "a probe is 1 or 0, and only 0 is bad; use threshold for other gauges"
                yield _warning("SLO058", total_span(slo, index, tree), seen, cure)
        case Threshold(minimum=minimum, maximum=maximum):
            path = indicator_path(slo, index)
            if maximum is not None and lowest > maximum:
                written = at(tree, (*path, "max"))
                cure = "check the bound and its unit" + _in_milliseconds(written, maximum, lowest)
                message = f"{seen}: every minute is above {_number(maximum)}, so every one is bad"
                yield _warning("SLO058", tree.span((*path, "max")), message, cure)
            if minimum is not None and highest < minimum:
                message = f"{seen}: every minute is below {_number(minimum)}, so every one is bad"
                yield _warning("SLO058", tree.span((*path, "min")), message, "check the bound and its unit")
        case _:
            return


def _in_milliseconds(written: object, maximum: float, lowest: float) -> str:
    """Only where it is a fact: a bound in seconds, and values that would lie within it as milliseconds."""
    if isinstance(written, str) and lowest / _MILLISECONDS <= maximum:
        return f": {written} means {_number(maximum)} s; as milliseconds these values would begin within it"
    return ""


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= _MILLISECONDS and math.isfinite(value) else f"{value:.4g}"


def _of_reach(slo: ServiceLevelObjective, reach: ReachSight, span: Span) -> Iterator[Diagnostic]:
    if reach.kept is not None and reach.kept < slo.longest_window:
        message = f"the server keeps samples for {reach.kept}, and the window is {slo.longest_window}"
        cure = (
            "what is older is in no budget; keep samples longer (--storage.tsdb.retention.time), or shorten the window"
        )
        yield _warning("SLO059", span, message, cure)


def _warning(code: str, span: Span, message: str, cure: str) -> Diagnostic:
    return Diagnostic(code, span, message, cure, Severity.WARNING)
