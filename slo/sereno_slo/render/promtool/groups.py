"""Has every group (`group_by`) its own budget, and is their number limited? Scrapes every 30 s, so two a minute."""

from collections.abc import Iterator, Sequence

from sereno_slo.duration import Duration
from sereno_slo.model import BadEventsRatio, BurnTier, GoodEventsRatio, GroupBy, ServiceLevelObjective
from sereno_slo.plan import burn, series
from sereno_slo.plan.series import Ledger
from sereno_slo.policy import is_feasible
from sereno_slo.promql import Aggregation, Matcher, MatchOp
from sereno_slo.render.promtool.cases import LONG_AGO_SECONDS, TARGET_NAME, Bench, Case, Expectation
from sereno_slo.render.promtool.labels import Labels, values_for
from sereno_slo.render.promtool.streams import Counted, Series, Target, phases, steady
from sereno_slo.render.promtool.tiers import Rehearsal, entry_of, labels_of, rehearsal

_MINUTE = 2
_LATE = 4 * _MINUTE  # scrapes after which one group more comes
# A case with hundreds of groups takes promtool minutes.
_MOST_GROUPS = 25


def group_cases(bench: Bench, group_by: GroupBy) -> Iterator[Case]:
    """None where no labels of two groups are found that the SLO's matchers accept."""
    groups = _groups(bench.slo, group_by, group_by.limit + 1 if group_by.limit < _MOST_GROUPS else 2)
    if len(groups) > 1 and group_by.limit > 1:
        yield _own_budgets(bench, group_by, groups[:2])
    if len(groups) == group_by.limit + 1:
        yield _one_too_many(bench, group_by, groups)
    if len(groups) > 1 and group_by.limit > 1 and group_by.alert:
        yield _outage_of_one(bench, group_by, groups[:2])


def group_tier_cases(bench: Bench, group_by: GroupBy) -> Iterator[Case]:
    """The first tier that this test's entries can judge: tiers of groups are written as those of the whole are."""
    groups = _groups(bench.slo, group_by, 2)
    tiers = [tier for tier in bench.slo.alerting.tiers if entry_of(bench.slo, tier) == bench.entry]
    found = [(tier, rehearsal(bench, tier)) for tier in tiers if is_feasible(bench.slo, tier)][:1]
    if len(groups) > 1 and group_by.limit > 1 and group_by.alert:
        yield from (_burn_of_one(bench, group_by, groups, tier, course) for tier, course in found if course is not None)


def _groups(slo: ServiceLevelObjective, group_by: GroupBy, count: int) -> list[Labels]:
    """Labels of so many groups, which differ in the last label; fewer where matchers leave no choice."""
    of_total = slo.indicator.total.matchers
    if set(group_by.labels) & {matcher.label for matcher in _distinguishing(slo)}:
        return []  # a group is all bad or all good then
    values = [values_for(label, of_total, count) for label in group_by.labels]
    if not all(values):
        return []
    first = {label: found[0] for label, found in zip(group_by.labels, values, strict=True)}
    return [{**first, group_by.labels[-1]: value} for value in values[-1]]


def _distinguishing(slo: ServiceLevelObjective) -> Sequence[Matcher]:
    """The matchers that tell bad events from others."""
    match slo.indicator:
        case BadEventsRatio(total=total, bad=chosen) | GoodEventsRatio(total=total, good=chosen):
            return [matcher for matcher in chosen.matchers if matcher not in total.matchers]
        case _:
            return []


def _target(bench: Bench, counted: Sequence[tuple[Labels, Counted]]) -> list[Series]:
    scrapes = max(len(each.events) for _, each in counted)
    health = bench.feed.health(Target(TARGET_NAME, LONG_AGO_SECONDS, up=(1,) * scrapes))
    for labels, each in counted:
        target = Target(TARGET_NAME, LONG_AGO_SECONDS, up=(1,) * scrapes, labels=labels)
        health += bench.feed.counters(target, each)
    return health


def _recorded(bench: Bench, at: str, name: str, group: Labels, value: float | None) -> Expectation:
    """The recorded series of a group has this value; `name` is that of the whole."""
    found = Ledger(bench.slo.service, bench.slo.name, ("of groups",)).series(name).where(**group)
    return Expectation(Duration.parse(at), Aggregation("sum", found), value)


