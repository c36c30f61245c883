"""What a server knows of an SLO's series: selectors, parts of them, targets, groups, and how far back they reach.

Questions are few and bounded: about six for an SLO that is well, nine more where the two counters of a ratio have to be
compared or groups counted, and at most eight to find out why a selector matches nothing.
"""

from collections.abc import Sequence
from difflib import get_close_matches

from sereno_slo.duration import Duration
from sereno_slo.history.asking import HOUR, Asker, labelled, seen
from sereno_slo.history.kinds import kinds_of
from sereno_slo.model import (
    BadEventsRatio,
    GoodEventsRatio,
    GroupBy,
    Latency,
    NativeLatency,
    Probe,
    ServiceLevelObjective,
    Settings,
    Threshold,
)
from sereno_slo.plan.counting import target_of
from sereno_slo.promql import Aggregation, Call, Expr, Matcher, MatchOp, Number, Selector
from sereno_slo.promql.matching import holds
from sereno_slo.validate.survey import (
    GroupsSight,
    MatcherSight,
    PartSight,
    ReachSight,
    SelectorSight,
    Survey,
    TargetsSight,
)

DAYS = 7
_DAY = Duration.parse("1d")
_LATELY = Duration.parse("10m")
"""Two series of `up` at once; within an hour a target may have got new labels."""
_MOST_LOOKED_INTO = 2
"""Matchers of one selector whose labels' values are asked for."""
_MOST_NAMES = 2
_BIGGEST_GROUPS = 3
_MOMENTS = 30
# Counters of different targets are scraped at different moments: an hour's increases differ by a percent or two.
_TOLERANCE_RATIO = 1.05
_TOLERANCE_EVENTS = 1


def survey_of(asker: Asker, slo: ServiceLevelObjective, settings: Settings) -> Survey:
    """Everything that the server tells of the SLO's series; where the total has none, only why."""
    total, part = slo.indicator.total, _part(slo)
    base, own = _told_apart(total, part) if part else (total, ())
    counts = asker.counts(_basics(total, part, base, own))
    sight = SelectorSight(
        total,
        counts["total"],
        counts["metric"],
        unlabelled=_without_label(counts, "", _accepting_empty(total.matchers)),
    )
    if not sight.series:
        return Survey(_looked_into(asker, sight, Selector(total.metric), total.matchers))
    return Survey(
        total=sight,
        part=None if part is None else _part_sight(asker, part, base, own, counts),
        in_total=None if part is None or base is total else _compared(asker, total, part),
        targets=_targets(asker, slo, total, settings),
        part_targets=None if part is None or not counts["part"] else _other_targets(asker, slo, part, settings),
        groups=None if slo.group_by is None else _groups(asker, slo, slo.group_by),
        kinds=kinds_of(asker, slo, settings),
        reach=_reach(asker, slo),
    )


def _part(slo: ServiceLevelObjective) -> Selector | None:
    """The selector of bad or good events; buckets of a histogram are looked at with the traffic."""
    match slo.indicator:
        case BadEventsRatio(bad=part) | GoodEventsRatio(good=part):
            return part
        case Latency() | NativeLatency() | Threshold() | Probe():
            return None


def _told_apart(total: Selector, part: Selector) -> tuple[Selector, tuple[Matcher, ...]]:
    """The series among which the part is chosen, those of total where it is a part of it, and by which matchers."""
    shared = len(total.matchers)
    if part.metric == total.metric and part.matchers[:shared] == total.matchers:
        return total, part.matchers[shared:]
    return Selector(part.metric), part.matchers


def _basics(total: Selector, part: Selector | None, base: Selector, own: Sequence[Matcher]) -> dict[str, Expr]:
    """The first question."""
    metric = Selector(total.metric)
    exprs = {"total": seen(total), "metric": seen(metric)}
    exprs |= {f"label {m.label}": seen(labelled(metric, m.label)) for m in _accepting_empty(total.matchers)}
    if part is not None:
        exprs |= {"part": seen(part), "part metric": seen(Selector(part.metric))}
        exprs |= {f"part label {m.label}": seen(labelled(base, m.label)) for m in own}
    return exprs


def _accepting_empty(matchers: Sequence[Matcher]) -> tuple[Matcher, ...]:
    """The matchers that series without the label satisfy; `label=""` asks for just them."""
    return tuple(m for m in matchers if holds(m, "") and m.op is not MatchOp.EQUAL)


def _without_label(counts: dict[str, int], prefix: str, matchers: Sequence[Matcher]) -> tuple[Matcher, ...]:
    return tuple(m for m in matchers if not counts[f"{prefix}label {m.label}"])


def _part_sight(
    asker: Asker, part: Selector, base: Selector, own: Sequence[Matcher], counts: dict[str, int]
) -> SelectorSight:
    unlabelled = _without_label(counts, "part ", own)
    sight = SelectorSight(part, counts["part"], counts["part metric"], unlabelled=unlabelled)
    return sight if sight.series else _looked_into(asker, sight, base, own)


