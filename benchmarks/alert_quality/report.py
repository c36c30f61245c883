"""The figures as tables, and which promises are broken."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.alert_quality.labels import LABELS
from benchmarks.alert_quality.month import JUDGEMENTS, Kept, Month
from benchmarks.alert_quality.scenarios import FAMILIES, LOW_TRAFFIC_EVENTS_AN_HOUR
from benchmarks.alert_quality.world import SLOTS_A_DAY, SLOTS_A_MINUTE

PEERS = ("sloth", "pyrra")
_MUST_PRECISION_BY_BUDGET = 0.95
_MOST_OUTAGE_MINUTES = 3
_MOST_BLINDING = 2
_LOW_TRAFFIC = {family.name for family in FAMILIES if family.events_an_hour <= LOW_TRAFFIC_EVENTS_AN_HOUR}


@dataclass(frozen=True, slots=True)
class Figures:
    """One policy over many months, by one judgement."""

    policy: str
    months: int
    right: int
    grey: int
    wrong: int
    found: int
    missed: int
    detection_minutes: tuple[float, ...]
    reset_minutes: tuple[float, ...]

    @property
    def sent(self) -> int:
        """All notices."""
        return self.right + self.grey + self.wrong

    @property
    def precision(self) -> float:
        """The part of the notices that are right, of those that are right or wrong."""
        return self.right / (self.right + self.wrong) if self.right + self.wrong else 1.0

    @property
    def recall(self) -> float:
        """The part of the incidents that were found, of those that had to be."""
        return self.found / (self.found + self.missed) if self.found + self.missed else 1.0


def figures(months: Sequence[Month], policy: str, judgement: str) -> Figures:
    """All months of one policy together."""
    verdicts = [month.verdicts[policy, judgement] for month in months]
    return Figures(
        policy,
        len(months),
        right=sum(verdict.right for verdict in verdicts),
        grey=sum(verdict.grey for verdict in verdicts),
        wrong=sum(len(verdict.wrong) for verdict in verdicts),
        found=sum(len(verdict.detection_minutes) for verdict in verdicts),
        missed=sum(len(verdict.missed) for verdict in verdicts),
        detection_minutes=tuple(minutes for verdict in verdicts for minutes in verdict.detection_minutes),
        reset_minutes=tuple(minutes for verdict in verdicts for minutes in verdict.reset_minutes),
    )


def print_months(console: Console, months: Sequence[Month], policies: Sequence[str]) -> None:
    """Pages by both labels, those of quiet services once more, and tickets."""
    quiet = [month for month in months if month.family in _LOW_TRAFFIC]
    for judgement in JUDGEMENTS:
        console.print(_table(f"{_titled(judgement)}, {len(months)} months", months, policies, judgement))
    if quiet and len(quiet) < len(months):
        for label in LABELS:
            title = f"{_titled(label)}, {len(quiet)} months of at most {LOW_TRAFFIC_EVENTS_AN_HOUR:,} events/h"
            console.print(_table(title, quiet, policies, label))


def _titled(judgement: str) -> str:
    return f'Pages, label "{judgement}"' if judgement in LABELS else "Tickets, by budget spent"


def _table(title: str, months: Sequence[Month], policies: Sequence[str], judgement: str) -> Table:
    table = Table(title=title)
    table.add_column("policy")
    for name in ("sent", "a month", "right", "grey", "wrong", "precision", "recall", "found after", "resolved after"):
        table.add_column(name, justify="right")
    for policy in policies:
        of_policy = figures(months, policy, judgement)
        table.add_row(
            policy,
            str(of_policy.sent),
            f"{of_policy.sent / of_policy.months:.1f}",
            str(of_policy.right),
            str(of_policy.grey),
            str(of_policy.wrong),
            f"{of_policy.precision:.3f}",
            f"{of_policy.recall:.3f}",
            _median_and_worst(of_policy.detection_minutes),
            _median_and_worst(of_policy.reset_minutes),
        )
    return table


def _median_and_worst(minutes: Sequence[float]) -> str:
    return f"{median(minutes):.0f} m, {max(minutes):.0f} m" if minutes else "-"


def print_promises(console: Console, kept: Iterable[Kept]) -> None:
    """One row a policy: what no seed may change."""
    table = Table(title="Pages (tickets) of no evidence; minutes to the page of a full outage by day/night; bots x500")
    table.add_column("policy")
    for index, one in enumerate(kept):
        if not index:
            for name in (
                *(noise.case for noise in one.noise),
                *(f"{outage.objective_percent:g} %" for outage in one.outages),
                "after bots",
            ):
                table.add_column(name, justify="right")
        table.add_row(
            one.policy,
            *(f"{noise.pages} ({noise.tickets}) of {noise.tries}" for noise in one.noise),
            *(f"{_minutes(outage.day_minutes)}/{_minutes(outage.night_minutes)}" for outage in one.outages),
            f"x{one.blinding.worst_ratio:.1f}, {one.blinding.missed} missed",
        )
    console.print(table)


def _minutes(value: float | None) -> str:
    return "never" if value is None else f"{value:g}"


def print_details(console: Console, months: Iterable[Month], policy: str) -> None:
    """Every wrong page and every missed incident of one policy, to learn from."""
    for month in months:
        for label in LABELS:
            verdict = month.verdicts[policy, label]
            for notice in verdict.wrong:
                during = [
                    _described(month, place)
                    for place, each in enumerate(month.incidents)
                    if each.begin <= notice.begin < each.end
                ]
                minutes = (notice.end - notice.begin) / SLOTS_A_MINUTE
                what = ", ".join(during) or "no incident"
                console.print(
                    f"wrong by {label}: {month.family}, seed {month.seed}, day {notice.begin / SLOTS_A_DAY:.2f}, "
                    f"{minutes:.0f} m, {what}"
                )
            for missed in verdict.missed:
                place = [incident.begin for incident in month.incidents].index(missed.begin)
                console.print(f"missed by {label}: {month.family}, seed {month.seed}, {_described(month, place)}")


def _described(month: Month, place: int) -> str:
    incident = month.incidents[place]
    burn_rate = incident.failing_ratio / month.error_budget_ratio
    return f"{incident.kind} at {burn_rate:.1f} times the budget for {incident.slots / SLOTS_A_MINUTE:.0f} m"


def broken(months: Sequence[Month], kept: Sequence[Kept]) -> Iterator[str]:
    """The promises that don't hold, in words."""
    if months:
        yield from _broken_by_budget(figures(months, "sereno, budget", "budget"))
        yield from _broken_by_feeling(months)
    for one in kept:
        if one.policy not in PEERS:
            yield from _broken_always(one)


