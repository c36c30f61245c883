"""A slow fault from its recording to what was told."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from sereno_cli.demo.systems import Fault, System
from sereno_cli.demo.world import World

from benchmarks.simulation import HOUR, MINUTE, Interval, Plan, running_prometheus, write
from benchmarks.stories.continuing import Phase, continued
from benchmarks.stories.judging import Firing, judge, read_rules, scraped_names
from benchmarks.stories.recording import Recording, record
from benchmarks.stories.telling import Notified, told_by_alertmanager

BEFORE, BROKEN, AFTER = 26 * HOUR, 30 * HOUR, 12 * HOUR
"""How long all was well, how long the fault was on, and how long it was off, in simulated time."""

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class SlowStory:
    """What came of one slow fault."""

    system: str
    fault: Fault
    hours_to_alert: float | None
    """From the fault to the expected alert; None: it never fired."""
    hours_to_end: float | None
    """From the cure to its end; None: it fired to the end of the simulated time."""
    others: tuple[Firing, ...]
    """What else fired that people are told."""
    notified: Notified

    @property
    def pages(self) -> tuple[Mapping[str, str], ...]:
        """Pages that were told and aren't the expected alert."""
        return tuple(
            labels
            for labels in self.notified.told
            if labels.get("severity") == "critical" and not self.fault.expects.is_met_by(labels)
        )

    @property
    def is_told(self) -> bool:
        """Whether the expected alert has reached the incident receiver."""
        return any(map(self.fault.expects.is_met_by, self.notified.told))

    def mistakes(self) -> tuple[str, ...]:
        """What isn't as it should be, in words."""
        found = []
        if self.hours_to_alert is None:
            found.append(f"{self.fault.expects} never fired")
        elif not self.is_told:
            found.append(f"{self.fault.expects} fired and wasn't told")
        elif self.hours_to_end is None or not self.notified.all_resolved:
            found.append(f"{self.fault.expects} hasn't ended {AFTER / HOUR:g} h after the cure")
        found += [f"there is another page: {dict(labels)}" for labels in self.pages]
        return tuple(found)


def slow_faults(systems: Iterable[System]) -> tuple[tuple[System, Fault], ...]:
    """Those whose story takes hours."""
    return tuple((system, fault) for system in systems for fault in system.faults if fault.is_slow)


def tell_slow_stories(world: World, faults: Sequence[tuple[System, Fault]], tell: Tell) -> tuple[SlowStory, ...]:
    """Record the faults together, at most one of each system, then judge each system by itself.

    Raises:
        DemoError: a part died, or a fault couldn't be switched.
    """
    groups = {system.name: read_rules(rule_files(world, system)) for system, _ in faults}
    names = frozenset().union(*(scraped_names(each) for each in groups.values()))
    recording = record(world, [fault for _, fault in faults], names, tell)
    return tuple(_story(world, system, fault, recording, tell) for system, fault in faults)


def rule_files(world: World, system: System) -> list[Path]:
    """The rules of its specs, and all that are written by hand."""
    compiled = world.places.compiled / "rules"
    own = [path for spec in system.specs for path in compiled.glob(f"{spec}.*yaml")]
    return own + sorted((world.places.root / "alerting" / "rules" / "handwritten").glob("*.yaml"))


def _story(world: World, system: System, fault: Fault, recording: Recording, tell: Tell) -> SlowStory:
    end = int(time.time()) * 1000 // MINUTE * MINUTE
    cured = end - AFTER
    broken = cured - BROKEN
    phases = (
        Phase(recording.healthy, BEFORE),
        Phase(recording.broken, BROKEN),
        Phase(recording.healthy, AFTER),
    )
    tell(f"{system.name}/{fault.name}: {(BEFORE + BROKEN + AFTER) / HOUR:g} h in simulated time")
    with TemporaryDirectory(prefix="sereno-story-") as folder, running_prometheus(Path(folder)) as server:
        write(server, continued(phases, broken - BEFORE))
        groups = read_rules(rule_files(world, system))
        firings = judge(server, groups, Plan(Interval(broken - BEFORE, end)))
    people = tuple(one for one in firings if one.labels.get("severity") in ("critical", "warning"))
    expected = [one for one in people if fault.expects.is_met_by(one.labels) and one.since >= broken]
    ended = max((one.until for one in expected), default=end)
    return SlowStory(
        system.name,
        fault,
        (min(one.since for one in expected) - broken) / HOUR if expected else None,
        None if ended >= end else (ended - cured) / HOUR,
        tuple(one for one in people if one not in expected),
        told_by_alertmanager(world, people),
    )
