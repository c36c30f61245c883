"""`python -m benchmarks.durability --rounds 50`: ends with 1 when a line was lost or is there twice."""

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

from benchmarks.durability.collector import has_queue
from benchmarks.durability.oracle import Verdict
from benchmarks.durability.plan import random_plan
from benchmarks.durability.rounds import run_round
from benchmarks.durability.server import Server, ServerError, running_server

UNREACHABLE = 3
COLUMNS = "{:>6} {:>8} {:>8} {:>13} {:>5} {:>6}  {}"


def main() -> int:
    """Run the rounds, print a line for each."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.durability", description=__doc__)
    parser.add_argument("--rounds", type=int, default=50, help="how many rounds of about 10 s (default 50)")
    parser.add_argument("--seed", type=int, default=1, help="the first round's seed; the next ones count up")
    arguments = parser.parse_args()
    if not has_queue():
        print("this collector has no --queue: rounds with a small queue run without one")
    print(COLUMNS.format("seed", "emitted", "indexed", "dead-lettered", "lost", "twice", "faults"))
    try:
        with running_server() as server:
            verdicts = [_round(seed, server) for seed in range(arguments.seed, arguments.seed + arguments.rounds)]
    except ServerError as error:
        print(error, file=sys.stderr)
        return UNREACHABLE
    lost, twice = sum(len(verdict.lost) for verdict in verdicts), sum(len(verdict.twice) for verdict in verdicts)
    emitted = sum(verdict.emitted for verdict in verdicts)
    print(f"{len(verdicts)} rounds, {emitted} lines emitted: {lost} lost, {twice} twice")
    return int(bool(lost or twice))


def _round(seed: int, server: Server) -> Verdict:
    plan = random_plan(seed)
    folder = Path(tempfile.mkdtemp(prefix=f"durability-{seed}-"))
    verdict = run_round(plan, server, folder)
    counts = verdict.emitted, verdict.indexed, verdict.dead_lettered, len(verdict.lost), len(verdict.twice)
    print(COLUMNS.format(seed, *counts, plan.named()), flush=True)
    if verdict.good:
        shutil.rmtree(folder)
    else:
        print(
            f"       lost {verdict.lost[:3]}, twice {verdict.twice[:3]}; kept {folder}; again: --seed {seed} --rounds 1"
        )
    return verdict


if __name__ == "__main__":
    sys.exit(main())