def _broken_by_budget(of_budget: Figures) -> Iterator[str]:
    if of_budget.precision < _MUST_PRECISION_BY_BUDGET:
        yield f"{of_budget.policy}: precision {of_budget.precision:.3f}, must be {_MUST_PRECISION_BY_BUDGET}"
    if of_budget.missed:
        yield f"{of_budget.policy}: {of_budget.missed} incidents missed by budget"


def _broken_by_feeling(months: Sequence[Month]) -> Iterator[str]:
    ours = figures(months, "sereno, both", "felt")
    if ours.missed:
        yield f"{ours.policy}: {ours.missed} incidents missed that were felt"
    for peer in (figures(months, peer, "felt") for peer in PEERS):
        if ours.precision <= peer.precision:
            yield f"{ours.policy}: precision {ours.precision:.3f}, {peer.policy} has {peer.precision:.3f}"


def _broken_always(one: Kept) -> Iterator[str]:
    for noise in one.noise:
        if noise.pages or noise.tickets:
            yield f"{one.policy}: {noise.case}: {noise.pages} pages, {noise.tickets} tickets"
    for outage in one.outages:
        slowest = [outage.day_minutes, outage.night_minutes]
        if any(minutes is None or minutes > _MOST_OUTAGE_MINUTES for minutes in slowest):
            yield f"{one.policy}: a full outage at {outage.objective_percent:g} % is found after {slowest} minutes"
    if one.blinding.missed or one.blinding.worst_ratio > _MOST_BLINDING:
        yield f"{one.policy}: after bots {one.blinding.missed} missed, detection x{one.blinding.worst_ratio:.1f}"


def as_json(months: Sequence[Month], policies: Sequence[str]) -> list[dict[str, Any]]:
    """The figures of the tables."""
    return [
        {
            "judgement": judgement,
            "policy": policy,
            "months": of_policy.months,
            "sent": of_policy.sent,
            "right": of_policy.right,
            "grey": of_policy.grey,
            "wrong": of_policy.wrong,
            "missed": of_policy.missed,
            "precision": of_policy.precision,
            "recall": of_policy.recall,
            "detection_minutes": sorted(of_policy.detection_minutes),
        }
        for judgement in JUDGEMENTS
        for policy in policies
        for of_policy in (figures(months, policy, judgement),)
    ]
