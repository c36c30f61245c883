"""The comparison as tables, and what of it must hold."""

from collections.abc import Iterator, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.cost.comparison import Contest, Skipped
from benchmarks.cost.estimating import estimated_samples_per_minute
from benchmarks.cost.load import Load

MUST_RATIO = {10: 30, 200: 200, 2000: 300}
"""Raw series to how many samples sloth must at least read where Sereno reads one."""
_TOP_RULES = 8


def print_comparison(console: Console, contests: Sequence[Contest], skipped: Sequence[Skipped]) -> None:
    """All tables, and the reasons of what is missing."""
    console.print(_costs(contests))
    for contest in contests:
        console.print(_top_rules(contest))
    for one in skipped:
        console.print(f"{one.kind}: skipped, this version doesn't compile it: {one.reason}")
    console.print("* counted as series that match x samples in range: a rule reads more raw history than was written")
    for contest in contests:
        estimated = estimated_samples_per_minute(contest.kind, contest.size)
        error = estimated / contest.sereno.samples_per_minute - 1
        console.print(
            f"{contest.kind}, {contest.size.raw_series} raw series: sereno plan estimates {estimated:,.0f} samples a "
            f"minute ({error:+.1%})"
        )
        extra = contest.sereno.template_samples_per_minute
        if extra:
            console.print(
                f"{contest.kind}, {contest.size.raw_series} raw series: while an alert is pending or fires, "
                f"the query in its annotation reads {extra:,.0f} samples a minute on top"
            )


def print_load(console: Console, load: Load) -> None:
    """What Prometheus needed for so many SLOs."""
    table = Table(title=f"{load.slos:,} SLOs on one Prometheus for {load.minutes:.0f} minutes", show_header=False)
    table.add_column()
    table.add_column(justify="right")
    rows = [
        ("rules", f"{load.rules:,}"),
        ("series in the head", f"{load.series_in_head:,}"),
        ("iterations of rule groups", f"{load.iterations:,}"),
        ("iterations missed", f"{load.iterations_missed:,}"),
        ("evaluations failed", f"{load.evaluation_failures:,}"),
        ("processor cores used", f"{load.cpu_cores:.2f}"),
        ("resident memory, at most", f"{load.resident_bytes / 2**20:,.0f} MiB"),
    ]
    for times in load.times:
        rows += [
            (f"groups evaluated every {times.interval_seconds:.0f} s", f"{times.groups:,}"),
            ("  longest evaluation", f"{times.longest_seconds:.3f} s"),
            ("  longest of 99 % of the groups", f"{times.p99_seconds:.3f} s"),
        ]
    for name, value in rows:
        table.add_row(name, value)
    console.print(table)


def missed(contests: Sequence[Contest]) -> Iterator[str]:
    """Every requirement that doesn't hold, with what costs most."""
    for contest in contests:
        must = MUST_RATIO.get(contest.size.raw_series)
        if must is not None and contest.ratio < must:
            dearest = max(contest.sereno.rules, key=lambda cost: cost.samples_per_minute)
            yield (
                f"{contest.kind}, {contest.size.raw_series} raw series: 1/{contest.ratio:.0f} of sloth's samples, "
                f"must be 1/{must} or less; dearest: {dearest.rule.name}, {dearest.samples_per_minute:,.0f} a minute"
            )


def as_json(contests: Sequence[Contest]) -> list[dict[str, Any]]:
    """Everything measured, as plain data."""
    return [
        {
            "kind": str(contest.kind),
            "raw_series": contest.size.raw_series,
            "error_series": contest.size.error_series,
            "targets": contest.size.targets,
            "tools": [
                {
                    "tool": cost.tool,
                    "samples_per_minute": cost.samples_per_minute,
                    "samples_per_minute_by_a_pending_alert": cost.template_samples_per_minute,
                    "all_measured": cost.all_measured,
                    "rules": len(cost.rules),
                    "recorded_series": cost.recorded_series,
                    "samples_per_minute_by_rule": [[rule.rule.name, rule.samples_per_minute] for rule in cost.rules],
                }
                for cost in contest.costs
            ],
        }
        for contest in contests
    ]


def _costs(contests: Sequence[Contest]) -> Table:
    table = Table(title="Samples read per minute by all rules of one SLO, by Prometheus' own query statistics")
    table.add_column("SLO")
    table.add_column("rules by")
    for title in ("raw series", "of errors", "targets", "rules", "recorded series", "samples/min", "x Sereno"):
        table.add_column(title, justify="right")
    for contest in contests:
        for cost in contest.costs:
            size = contest.size
            table.add_row(
                contest.kind,
                cost.tool,
                str(size.raw_series),
                str(size.error_series) if contest.kind != "latency" else "-",
                str(size.targets),
                str(len(cost.rules)),
                str(cost.recorded_series),
                f"{cost.samples_per_minute:,.0f}" + ("" if cost.all_measured else "*"),
                f"{cost.samples_per_minute / contest.sereno.samples_per_minute:,.0f}",
            )
        table.add_section()
    return table


def _top_rules(contest: Contest) -> Table:
    total = contest.sereno.samples_per_minute
    table = Table(title=f"Where Sereno's samples go: {contest.kind}, {contest.size.raw_series} raw series")
    table.add_column("rule")
    for title in ("samples per evaluation", "evaluations/min", "samples/min", "share"):
        table.add_column(title, justify="right")
    costs = sorted(contest.sereno.rules, key=lambda cost: cost.samples_per_minute, reverse=True)
    for cost in costs[:_TOP_RULES]:
        table.add_row(
            cost.rule.name,
            f"{cost.samples:,}",
            f"{cost.rule.evaluations_per_minute:g}",
            f"{cost.samples_per_minute:,.0f}",
            f"{cost.samples_per_minute / total:.0%}",
        )
    rest = sum(cost.samples_per_minute for cost in costs[_TOP_RULES:])
    table.add_row(f"{len(costs[_TOP_RULES:])} others", "", "", f"{rest:,.0f}", f"{rest / total:.0%}")
    return table
