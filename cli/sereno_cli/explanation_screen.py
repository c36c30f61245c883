"""What `sereno explain` shows: paragraphs of at most 80 columns, readable without colour."""

import sys
import textwrap
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from sereno_cli.figures_in_words import count, length, minute, rate, share, small_share, span

if TYPE_CHECKING:
    from datetime import date

    from rich.console import Console
    from sereno_slo.explain import Explanation, Stretch
    from sereno_slo.explain.spenders import Breakdown

_MOST_DAYS = 31
_TOP_HOURS = 5
_MOST_HOLES = 5
_LEVELS, _ASCII_LEVELS = "▁▂▃▄▅▆▇█", ".:-=+*#@"
_COLUMNS = 80
_GLUE = "\x00%"


def print_explanation(explanation: "Explanation") -> None:
    """Everything, from the account to what doesn't agree."""
    from rich.console import Console

    # In a file or a pipe lines are as long as they are; `highlight` would colour every number.
    console = Console(width=None if sys.stdout.isatty() else _COLUMNS, highlight=False, markup=False, soft_wrap=True)
    for paragraph in _PARAGRAPHS:
        lines = list(paragraph(explanation, console))
        if lines:
            title, *rest = lines
            console.print(title, style="bold")
            for line in rest:
                console.print(_folded(line))
            console.print()


def _folded(line: str) -> str:
    """Long sentences go on below themselves; columns are never that long."""
    indent = " " * (len(line) - len(line.lstrip()))
    if len(line) <= _COLUMNS:
        return line
    # A number stays with its percent sign.
    return textwrap.fill(line.replace(" %", _GLUE), _COLUMNS, subsequent_indent=indent).replace(_GLUE, " %")


def _head(explanation: "Explanation", _: "Console") -> Iterator[str]:
    from sereno_slo.render.words import own_window_in_words

    slo = explanation.slo
    window = slo.window if slo.calendar is None else own_window_in_words(slo)
    group = "".join(f" {label}={value}" for label, value in explanation.group.items())
    yield f"{slo.service}/{slo.name}{group}: {slo.objective_percent:.10g} % over {window}"
    if slo.description:
        yield f"  {slo.description}"
    begun = explanation.begun_at
    since = "" if begun is None else f"; the ledger is younger, it began at {minute(begun)}"
    yield f"  window from {minute(explanation.window_start)} to {minute(explanation.evaluated_at)} UTC{since}"
    if explanation.window_end is not None:
        yield f"  it ends at {minute(explanation.window_end)} UTC"
    if slo.formerly:
        yield f"  counted as {', '.join('/'.join(name) for name in slo.formerly)}, too: the names that it had before"


def _counted(explanation: "Explanation") -> str:
    from sereno_slo.validate.findings import counted_in_words

    return counted_in_words(explanation.slo)


def _account(explanation: "Explanation", _: "Console") -> Iterator[str]:
    budget, counted = explanation.budget, _counted(explanation)
    yield "Budget"
    yield f"  {count(budget.events):>14}  {counted}"
    allowed = small_share(budget.error_budget_ratio)
    yield f"  {count(budget.bad_events):>14}  of them bad: {small_share(budget.error_ratio)}; {allowed} may be"
    if explanation.window_end is not None:
        yield f"  {count(budget.planned_events):>14}  expected until the window ends, if traffic is as usual"
    one = count(budget.one_percent_events)
    yield f"  {count(budget.budget_events):>14}  bad {counted} are 100 % of the budget, {one} are 1 %"
    yield f"  {share(1 - budget.remaining_ratio):>14}  spent"
    recorded = budget.recorded_remaining_ratio
    same = "" if recorded is None else f"; recorded at {explanation.evaluated_at:%H:%M}: {share(recorded)}"
    yield f"  {share(budget.remaining_ratio):>14}  remaining{same}"


