"""Every fault of every system that shows in real time, a system after the other: `make stories [SYSTEM=…]`.

    .venv/bin/python scripts/stories.py [SYSTEM …]

Ends with 1 where a story wasn't observed. A fault is a demo of its own: what one has spent is not in the next.
"""

import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from sereno_cli.demo.systems import FULL, System, full_ids, read_system

ROOT = Path(__file__).resolve().parent.parent


def stories(wanted: Sequence[str]) -> Iterator[tuple[str, str]]:
    """What `--systems` and `--fault` are told."""
    for name in full_ids(ROOT):
        system = read_system(ROOT / "systems" / name.removesuffix(FULL), full=name.endswith(FULL))
        if isinstance(system, System) and (not wanted or system.name in wanted):
            yield from ((name, fault.name) for fault in system.faults if not fault.is_slow)


def main(wanted: Sequence[str]) -> int:
    """Tell them; the exit code."""
    failed = []
    for system, fault in stories(wanted):
        print(f"\n== {system} {fault}", flush=True)
        command = [sys.executable, "-m", "sereno_cli", "demo", "--once", "--systems", system, "--fault", fault]
        if subprocess.run(
            [*command, "--state", str(ROOT / "var" / "story" / system)], cwd=ROOT, check=False
        ).returncode:
            failed.append(f"{system}/{fault}")
    print(f"\nnot as expected: {', '.join(failed)}" if failed else "\nall as expected")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
