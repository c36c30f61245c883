"""How long people wait for the compiler: wall-clock time of whole `sereno` processes, start of Python included.

    .venv/bin/python benchmarks/compile.py [RUNS]

The aim: `sereno --help` under 0.2 s, one spec compiled under 0.5 s, on an idle machine.
"""

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).resolve().parent.parent
SPEC = ROOT / "slo/specs/transactions-api.slo.yaml"
SERENO = Path(sys.executable).with_name("sereno")


def seconds(command: list[str | Path], folder: Path) -> float:
    """How long one run takes."""
    start = time.perf_counter()
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    return time.perf_counter() - start


def main() -> int:
    """Print the table; the first run of each command only warms caches up."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 15
    table = Table("command", "median", "fastest", "slowest", title=f"seconds, {runs} runs each")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        commands: dict[str, list[str | Path]] = {
            "sereno --help": [SERENO, "--help"],
            "sereno schema": [SERENO, "schema"],
            "sereno validate (one spec, three SLOs)": [SERENO, "validate", SPEC],
            "sereno compile (one spec, all new)": [SERENO, "compile", SPEC, "--out", folder / "new"],
            "sereno compile --check (one spec)": [SERENO, "compile", SPEC, "--out", folder / "new", "--check"],
        }
        for title, command in commands.items():
            seconds(command, folder)
            taken = []
            for _ in range(runs):
                if "all new" in title:
                    for written in (path for path in (folder / "new").rglob("*") if path.is_file()):
                        written.unlink()
                taken.append(seconds(command, folder))
            table.add_row(title, *(f"{pick(taken):.2f}" for pick in (statistics.median, min, max)))
    Console().print(table)
    return 0


if __name__ == "__main__":
    sys.exit(main())
