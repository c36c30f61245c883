"""Budgets of groups (`group_by`): the same ledger once more for each value of some labels, for a limited number."""

from sereno_slo.duration import Duration
from sereno_slo.model import GroupBy, ServiceLevelObjective, Settings
from sereno_slo.plan import series
from sereno_slo.plan.burn import burn_alerts
from sereno_slo.plan.counting import Raw
from sereno_slo.plan.entries import bad_events_entry, events_entry
from sereno_slo.plan.ledger import calendar_budget, expected_events, long_windows, minute_windows
from sereno_slo.plan.outages import missed
from sereno_slo.plan.rules import AlertingRule, RecordingRule
from sereno_slo.plan.series import Ledger
from sereno_slo.promql import Aggregation, Call, Expr, Number

# More series than a group can have: who was admitted before goes before everybody else.
_FIRST = Number(1e9)
# Longer than a stop of Prometheus that the ledger catches up: nobody loses the place to a newcomer for it.
_REMEMBERED = Duration.parse("30m")


def group_entries(
    slo: ServiceLevelObjective, group_by: GroupBy, settings: Settings
) -> tuple[RecordingRule | AlertingRule, ...]:
    """Which groups are admitted, their entries, their short windows, and alerts where asked for: every minute."""
    ledger, raw = Ledger.of_groups(slo, group_by), Raw(settings)
    admitted = Ledger.of(slo).series(series.GROUP_ADMITTED)
    # Bad events follow: they are counted for groups that have an entry of events.
    events = events_entry(slo.indicator, raw, group_by.labels).and_(admitted, on=group_by.labels)
    has_entry = ledger.series(series.EVENTS_ENTRY)
    bad_events = bad_events_entry(slo.indicator, ledger, raw).and_(has_entry, on=group_by.labels)
    return (
        Ledger.of(slo).record(series.GROUP_ADMITTED, _admitted(slo, group_by, raw)),
        ledger.record(series.EVENTS_ENTRY, events),
        ledger.record(series.BAD_EVENTS_ENTRY, bad_events),
        *missed(slo, ledger, raw),
        *minute_windows(slo, ledger, settings),
        *(burn_alerts(slo, settings, ledger) if group_by.alert else ()),
    )


def group_roll_ups(slo: ServiceLevelObjective, group_by: GroupBy, settings: Settings) -> tuple[RecordingRule, ...]:
    """Roll-ups, long windows and budgets of the groups, and how many groups were left out: every five minutes."""
    ledger = Ledger.of_groups(slo, group_by)
    admitted = Ledger.of(slo).series(series.GROUP_ADMITTED)
    left_out = Aggregation("count", _present(slo, group_by, Raw(settings))) - Aggregation("count", admitted)
    return (
        *long_windows(slo, ledger, settings),
        *((expected_events(slo, ledger),) if group_by.alert or slo.calendar else ()),
        *calendar_budget(slo, ledger),
        Ledger.of(slo).record(series.GROUPS_LEFT_OUT, left_out),
    )


def _present(slo: ServiceLevelObjective, group_by: GroupBy, raw: Raw) -> Expr:
    return Aggregation("count", raw.latest(slo.indicator.total), group_by.labels)


def _admitted(slo: ServiceLevelObjective, group_by: GroupBy, raw: Raw) -> Expr:
    """First come, first served: who was admitted stays as long as there are series, so that sums are whole."""
    present = _present(slo, group_by, raw)
    before = Call("last_over_time", (Ledger.of(slo).series(series.GROUP_ADMITTED).over(_REMEMBERED),))
    ranked = (present.and_(before, on=group_by.labels) + _FIRST).or_(present)
    return Aggregation("group", Call("topk", (Number(group_by.limit), ranked)), group_by.labels)