def _pace(explanation: "Explanation", _: "Console") -> Iterator[str]:
    pace = explanation.pace
    yield "Burning, in multiples of what the objective allows"
    yield f"  {'alert':<20}{'alerts at':>10}{'long':>8}{'short':>8}   budget gone at this pace"
    for tier in pace.tiers:
        name = f"{tier.severity} {tier.long}/{tier.short}"
        gone = "-" if tier.exhausted_in_seconds is None else _gone(tier.exhausted_in_seconds, explanation)
        speed = f"{rate(tier.burn_rate_long):>8}{rate(tier.burn_rate_short):>8}"
        yield f"  {name:<20}{rate(tier.alerts_at):>10}{speed}   {gone}"
    exhausted = pace.exhausted_in_seconds
    if exhausted is not None:
        yield f"  at the pace of the last day the budget is gone {_gone(exhausted, explanation)}"
    firing = ", ".join(f"{alert.burn} {alert.long_window} ({alert.severity})" for alert in pace.firing)
    yield f"  firing: {firing or 'nothing'}"


def _gone(seconds: float, explanation: "Explanation") -> str:
    end, now = explanation.window_end, explanation.asked_at
    if end is not None and seconds > (end - now).total_seconds():
        return f"in {length(seconds)}, after the window's end"
    return f"in {length(seconds)}" if seconds > 0 else "already"


def _by_day(explanation: "Explanation", console: "Console") -> Iterator[str]:
    days = explanation.days
    if not any(day.bad_events > 0 for day in days):
        return
    shown = days if len(days) <= _MOST_DAYS else _most(days, _MOST_DAYS)
    levels = _LEVELS if (console.encoding or "").startswith("utf") else _ASCII_LEVELS
    most = max(hour.bad_events for hour in explanation.hours)
    by_day: dict[date, dict[int, Stretch]] = defaultdict(dict)
    for hour in explanation.hours:
        by_day[hour.begin.date()][hour.begin.hour] = hour
    yield f"Spent by day (UTC), a mark an hour: {levels[-1]} is {count(most)} bad {_counted(explanation)}"
    yield f"  {'':<14}{'0     6     12    18':<26}{'budget':>9}{'bad':>12}"
    for day in shown:
        marks = "".join(_mark(by_day[day.begin.date()].get(hour), most, levels) for hour in range(24))
        spent = f"{share(day.budget_share):>9}{count(day.bad_events):>12}"
        yield f"  {day.begin:%a %Y-%m-%d}{marks:<26}{spent}"
    if len(shown) < len(days):
        rest = sum(day.budget_share for day in days) - sum(day.budget_share for day in shown)
        yield f"  {len(days) - len(shown)} further days spent {share(rest)}"


def _mark(hour: "Stretch | None", most: float, levels: str) -> str:
    """A space where nothing happened, a dot where nothing failed."""
    if hour is None:
        return " "
    if hour.bad_events <= 0:
        return "·" if levels == _LEVELS else "'"
    return levels[min(len(levels) - 1, int(hour.bad_events / most * len(levels)))]


def _most(stretches: "Sequence[Stretch]", limit: int) -> "list[Stretch]":
    """Those that spent most, in order of time."""
    largest = sorted(stretches, key=lambda stretch: -stretch.bad_events)[:limit]
    return sorted(largest, key=lambda stretch: stretch.begin)


def _top_hours(explanation: "Explanation", _: "Console") -> Iterator[str]:
    spending = sorted((h for h in explanation.hours if h.bad_events > 0), key=lambda hour: -hour.bad_events)
    if not spending:
        return
    yield "Hours that spent most (UTC)"
    yield f"  {'':<18}{'budget':>9}{'bad':>12}{'of':>14}{'error ratio':>14}"
    for hour in spending[:_TOP_HOURS]:
        figures = f"{share(hour.budget_share):>9}{count(hour.bad_events):>12}{count(hour.events):>14}"
        yield f"  {minute(hour.begin):<18}{figures}{small_share(hour.error_ratio):>14}"
    rest = spending[_TOP_HOURS:]
    if rest:
        yield f"  {f'{len(rest):,} other hours':<18}{share(sum(hour.budget_share for hour in rest)):>9}"


