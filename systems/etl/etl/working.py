"""The thread in which a stage works, and what it does when a server is gone."""

import logging
import threading
from collections.abc import Callable

from reference_system.program import Unavailable

_FIRST_PAUSE_SECONDS = 0.5
_LONGEST_PAUSE_SECONDS = 5.0

_logger = logging.getLogger(__name__)


class Worker:
    """Does one turn after the other in a thread of its own.

    A turn that raises `Unavailable` is logged and done again after a pause, twice as long each time up to five
    seconds. A bug is logged with its stack, and doesn't end the thread either: the stage would stand silently.

    Args:
        name: of the stage.
        turn: one piece of work; is given what tells it to stop, and says how many seconds to wait for the next.
    """

    def __init__(self, name: str, turn: Callable[[threading.Event], float]) -> None:
        self._name = name
        self._turn = turn
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self, timeout_seconds: float) -> bool:
        """Tell it to stop, and wait; whether it has stopped."""
        self._stopping.set()
        self._thread.join(timeout_seconds)
        return not self._thread.is_alive()

    def _run(self) -> None:
        failures, pause_seconds = 0, 0.0
        while not self._stopping.wait(pause_seconds):
            try:
                pause_seconds = self._turn(self._stopping)
                failures = 0
            except Exception as error:  # noqa: BLE001 - see above
                pause_seconds = min(_LONGEST_PAUSE_SECONDS, _FIRST_PAUSE_SECONDS * 2**failures)
                failures = min(failures + 1, 10)
                self._told(error)

    def _told(self, error: Exception) -> None:
        kind = type(error)
        expected = isinstance(error, Unavailable)
        _logger.error(
            "%s has to wait: %s" if expected else "%s failed: %s",
            self._name,
            error,
            exc_info=None if expected else error,
            extra={"ecs": {"error.type": f"{kind.__module__}.{kind.__qualname__}", "error.message": str(error)}},
        )
