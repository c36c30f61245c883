"""What the overview asks about every SLO of the chosen services."""

from collections.abc import Callable

from sereno_slo.duration import Duration
from sereno_slo.plan import series
from sereno_slo.plan.series import SLO_LABELS, patient
from sereno_slo.plan.windows import BUDGETED_EVENTS
from sereno_slo.promql import Aggregation, Call, Expr, Matcher, MatchOp, Number, Selector, any_of
from sereno_slo.render import queries

DAY = Duration.parse("1d")
# Less than any time: what counts nothing leads.
NO_DATA = -1
_LEAST_CHANGE = 0.001
_ALERTS = "SLO.+"


def of_services(name: str) -> Selector:
    """A recorded series of the chosen services."""
    return Selector(name, (Matcher("service", MatchOp.REGEX, "$service"),))


def firing(names: str = _ALERTS) -> Selector:
    """Their firing alerts."""
    return of_services("ALERTS").where(Matcher("alertname", MatchOp.REGEX, names), alertstate="firing")


def each(expr: Expr) -> Expr:
    """One series for each SLO: a pair of Prometheus servers behind Thanos records everything twice."""
    return Aggregation("max", expr, SLO_LABELS)


def remaining(*, ago: Duration | None = None) -> Expr:
    """The budgets, as they are or as they were."""
    return Aggregation("min", patient(of_services(series.BUDGET_REMAINING).ago(ago)), SLO_LABELS)


def objective() -> Expr:
    """What was promised."""
    return each(of_services(series.OBJECTIVE))


def burn_rate(window: str) -> Expr:
    """Failures as a multiple of what the objective allows."""
    return each(patient(of_services(f"sereno:error_ratio:{window}"))) / (1 - objective())


def gone_in_seconds() -> Expr:
    """When the budget is spent at the last day's pace: 0 where it is, and `NEVER_SECONDS` where nothing failed.

    `NO_DATA` of what counts nothing: nobody knows its pace.
    """
    unknown = (0 * each(firing("SLONoData"))) + NO_DATA
    recorded = Aggregation("min", patient(of_services(series.EXHAUSTED_IN)), SLO_LABELS)
    return unknown.or_(queries.gone_in_seconds(recorded, remaining()))


def shown(expr: Expr) -> Expr:
    """Only the SLOs that miss their service level, burn or have no data; all of them when the switch says so."""
    wanted = of_services(series.INFO).where(Matcher("slo", MatchOp.REGEX, "$show"))
    troubled = any_of(wanted, remaining() < 0, firing("SLOErrorBudgetBurn|SLONoData"))
    return expr.and_(troubled, on=SLO_LABELS)


def spent_in_a_day(most: int) -> Expr:
    """The part of the budget that the day after each point spent, of those shown now, `most` with the least budget.

    Asked in steps of a day. Grafana moves such a range to whole days, so that its end is the last midnight: what is of
    now lies within the day after it, and the newest point is the last 24 hours. The budget is the one of now, so that
    the days add up.
    """
    bad = each(_within_the_day_after(of_services("sereno:bad_events:1d")))
    budgeted = any_of(*(each(_within_the_day_after(of_services(name).at_end())) for name in BUDGETED_EVENTS))
    allowed = (1 - each(_within_the_day_after(of_services(series.OBJECTIVE).at_end()))) * budgeted
    return (bad / (allowed > 0)).and_(_neediest(most, _within_the_day_after), on=SLO_LABELS)


def _within_the_day_after(of: Selector) -> Expr:
    """The last value of the day that begins now."""
    return Call("last_over_time", (of.over(DAY).ago(Duration(-DAY.milliseconds)),))


def neediest(expr: Expr, most: int) -> Expr:
    """The expression of those SLOs only that have the least budget at the end of the time range, of those shown then.

    They are the same ones at every moment, and few: a day of a thousand SLOs is 30 MB, which no browser draws.
    """
    return expr.and_(_neediest(most, patient), on=SLO_LABELS)


def _neediest(most: int, seen: Callable[[Selector], Expr]) -> Expr:
    """The budgets of those that are shown at the end, as `seen` looks at it from every moment of the time range."""
    budgets = Aggregation("min", seen(of_services(series.BUDGET_REMAINING).at_end()), SLO_LABELS)
    wanted = seen(of_services(series.INFO).where(Matcher("slo", MatchOp.REGEX, "$show")).at_end())
    burning = seen(firing("SLOErrorBudgetBurn|SLONoData").at_end())
    found = budgets.and_(any_of(wanted, budgets < 0, burning), on=SLO_LABELS)
    return Call("bottomk", (Number(most), found))


def most_changed(expr: Expr, most: int) -> Expr:
    """The expression of those SLOs only whose budgets changed most since yesterday, for better or worse."""
    changes = Call("abs", (change(),)) > _LEAST_CHANGE
    return expr.and_(Call("topk", (Number(most), changes)), on=SLO_LABELS)


def change() -> Expr:
    """How much budget there is more than yesterday; below 0 where it was spent."""
    return remaining() - remaining(ago=DAY)


def alerts_since_yesterday() -> Expr:
    """1 for alerts that fire and didn't yesterday at this time, 0 for those that fired within the day and no more."""
    began = firing().unless(firing().ago(DAY))
    ended = Call("last_over_time", (firing().over(DAY),)).unless(firing(), on=(*SLO_LABELS, "alertname", "severity"))
    return any_of(began, 0 * ended)


def or_zero(expr: Expr) -> Expr:
    """0 where there is no series."""
    return expr.or_(Call("vector", (Number(0),)))
