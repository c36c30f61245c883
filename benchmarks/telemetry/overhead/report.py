"""Costs as a table, and what of them must hold."""

import itertools
from collections.abc import Iterator, Sequence

from rich.console import Console
from rich.table import Table

from benchmarks.telemetry.instruments import SERENO
from benchmarks.telemetry.overhead.rounds import Cost, verdict


def by_kind(costs: Sequence[Cost]) -> Iterator[list[Cost]]:
    """The costs of each kind and number of routes together."""
    for _, group in itertools.groupby(costs, key=lambda cost: (cost.kind.name, cost.routes)):
        yield list(group)


def print_costs(console: Console, costs: Sequence[Cost], *, with_verdict: bool) -> None:
    """One table for all, a section for each kind and number of routes."""
    table = Table(title="CPU microseconds added to a request, against the bare app of the same round")
    for title in ("what is made of requests", "routes", "by"):
        table.add_column(title, justify="right" if title == "routes" else "left")
    for title in ("median", "nine in ten above", "nine in ten below", "Sereno to it", "exemplars"):
        table.add_column(title, justify="right")
    for group in by_kind(costs):
        sereno = next((cost for cost in group if cost.instrument == SERENO), None)
        for cost in group:
            low, high = cost.spread
            table.add_row(
                cost.kind.name,
                str(cost.routes),
                cost.instrument,
                f"{cost.median:.1f}",
                f"{low:.1f}",
                f"{high:.1f}",
                f"{sereno.median / cost.median:.2f}" if sereno is not None and cost.median > 0 else "-",
                "yes" if cost.has_exemplars else "no",
            )
        table.add_section()
    console.print(table)
    for group in by_kind(costs):
        found = verdict(group)
        if found is None or not with_verdict:
            continue
        console.print(
            f"{found.kind.name}, {found.routes} routes: {found.ratio:.2f} of {found.best_peer}, the best peer "
            f"(at most {found.kind.most_ratio:.2f}): {'reached' if found.is_reached else 'MISSED'}"
        )


def missed(costs: Sequence[Cost]) -> Iterator[str]:
    """Every requirement that doesn't hold."""
    for group in by_kind(costs):
        found = verdict(group)
        if found is not None and not found.is_reached:
            yield (
                f"{found.kind.name}, {found.routes} routes: {found.ratio:.2f} of {found.best_peer}, "
                f"must be {found.kind.most_ratio:.2f} at most"
            )
        for cost in group:
            if cost.instrument == SERENO and not cost.has_exemplars:
                yield f"{cost.kind.name}, {cost.routes} routes: no exemplars"
