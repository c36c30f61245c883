"""`python -m benchmarks.accuracy`: the error of the error budget, scenario by scenario."""

import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

import click
import orjson
from rich.console import Console

from benchmarks.accuracy.judge import Outcome, judge
from benchmarks.accuracy.report import as_json, missed, print_table
from benchmarks.accuracy.scenario import Scenario
from benchmarks.accuracy.scenarios import SCENARIOS
from benchmarks.simulation import ServerError, find_prometheus

JUDGING_SEED = 20_261
"""The rules were tuned on other seeds (the tests' among them); figures that are published come from this one."""
TABLE_WIDTH = 170


@click.command(context_settings={"max_content_width": 110})
@click.option("--seed", default=JUDGING_SEED, show_default=True, help="The same seed gives the same figures.")
@click.option("--scenarios", default="", metavar="TEXT,…", help="Only scenarios whose names contain one of the texts.")
@click.option(
    "--days", default=30.0, show_default=True, help="How long each simulation is, unless it has its own length."
)
@click.option("--prometheus", metavar="PATH", help="The server to use, 2.42 or later; otherwise the one on PATH.")
@click.option(
    "--json", "json_file", type=click.Path(path_type=Path, dir_okay=False), help="Write all figures there, too."
)
@click.option("--workers", default=2, show_default=True, help="How many scenarios run at once.")
@click.option("--list", "only_list", is_flag=True, help="Name the scenarios and end.")
def main(  # noqa: PLR0917 - click passes them by name
    seed: int,
    scenarios: str,
    days: float,
    prometheus: str | None,
    json_file: Path | None,
    workers: int,
    only_list: bool,
) -> int:
    """Simulate months of traffic with known truth and compare what rules make of it.

    Ends with 1 when Sereno's error ratio is more than 0.5 % off in any scenario, or missing.

    \b
    Examples:
      python -m benchmarks.accuracy
      python -m benchmarks.accuracy --scenarios "incident,restart" --days 7 --seed 3
    """  # noqa: D301 - \b is click's
    chosen = _chosen(scenarios)
    if only_list:
        print("\n".join(dict.fromkeys(scenario.line for scenario in chosen)))
        return 0
    try:
        find_prometheus(prometheus)
    except ServerError as error:
        raise click.ClickException(str(error)) from None
    began = time.monotonic()
    outcomes = sorted(_outcomes(chosen, seed, days, prometheus, workers), key=lambda one: _place(chosen, one.name))
    took = time.monotonic() - began
    title = f"Error of the 30-day error ratio; seed {seed}, {days:g} days, {took:.0f} s"
    print_table(outcomes, title, Console(width=TABLE_WIDTH))
    if json_file is not None:
        document = as_json(outcomes, seed=seed, days=days, seconds=round(took))
        json_file.write_bytes(orjson.dumps(document, option=orjson.OPT_INDENT_2) + b"\n")
    broken = [outcome for outcome in outcomes if missed(outcome)]
    for outcome in broken:
        print(f"missed: {outcome.name}: {missed(outcome)}", file=sys.stderr)
    return 1 if broken else 0


def _chosen(texts: str) -> Sequence[Scenario]:
    wanted = [text.strip() for text in texts.split(",") if text.strip()]
    chosen = [one for one in SCENARIOS if not wanted or any(text in one.name or text in one.line for text in wanted)]
    if not chosen:
        raise click.UsageError(f"no scenario's name contains {texts!r}: --list names them all")
    return chosen


def _outcomes(
    chosen: Sequence[Scenario], seed: int, days: float, prometheus: str | None, workers: int
) -> Iterator[Outcome]:
    """The outcomes as they come; by name, because scenarios hold functions that no process can send."""
    with ProcessPoolExecutor(max_workers=workers) as pool:
        running = [pool.submit(_judge_named, one.name, seed, days, prometheus) for one in chosen]
        for number, future in enumerate(as_completed(running), 1):
            outcome = future.result()
            told = missed(outcome) or "ok"
            print(f"{number}/{len(running)} {outcome.name}: {told} ({outcome.seconds:.0f} s)", file=sys.stderr)
            yield outcome


def _judge_named(name: str, seed: int, days: float, prometheus: str | None) -> Outcome:
    (scenario,) = (scenario for scenario in SCENARIOS if scenario.name == name)
    return judge(scenario, seed=seed, days=days, prometheus=prometheus)


def _place(chosen: Sequence[Scenario], name: str) -> int:
    return [scenario.name for scenario in chosen].index(name)


if __name__ == "__main__":
    sys.exit(main(standalone_mode=False))
