"""A thread that does one thing again and again, and outlives its failures."""

import logging
import threading
from collections.abc import Callable

LONGEST_PAUSE_SECONDS = 5.0
_FIRST_PAUSE_SECONDS = 0.2

_logger = logging.getLogger(__name__)


class Worker:
    """Calls `step` until it is stopped.

    Args:
        name: of the thread, and in the log.
        step: does one piece of work; how many seconds to pause then, unless woken.
        expected: failures that are told by their message, without a stack: what is outside doesn't answer.
    """

    def __init__(self, name: str, step: Callable[[], float], expected: tuple[type[Exception], ...]) -> None:
        self._name = name
        self._step = step
        self._expected = expected
        self._stopping = threading.Event()
        self._wake = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def wake(self) -> None:
        """There is something to do: end the pause."""
        self._wake.set()

    def stop(self, timeout_seconds: float) -> None:
        """End after the piece of work that is being done, or when the time is over."""
        self._stopping.set()
        self._wake.set()
        self._thread.join(timeout_seconds)

    def _run(self) -> None:
        failures = 0
        while not self._stopping.is_set():
            self._wake.clear()
            try:
                pause_seconds = self._step()
                failures = 0
            except Exception as error:  # noqa: BLE001 - a bug must not end the thread silently: work would pile up
                failures += 1
                self._tell(error)
                pause_seconds = min(LONGEST_PAUSE_SECONDS, _FIRST_PAUSE_SECONDS * 2 ** min(failures, 10))
                self._stopping.wait(pause_seconds)  # whoever wakes it meanwhile can't help
                continue
            self._wake.wait(pause_seconds)

    def _tell(self, error: Exception) -> None:
        expected = isinstance(error, self._expected)
        kind = type(error)
        _logger.error(
            "%s will be tried again: %s",
            self._name,
            str(error).partition("\n")[0],
            exc_info=None if expected else error,
            extra={"ecs": {"error.type": f"{kind.__module__}.{kind.__qualname__}", "error.message": str(error)}},
        )
