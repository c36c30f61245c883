"""One process of the demo: what it is called, how it is started and where it answers when it is healthy."""

import signal
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Part:
    """One process of the demo."""

    name: str
    arguments: tuple[str, ...]
    healthy: str | tuple[str, ...] | None
    """What answers once it is healthy: http://… answers 200, tcp://host:port listens, a command ends with 0;
    None: nothing is served."""
    environment: Mapping[str, str] = field(default_factory=dict)
    folder: Path | None = None
    """Where it runs; None: where we do."""
    user: str | None = None
    """Whose process it is; None: ours. Only root can start others'."""
    ended_by: signal.Signals = signal.SIGTERM
    """What asks it to end soon."""
