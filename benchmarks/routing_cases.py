"""How long `sereno alerting test` takes: `python -m benchmarks.routing_cases [--cases N …]`.

Cases of four kinds in equal parts: a page; a ticket that its page inhibits; a ticket beside another SLO's page; one
outside of business hours, at twenty different moments. All are tried on the real Alertmanager that the command
starts, with the configuration of tests/alerting/routing/cases/hours. It ends with 1 where a case doesn't hold, or where
two hundred and more take longer than half a minute for each two hundred. A few seconds.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parent.parent
CONFIGURATION = ROOT / "tests/alerting/routing/cases/hours/alertmanager.yml"
MANY, MOST_SECONDS = 200, 30.0
"""Fewer are mostly the start of Alertmanager."""


def cases(count: int) -> Iterator[dict[str, Any]]:
    """So many, the same labels again and again."""
    page, ticket = ({"severity": severity, "service": "shop", "slo": "calls"} for severity in ("critical", "warning"))
    for number in range(count // 4):
        night = f"2026-11-{number % 20 + 1:02d}T03:00:00+01:00"
        yield {"name": f"page {number}", "labels": page, "receivers": "page"}
        yield {"name": f"ticket {number}", "labels": ticket, "given": [page], "inhibited": True}
        other = [page | {"slo": "other"}]
        yield {"name": f"free {number}", "labels": ticket, "given": other, "receivers": ["record", "mail"]}
        yield {"name": f"night {number}", "labels": ticket, "at": night, "muted": "mail"}


def measured(count: int, folder: Path) -> tuple[float, float, bool]:
    """Seconds by the clock and of the processor, Alertmanager's among them, and whether all cases hold."""
    document = {"version": "sereno/v1", "configuration": str(CONFIGURATION), "cases": list(cases(count))}
    file = folder / f"{count}.yaml"
    file.write_text(yaml.safe_dump(document), encoding="utf-8")
    before, began = os.times(), time.monotonic()
    command = [sys.executable, "-m", "sereno_cli", "alerting", "test", str(file)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=300)
    seconds, after = time.monotonic() - began, os.times()
    print(done.stdout + done.stderr if done.returncode else "", end="", file=sys.stderr)
    processor = after.children_user + after.children_system - before.children_user - before.children_system
    return seconds, processor, done.returncode == 0


def main(arguments: list[str] | None = None) -> int:
    """Print the table; the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, nargs="+", default=[20, 200, 1000], metavar="N")
    counts = parser.parse_args(arguments).cases
    print(f"{'cases':>6}  {'seconds':>8}  {'processor':>9}")
    is_well = True
    with tempfile.TemporaryDirectory() as folder:
        for count in counts:
            seconds, processor, holds = measured(count, Path(folder))
            print(f"{count:6}  {seconds:6.1f} s  {processor:7.1f} s{'' if holds else '  not all hold'}")
            is_well &= holds and (count < MANY or seconds < MOST_SECONDS * count / MANY)
    return 0 if is_well else 1


if __name__ == "__main__":
    sys.exit(main())
