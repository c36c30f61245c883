"""Slow faults of the reference systems in simulated time: `python -m benchmarks.stories [SYSTEM[/FAULT] …]`.

Without names: all of them. It ends with 1 where an expected alert doesn't come, isn't told, doesn't end, or where
something else pages. About eight minutes of real time for a fault of each system together, and half a minute for each.
"""

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from sereno_cli.demo.places import DemoError, find_clone
from sereno_cli.demo.systems import FULL, Fault, System, full_ids, read_system
from sereno_cli.demo.world import running_world

from benchmarks.stories.story import SlowStory, slow_faults, tell_slow_stories


def main(arguments: Sequence[str]) -> int:
    """Tell them; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.stories", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="SYSTEM[/FAULT]", help="which [all]")
    names = parser.parse_args(arguments).names
    root = find_clone(Path.cwd())
    chosen = _chosen(root, names)
    if not chosen:
        known = ", ".join(f"{system.name}/{fault.name}" for system, fault in _all(root))
        parser.error(f"no slow fault is called {' or '.join(names)}; there are: {known or 'none'}")
    begun = time.monotonic()
    stories: list[SlowStory] = []
    with TemporaryDirectory(prefix="sereno-stories-") as state:
        try:
            for together in _rounds(chosen):
                systems = [name for name in full_ids(root) if name.removesuffix(FULL) in {s.name for s, _ in together}]
                with running_world(root, Path(state), print, systems=systems) as world:
                    stories += tell_slow_stories(world, together, print)
        except DemoError as error:
            sys.stderr.write(f"benchmarks.stories: {error}\n")
            return 1
    _show(stories, time.monotonic() - begun)
    return 1 if any(story.mistakes() for story in stories) else 0


def _all(root: Path) -> tuple[tuple[System, Fault], ...]:
    found = [
        read_system(root / "systems" / name.removesuffix(FULL), full=name.endswith(FULL)) for name in full_ids(root)
    ]
    return slow_faults(system for system in found if isinstance(system, System))


def _chosen(root: Path, names: Sequence[str]) -> tuple[tuple[System, Fault], ...]:
    return tuple(
        (system, fault)
        for system, fault in _all(root)
        if not names or system.name in names or f"{system.name}/{fault.name}" in names
    )


def _rounds(chosen: Sequence[tuple[System, Fault]]) -> list[list[tuple[System, Fault]]]:
    """At most one fault of each system at a time."""
    rounds: list[list[tuple[System, Fault]]] = []
    for system, fault in chosen:
        free = next((each for each in rounds if system.name not in {other.name for other, _ in each}), None)
        if free is None:
            rounds.append([(system, fault)])
        else:
            free.append((system, fault))
    return rounds


def _show(stories: Sequence[SlowStory], seconds: float) -> None:
    print(f"\n{'fault':40} {'expected':58} {'fires after':>12} {'ends after':>12}")
    for story in stories:
        after = "never" if story.hours_to_alert is None else f"{story.hours_to_alert:.1f} h"
        ends = "never" if story.hours_to_end is None else f"{story.hours_to_end:.1f} h"
        print(f"{story.system + '/' + story.fault.name:40} {story.fault.expects!s:58} {after:>12} {ends:>12}")
        for one in story.others:
            labels = " ".join(
                f"{name}={one.labels[name]}" for name in ("alertname", "slo", "severity") if name in one.labels
            )
            print(f"  also fired: {labels}")
        for mistake in story.mistakes():
            print(f"  WRONG: {mistake}")
    print(f"\n{len(stories)} slow faults in {seconds:.0f} s")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
