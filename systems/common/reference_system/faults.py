"""Faults that can be switched on and off while a program runs; each really breaks something."""

import math
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import MappingProxyType

Deed = Callable[[str, str, Mapping[str, object]], None]
"""Writes a log record: action, message, labels."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One number that a fault takes: above `above`, up to `up_to`."""

    name: str
    description: str
    default: float
    above: float
    up_to: float


@dataclass(frozen=True, slots=True)
class FaultKind:
    """A fault that a program can have."""

    name: str
    description: str
    parameters: tuple[Parameter, ...] = ()


@dataclass(frozen=True, slots=True)
class ActiveFault:
    """A fault that is on."""

    settings: Mapping[str, float]
    since: datetime


@dataclass(frozen=True, slots=True)
class WrongParameters:
    """What is wrong with the parameters that were given, one message each."""

    mistakes: tuple[str, ...]


class FaultRefused(Exception):  # noqa: N818 - reads as what happened
    """The fault could not be switched on or off; the message says why."""


@dataclass(frozen=True, slots=True)
class Switch:
    """What has to be done to switch a fault on and off; both raise OSError if it can't be done."""

    on: Callable[[], None]
    off: Callable[[], None]


class Faults:
    """Which faults of `kinds` are on; safe for several threads.

    Each change is told to `deed` as fault_started or fault_stopped, and to `changed` as the fault's name and state.
    """

    def __init__(
        self,
        kinds: Sequence[FaultKind],
        *,
        deed: Deed,
        switches: Mapping[str, Switch] = MappingProxyType({}),
        changed: Callable[[str, bool], None] = lambda _name, _on: None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.kinds = tuple(kinds)
        self._deed = deed
        self._switches = switches
        self._changed = changed
        self._clock = clock
        self._lock = threading.Lock()
        self._active: dict[str, ActiveFault] = {}
        for kind in self.kinds:
            changed(kind.name, False)  # noqa: FBT003 - the gauge's first value

    def active(self, kind: FaultKind) -> ActiveFault | None:
        """The fault's settings if it is on."""
        return self._active.get(kind.name)

    def start(self, kind: FaultKind, settings: Mapping[str, float]) -> ActiveFault:
        """Switch a fault on, or give one that is on other settings; the same settings again change nothing.

        Raises:
            FaultRefused: what it takes could not be done.
        """
        with self._lock:
            before = self._active.get(kind.name)
            if before is not None and before.settings == settings:
                return before
            if before is None:
                self._turn(kind, on=True)
            active = self._active[kind.name] = ActiveFault(MappingProxyType(dict(settings)), self._clock())
            self._changed(kind.name, True)  # noqa: FBT003 - on or off, as the gauge says it
            words = ", ".join(f"{name} {value:g}" for name, value in settings.items())
            self._deed(
                "fault_started",
                f"Fault {kind.name} {'started' if before is None else 'changed'}" + (f": {words}" if words else ""),
                {"fault": kind.name, **{name: f"{value:g}" for name, value in settings.items()}},
            )
            return active

    def stop(self, kind: FaultKind) -> None:
        """Switch a fault off; one that is off stays so.

        Raises:
            FaultRefused: what it takes could not be done; the fault is still on.
        """
        with self._lock:
            if kind.name not in self._active:
                return
            self._turn(kind, on=False)
            seconds = (self._clock() - self._active.pop(kind.name).since).total_seconds()
            self._changed(kind.name, False)  # noqa: FBT003 - on or off, as the gauge says it
            self._deed("fault_stopped", f"Fault {kind.name} stopped after {seconds:.0f} s", {"fault": kind.name})

    def stop_all(self) -> Sequence[str]:
        """Switch everything off, as at the end of the process; what could not be, one message each."""
        refusals = []
        for kind in self.kinds:
            try:
                self.stop(kind)
            except FaultRefused as error:
                refusals.append(str(error))
        return refusals

    def _turn(self, kind: FaultKind, *, on: bool) -> None:
        switch = self._switches.get(kind.name)
        if switch is None:
            return
        try:
            (switch.on if on else switch.off)()
        except OSError as error:
            raise FaultRefused(f"fault {kind.name} can't be switched {'on' if on else 'off'}: {error}") from error


def read_parameters(kind: FaultKind, document: object) -> Mapping[str, float] | WrongParameters:
    """The settings that a JSON document gives a fault, defaults filled in; or everything that is wrong with it."""
    if not isinstance(document, dict):
        return WrongParameters(("the body is no JSON object; write one, or nothing for the defaults",))
    known = {parameter.name: parameter for parameter in kind.parameters}
    names = ", ".join(known) or "none"
    mistakes = [f"{name} is no parameter of {kind.name}; it has: {names}" for name in document if name not in known]
    settings: dict[str, float] = {}
    for parameter in kind.parameters:
        value = document.get(parameter.name, parameter.default)
        if _within(value, parameter):
            settings[parameter.name] = float(value)
        else:
            mistakes.append(
                f"{parameter.name} is {value!r}; write a number above {parameter.above:g}, up to {parameter.up_to:g}"
            )
    return WrongParameters(tuple(mistakes)) if mistakes else settings


def _within(value: object, parameter: Parameter) -> bool:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    return math.isfinite(value) and parameter.above < value <= parameter.up_to


@dataclass(slots=True)
class Share:
    """Picks exactly the given part of a sequence, evenly spread: of ten at ratio 0.6, six."""

    _owed: float = field(default=0.0)

    def takes(self, ratio: float) -> bool:
        """Whether the next one is picked."""
        self._owed += ratio
        if self._owed >= 1.0 - 1e-9:
            self._owed -= 1.0
            return True
        return False