def _own_budgets(bench: Bench, group_by: GroupBy, groups: Sequence[Labels]) -> Case:
    """One group fails, the other doesn't: the whole has both."""
    failing, healthy = groups
    minutes = 10 * _MINUTE
    ratio = 15 / 150
    return bench.case(
        f"groups by {', '.join(group_by.labels)} have budgets of their own",
        _target(bench, [(failing, steady(minutes, 15, 1.5)), (healthy, steady(minutes, 35))]),
        bench.recorded("10m", "sereno:events:delta1m", 100),
        bench.recorded("10m", "sereno:bad_events:delta1m", 3),
        _recorded(bench, "10m", "sereno:events:delta1m", failing, 30),
        _recorded(bench, "10m", "sereno:bad_events:delta1m", failing, 3),
        _recorded(bench, "10m", "sereno:events:5m", failing, 150),
        _recorded(bench, "10m", "sereno:error_ratio:5m", failing, ratio),
        _recorded(bench, "10m", "sereno:bad_events:delta1m", healthy, 0),
        _recorded(bench, "10m", "sereno:error_ratio:1d", healthy, 0),
        *(_remaining(bench, healthy, failing, ratio) if bench.slo.calendar is None else ()),
        bench.recorded("10m", series.GROUPS_LEFT_OUT, 0),
    )


def _remaining(bench: Bench, healthy: Labels, failing: Labels, ratio: float) -> Iterator[Expectation]:
    """Of rolling windows: a calendar's budget is a part of events to come, too."""
    yield _recorded(bench, "10m", series.BUDGET_REMAINING, healthy, 1)
    yield _recorded(bench, "10m", series.BUDGET_REMAINING, failing, 1 - ratio / bench.slo.error_budget_ratio)


def _one_too_many(bench: Bench, group_by: GroupBy, groups: Sequence[Labels]) -> Case:
    """A further group has no budget of its own, however many series it has; those that had one keep it."""
    *admitted, late = groups
    early = [(labels, steady(8 * _MINUTE, 10, 1)) for labels in admitted]
    come_late = [
        ({**late, "sereno_test": text}, steady(8 * _MINUTE - _LATE, 10, 1).later(_LATE)) for text in ("one", "two")
    ]
    return bench.case(
        f"no more than {group_by.limit} groups have budgets, and who is left out is counted",
        _target(bench, [*early, *come_late]),
        bench.recorded("3m", series.GROUPS_LEFT_OUT, 0),
        bench.recorded("8m", series.GROUPS_LEFT_OUT, 1),
        _recorded(bench, "8m", "sereno:events:delta1m", late, None),
        _recorded(bench, "8m", "sereno:bad_events:delta1m", late, None),
        _recorded(bench, "8m", "sereno:events:delta1m", {}, 20 * len(admitted)),
        bench.recorded("8m", "sereno:events:delta1m", 20 * (len(admitted) + len(come_late))),
    )


def _alerts(bench: Bench, at: Duration, group: Labels, count: int | None, **labels: str) -> Expectation:
    """So many burn alerts of this group are firing."""
    matchers = [Matcher(name, MatchOp.EQUAL, value) for name, value in group.items()]
    by = ",".join(bench.slo.group_by.labels) if bench.slo.group_by else ""
    return bench.alerts(at, *matchers, count=count, alertname=burn.ALERT, grouped_by=by, **labels)


def _outage_of_one(bench: Bench, group_by: GroupBy, groups: Sequence[Labels]) -> Case:
    """One group is out, and too small for anybody to see it in the whole."""
    failing, healthy = groups
    events, lasting = bench.events_a_scrape(300), bench.lasting_minutes
    out = phases((4 * _MINUTE, events, 0), (3 * _MINUTE, events, events), ((5 + lasting) * _MINUTE, events, 0))
    at = Duration.parse("1m")
    page = {"burn": "outage", "severity": "critical"}
    return bench.case(
        f"an outage of one group by {', '.join(group_by.labels)} pages for this group only",
        _target(bench, [(failing, out), (healthy, steady(len(out.events) - 1, 1000 * events))]),
        _alerts(bench, at * 4, failing, None),
        _alerts(bench, at * 6, failing, 1, **page),
        _alerts(bench, at * 6, {}, 1, burn="outage"),
        bench.burns(at * 6, count=None, burn="outage"),
        _alerts(bench, at * (11 + lasting), failing, None, burn="outage"),
    )


def _burn_of_one(bench: Bench, group_by: GroupBy, groups: Sequence[Labels], tier: BurnTier, found: Rehearsal) -> Case:
    """The group's own usual traffic is what its failures are compared with."""
    failing, healthy = groups
    course, labels = found.course, labels_of(tier)
    burning = course.counted(round(bench.entry / bench.scrape_interval), healed=found.ends - found.fires)
    many = steady(len(burning.events) - 1, 1000 * course.events)
    return bench.case(
        f"a burn of one group by {', '.join(group_by.labels)} over {tier.long} alerts for this group only",
        _target(bench, [(failing, burning), (healthy, many)]),
        _alerts(bench, bench.entry * found.too_early, failing, None, **labels),
        _alerts(bench, bench.entry * found.fires, failing, 1, **labels),
        _alerts(bench, bench.entry * found.fires, {}, 1, **labels),
        bench.burns(bench.entry * found.fires, count=None, **labels),
        _alerts(bench, bench.entry * found.ends, failing, None, **labels),
    )
