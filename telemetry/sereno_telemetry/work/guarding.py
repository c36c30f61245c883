"""How every hook of this subpackage is held: what it raises is told to the health metrics, never to the application."""

from types import TracebackType

from sereno_telemetry.metrics.health import TelemetryHealth


class guarded:  # noqa: N801 - reads as a statement: `with guarded(health, "…"):`
    """Runs a block of the instrumentation; an exception ends the block, is noted, and goes no further.

    KeyboardInterrupt, SystemExit and cancellations pass: they are the application's, whenever they arrive.
    """

    __slots__ = ("_doing", "_health")

    def __init__(self, health: TelemetryHealth, doing: str) -> None:
        self._health = health
        self._doing = doing

    def __enter__(self) -> None:
        """Begin the block."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool:
        """Keep an exception of the block."""
        if not isinstance(error, Exception):
            return False
        self._health.note(error, doing=self._doing)
        return True
