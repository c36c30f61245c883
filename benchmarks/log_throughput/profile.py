"""Where the collector's time goes: cProfile over one `--once` run, by own time."""

import os
import pstats
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.durability.server import Server
from benchmarks.log_throughput.speed import collect_once, prepare

SHOWN = 40


def profile(server: Server, *, lines: int) -> bool:
    """Print the functions that take most; the profiler sees the main thread and slows calls down by half."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "profile"
        prepare(folder, lines)
        output = Path(name) / "output.prof"
        subprocess.run(
            [sys.executable, "-m", "cProfile", "-o", str(output), *collect_once(server, folder)],
            env=os.environ | {"SERENO_ELASTICSEARCH_URL": server.url},
            check=True,
        )
        pstats.Stats(str(output)).sort_stats("tottime").print_stats(SHOWN)
    return True
