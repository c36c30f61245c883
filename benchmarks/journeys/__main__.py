"""`python -m benchmarks.journeys`: how far a journey's error ratio is from what became of its users."""

import sys
import tempfile
from pathlib import Path

import click
import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.journeys.judging import judge
from benchmarks.journeys.scenarios import SCENARIOS
from benchmarks.journeys.users import walk
from benchmarks.simulation import running_prometheus


@click.command()
@click.option("--seed", default=20261, show_default=True)
@click.option("--prometheus", metavar="PROGRAM", help="Default: the one on PATH.")
def main(*, seed: int, prometheus: str | None) -> None:
    """Relative errors by the compiled rules on a real Prometheus, and by other ways to combine steps.

    Ends with 1 if a promise is missed; scenarios in brackets have none.
    """
    table = Table("scenario", "users that failed", "Sereno", "single minutes", "worst step", "minutes over 5 %")
    is_missed = False
    with tempfile.TemporaryDirectory() as folder, running_prometheus(Path(folder), program=prometheus) as server:
        for number, (name, scenario) in enumerate(SCENARIOS.items()):
            found = judge(server, walk(scenario.crowd, np.random.default_rng((seed, number))))
            is_missed |= scenario.most_error is not None and abs(found.error(found.ledger)) > scenario.most_error
            errors = (f"{found.error(one):+.1%}" for one in (found.ledger, found.minutes, found.highest, found.slices))
            table.add_row(f"({name})" if scenario.most_error is None else name, f"{found.truth:.3%}", *errors)
    Console(width=120).print(table)
    sys.exit(1 if is_missed else 0)


if __name__ == "__main__":
    main()
