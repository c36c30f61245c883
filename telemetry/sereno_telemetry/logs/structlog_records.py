"""structlog's events as records of the standard library, so that both write the same lines in one sequence."""

import logging
import sys
import traceback
from collections.abc import MutableMapping
from typing import Any

from sereno_telemetry.logs.document import BOUND_ATTRIBUTE

_LEVELS = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "msg": logging.INFO,
    "warning": logging.WARNING,
    "warn": logging.WARNING,
    "error": logging.ERROR,
    "err": logging.ERROR,
    "exception": logging.ERROR,
    "critical": logging.CRITICAL,
    "fatal": logging.CRITICAL,
}

_Event = MutableMapping[str, Any]


def configure_structlog() -> None:
    """Send structlog's events through the standard library's loggers: levels, handlers and lines are the same for both.

    `event` becomes the message, bound values and those of `structlog.contextvars` become labels, or ECS fields if they
    have an ECS name (`**{"url.path": …}`); `ecs` and `labels` are as in `extra=`.

    Raises:
        ModuleNotFoundError: structlog isn't installed.
    """
    try:
        import structlog  # noqa: PLC0415 - the service's own, if it uses it
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError("structlog=True needs structlog: pip install structlog") from error

    def if_enabled(logger: "RecordLogger", method: str, event: _Event) -> _Event:
        if not logger.stdlib_logger.isEnabledFor(_LEVELS.get(method, logging.INFO)):
            raise structlog.DropEvent
        return event

    structlog.configure(
        processors=[if_enabled, structlog.contextvars.merge_contextvars, _as_arguments],
        wrapper_class=structlog.make_filtering_bound_logger(logging.NOTSET),
        context_class=dict,
        logger_factory=_logger_factory,
        cache_logger_on_first_use=True,
    )


class RecordLogger:
    """What structlog's bound loggers write to: each event becomes a record of one logger of the standard library."""

    def __init__(self, logger: logging.Logger) -> None:
        self.stdlib_logger = logger

    def write(self, level: int, event: _Event) -> None:
        """Make a record of an event and hand it to the logger."""
        logger = self.stdlib_logger
        message = event.pop("event", "")
        exc_info = _exc_info(event.pop("exc_info", None))
        stack = event.pop("stack_info", None)
        record = logging.getLogRecordFactory()(
            logger.name, level, "structlog", 0, message, (), exc_info, None, _stack() if stack else None
        )
        record.exc_text = event.pop("exception", None)  # of structlog's own format_exc_info
        if event:
            record.__dict__[BOUND_ATTRIBUTE] = event
        logger.handle(record)

    def __getattr__(self, method: str) -> Any:
        level = _LEVELS.get(method)
        if level is None:
            raise AttributeError(method)

        def write(event: _Event) -> None:
            self.write(level, event)

        self.__dict__[method] = write  # found at once from now on
        return write


def _as_arguments(_logger: object, _method: str, event: _Event) -> tuple[tuple[_Event], dict[str, Any]]:
    return (dict(event),), {}


def _logger_factory(*names: object) -> RecordLogger:
    if names:
        return RecordLogger(logging.getLogger(str(names[0])))
    frame = sys._getframe(1)  # noqa: SLF001 - as logging itself finds its caller
    while frame.f_back is not None and frame.f_globals.get("__name__", "").partition(".")[0] == "structlog":
        frame = frame.f_back
    return RecordLogger(logging.getLogger(frame.f_globals.get("__name__", "structlog")))


def _exc_info(given: object) -> Any:
    if isinstance(given, BaseException):
        return type(given), given, given.__traceback__
    if isinstance(given, tuple):
        return given
    found = sys.exc_info() if given else None
    return found if found and found[0] is not None else None


def _stack() -> str:
    return "Stack (most recent call last):\n" + "".join(traceback.format_stack())