def _who(explanation: "Explanation", _: "Console") -> Iterator[str]:
    spenders = explanation.spenders
    if not spenders.hours and not spenders.breakdowns:
        return
    yield "Who spent it"
    whole = [breakdown for breakdown in spenders.breakdowns if breakdown.is_whole_window]
    if whole:
        yield "  of the whole window, counted by the ledgers of groups:"
        yield from (line for breakdown in whole for line in _breakdown(breakdown))
    of_hours = [breakdown for breakdown in spenders.breakdowns if not breakdown.is_whole_window]
    names = ", ".join(minute(hour.begin) for hour in spenders.hours)
    hours = "the hour" if len(spenders.hours) == 1 else f"the {len(spenders.hours)} hours"
    if spenders.raw_bad_events is None:
        yield f"  of {hours} {names}: raw series are gone, or have no labels"
        return
    raw, counted = count(spenders.raw_bad_events), count(spenders.bad_events)
    yield f"  of {hours} {names}, by raw series; they tell {raw} bad, the ledger {counted}:"
    yield from (line for breakdown in of_hours for line in _breakdown(breakdown))


def _breakdown(breakdown: "Breakdown") -> Iterator[str]:
    yield f"    {', '.join(breakdown.labels)}"
    for spender in breakdown.spenders:
        yield f"      {share(spender.share):>8}{count(spender.bad_events):>10}  {spender.value or '(empty)'}"
    if breakdown.others > 0.5:  # noqa: PLR2004 - half an event is rounding
        yield f"      {'':>8}{count(breakdown.others):>10}  others"


def _seen(explanation: "Explanation", _: "Console") -> Iterator[str]:
    coverage = explanation.coverage
    whole = count(coverage.window_minutes)
    yield f"Coverage {share(coverage.ratio)}: {count(round(coverage.seen_minutes))} of {whole} minutes were seen"
    if coverage.minutes_before_begin:
        yield f"  {count(coverage.minutes_before_begin)} minutes lie before the ledger began"
    if coverage.missed_evaluations:
        yield f"  {coverage.missed_evaluations:,} evaluations of roll-ups (every 5m) were missed"
    if explanation.caught_up_events:
        yield f"  {count(explanation.caught_up_events)} {_counted(explanation)} of stops were caught up, and count"
    largest = sorted(coverage.holes, key=lambda hole: -hole.missing_minutes)[:_MOST_HOLES]
    for hole in sorted(largest, key=lambda hole: hole.begin):
        yield f"  {span(hole.begin, hole.end)}: {count(round(hole.missing_minutes, 1))} minutes missing, {hole.cause}"
    rest = len(coverage.holes) - len(largest)
    if rest:
        yield f"  {rest:,} smaller hole{'s'[: rest != 1]}"


def _excluded(explanation: "Explanation", _: "Console") -> Iterator[str]:
    if not explanation.excluded:
        return
    counted = _counted(explanation)
    yield "Excluded: in no figure above"
    for one in explanation.excluded:
        yield f"  {one.in_words}: {one.reason} ({one.author})"
        would = f", of them {count(one.bad_events)} bad: they would have spent {share(one.budget_share)} of the budget"
        left_out = f"{count(one.events)} {counted} left out{would if one.bad_events else ''}"
        yield f"    {count(round(one.hours, 2))} hours of the window; {left_out}"


def _future(explanation: "Explanation", _: "Console") -> Iterator[str]:
    future = explanation.rolling_out
    yield "If nothing more fails, and traffic is what it was"
    remaining = ", ".join(f"{forecast.after} {share(forecast.remaining_ratio)}" for forecast in future.forecasts)
    yield f"  remaining in {remaining}"
    if future.whole_again_at is not None:
        end = minute(future.whole_again_at)
        yield f"  nothing leaves the window before it ends; the budget is whole again on {end}"
    for recovery in future.recoveries:
        when = "not within the window" if recovery.at is None else f"at {minute(recovery.at)}"
        yield f"  {share(recovery.threshold_ratio)} again {when}"
    for leaving in future.leaving:
        left = span(leaving.leaves_from, leaving.leaves_until)
        yield f"  {left} gives {share(leaving.spent.budget_share)} back: what {minute(leaving.spent.begin)} spent"


def _notes(explanation: "Explanation", _: "Console") -> Iterator[str]:
    if explanation.notes:
        yield "What doesn't agree"
        yield from (f"  {note}" for note in explanation.notes)


_PARAGRAPHS = (_head, _account, _pace, _by_day, _top_hours, _who, _seen, _excluded, _future, _notes)
