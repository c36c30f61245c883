"""What handlers of ECS lines have in common."""

import logging

from sereno_telemetry.logs.ecs import EcsFormatter


class EcsHandler(logging.Handler):
    """A handler whose lines are bytes, with less on the way to them than in the standard library."""

    def __init__(self, formatter: EcsFormatter) -> None:
        super().__init__()
        self._lines = formatter
        self.setFormatter(formatter)

    def handle(self, record: logging.LogRecord) -> bool:
        """As in `logging.Handler`, without its calls for filters where there are none."""
        if self.filters or self.lock is None:
            return bool(super().handle(record))
        with self.lock:
            self.emit(record)
        return True