def _looked_into(asker: Asker, sight: SelectorSight, base: Selector, own: Sequence[Matcher]) -> SelectorSight:
    """Why a selector selects nothing: the metric's name, or which of its own matchers."""
    selector = sight.selector
    if not sight.series_of_metric:
        near = get_close_matches(selector.metric, asker.names(), n=_MOST_NAMES, cutoff=0.8)
        return SelectorSight(selector, 0, 0, nearest=tuple(near))
    exprs: dict[str, Expr] = {}
    for place, matcher in enumerate(own):
        exprs[f"alone {place}"] = seen(base.where(matcher))
        exprs[f"without {place}"] = seen(_others(base, own, place))
        exprs[f"labelled {place}"] = seen(labelled(base, matcher.label))
    counts = asker.counts(exprs)
    sights, looked_into = [], 0
    for place, matcher in enumerate(own):
        alone, without = counts[f"alone {place}"], counts[f"without {place}"]
        has_label = counts[f"labelled {place}"]
        values = None
        if (without or not alone) and has_label and looked_into < _MOST_LOOKED_INTO:
            looked_into += 1
            values = asker.values_of(matcher.label, _others(base, own, place) if without else base)
        sights.append(MatcherSight(matcher, alone, without, has_label, values))
    elsewhere = Selector(selector.metric, tuple(own))
    is_elsewhere = bool(base.matchers) and asker.was_seen(elsewhere, DAYS)
    return SelectorSight(
        selector, 0, sight.series_of_metric, tuple(sights), (), is_elsewhere, unlabelled=sight.unlabelled
    )


def _others(base: Selector, own: Sequence[Matcher], place: int) -> Selector:
    return base.where(*own[:place], *own[place + 1 :])


def _compared(asker: Asker, total: Selector, part: Selector) -> PartSight:
    """Two counters hour by hour, a day a question: which grew more?"""
    grown = {
        name: Aggregation("sum", Call("increase", (selector.over(HOUR),)))
        for name, selector in (("total", total), ("part", part))
    }
    hours = above = 0
    events = part_events = 0.0
    for day in range(DAYS):
        for of_total, of_part in asker.hours_of_a_day(grown, days_ago=day):
            hours += 1
            if of_part > _TOLERANCE_RATIO * of_total + _TOLERANCE_EVENTS:
                above, events, part_events = above + 1, events + of_total, part_events + of_part
    return PartSight(hours, above, events, part_events)


def _other_targets(asker: Asker, slo: ServiceLevelObjective, part: Selector, settings: Settings) -> TargetsSight | None:
    """Those of the part, where it isn't counted by the total's."""
    of_part, of_total = (target_of(each, "up", settings.identity_labels) for each in (part, slo.indicator.total))
    return None if of_part == of_total else _targets(asker, slo, part, settings)


def _targets(asker: Asker, slo: ServiceLevelObjective, counted: Selector, settings: Settings) -> TargetsSight:
    identity = settings.identity_labels
    targets = Aggregation("count", seen(counted), identity)
    up = target_of(counted, "up", identity)
    now_up = Call("present_over_time", (up.over(_LATELY),))
    exprs: dict[str, Expr] = {
        "targets": targets,
        "without up": targets.unless(seen(up), on=identity),
        "up twice": (Aggregation("count", now_up, identity) > 1).and_(targets, on=identity),
    }
    exprs |= {f"lacks {label}": seen(counted.where(**{label: ""})) for label in identity}
    asks_start = settings.process_start_metric is not None and not isinstance(slo.indicator, Threshold | Probe)
    if asks_start:
        start = target_of(counted, settings.process_start_metric or "", identity)
        exprs["without start"] = targets.unless(seen(start), on=identity)
    counts = asker.counts(exprs)
    return TargetsSight(
        selector=counted,
        targets=counts["targets"],
        without_label=tuple(label for label in identity if counts[f"lacks {label}"]),
        without_up=counts["without up"],
        up_twice=counts["up twice"],
        without_start=counts.get("without start", 0),
    )


def _groups(asker: Asker, slo: ServiceLevelObjective, group_by: GroupBy) -> GroupsSight:
    total = slo.indicator.total
    exprs: dict[str, Expr] = {"groups": Aggregation("count", seen(total), group_by.labels)}
    exprs |= {f"label {label}": seen(labelled(total, label)) for label in group_by.labels}
    counts = asker.counts(exprs)
    missing = tuple(label for label in group_by.labels if not counts[f"label {label}"])
    is_counter = isinstance(slo.indicator, BadEventsRatio | GoodEventsRatio | Latency)
    if counts["groups"] <= group_by.limit or not is_counter:
        return GroupsSight(counts["groups"], missing)
    events = Aggregation("sum", Call("increase", (total.over(_DAY),)), group_by.labels)
    samples = asker.reader.instant(Call("topk", (Number(_BIGGEST_GROUPS), events)), asker.now)
    by_size = sorted(samples, key=lambda sample: -sample.value)
    biggest = tuple(
        (tuple(sample.labels.get(label, "") for label in group_by.labels), sample.value) for sample in by_size
    )
    return GroupsSight(counts["groups"], missing, biggest)


def _reach(asker: Asker, slo: ServiceLevelObjective) -> ReachSight:
    """Looked up at thirty moments of the window: what lies between them isn't read."""
    steps = {str(step): Duration(slo.longest_window.milliseconds // _MOMENTS * step) for step in range(1, _MOMENTS + 1)}
    there = asker.counts({step: slo.indicator.total.ago(ago) for step, ago in steps.items()})
    oldest = max((steps[step] for step, series in there.items() if series), default=None)
    return ReachSight(0 if oldest is None else round(oldest / _DAY), asker.kept())
