"""`python -m benchmarks.telemetry_clients`: CPU microseconds that each instrumentation adds to a call."""

import os
import statistics
import subprocess
import sys

from rich.console import Console
from rich.table import Table

from benchmarks.telemetry_clients.calls import BARE, LIBRARIES, VARIANTS, measured

ROUNDS = 5


def main(arguments: list[str]) -> int:
    """Print the table; with a library and a variant, that one figure (the benchmark's own processes)."""
    if arguments:
        library, variant = arguments
        print(measured(library, variant))
        return 0
    # Rounds on the outside: what else the machine does meets every variant alike.
    figures: dict[tuple[str, str], list[float]] = {}
    for _ in range(ROUNDS):
        for library in LIBRARIES:
            for variant in (BARE, *VARIANTS):
                figure = _figure(library, variant)
                if figure is not None:
                    figures.setdefault((library, variant), []).append(figure)
    table = Table("µs of CPU a call within a request", *LIBRARIES, title=f"Median of {ROUNDS} processes each")
    medians = {key: statistics.median(values) for key, values in figures.items()}
    table.add_row(BARE, *(f"{medians[library, BARE]:.1f}" for library in LIBRARIES))
    for variant in VARIANTS:
        table.add_row(variant, *(_added(medians, library, variant) for library in LIBRARIES))
    Console().print(table)
    return 0


def _added(medians: dict[tuple[str, str], float], library: str, variant: str) -> str:
    figure = medians.get((library, variant))
    return "none" if figure is None else f"+{figure - medians[library, BARE]:.1f}"


def _figure(library: str, variant: str) -> float | None:
    command = [sys.executable, "-m", "benchmarks.telemetry_clients", library, variant]
    environment = os.environ | {"OTEL_SEMCONV_STABILITY_OPT_IN": "http,database"}
    printed = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout.strip()
    return None if printed == "None" else float(printed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
