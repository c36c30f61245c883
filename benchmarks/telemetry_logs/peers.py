"""Loggers that write the same record, each as its makers advise, all to a file of their own."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import orjson
from prometheus_client import CollectorRegistry
from sereno_telemetry import ecs_handler
from sereno_telemetry.logs.structlog_records import configure_structlog

Log = Callable[[str, tuple[Any, ...], BaseException | None, Mapping[str, Any]], None]
"""Writes one record: message, arguments, exception, extras."""


@dataclass(frozen=True, slots=True)
class Peer:
    """One way to log."""

    name: str
    ecs: bool
    """Whether its lines are ECS."""
    log: Log


def peers(folder: Path) -> tuple[Peer, ...]:
    """All of them; each opens a file in `folder`.

    Raises:
        ModuleNotFoundError: a peer isn't installed (`pip install ecs-logging structlog python-json-logger`).
    """
    ecs_logging, python_json_logger = import_module("ecs_logging"), import_module("pythonjsonlogger.orjson")
    ours = ecs_handler("shop", path=folder / "sereno", registry=CollectorRegistry())
    fields = ["message", "levelname", "name", "process"]
    python_json = python_json_logger.OrjsonFormatter(
        fields, rename_fields={"levelname": "log.level", "name": "log.logger"}, timestamp=True
    )
    return (
        Peer("sereno, stdlib", ecs=True, log=_stdlib("sereno", ours)),
        Peer("ecs-logging, stdlib", ecs=True, log=_stdlib("ecs", _file(folder / "ecs", ecs_logging.StdlibFormatter()))),
        Peer("python-json-logger, orjson", ecs=False, log=_stdlib("pjl", _file(folder / "pjl", python_json))),
        Peer("floor: orjson, four keys", ecs=False, log=_stdlib("floor", _file(folder / "floor", _Floor()))),
        Peer("sereno, structlog", ecs=True, log=_our_structlog(folder)),
        Peer(
            "ecs-logging, structlog",
            ecs=True,
            log=_structlog(folder / "structlog-ecs", [ecs_logging.StructlogFormatter()]),
        ),
        Peer("structlog's JSON, ECS keys", ecs=True, log=_structlog(folder / "structlog-json", _own_renderer())),
    )


class _Floor(logging.Formatter):
    """What cannot be left out: the message and who says it, by orjson."""

    def format(self, record: logging.LogRecord) -> str:
        return orjson.dumps(
            {
                "@timestamp": record.created,
                "log.level": record.levelname,
                "message": record.getMessage(),
                "log.logger": record.name,
            }
        ).decode()


def _file(path: Path, formatter: logging.Formatter) -> logging.Handler:
    handler = logging.FileHandler(path)
    handler.setFormatter(formatter)
    return handler


def _stdlib(name: str, handler: logging.Handler) -> Log:
    logger = logging.getLogger(f"benchmark.{name}")
    logger.propagate = False
    logger.setLevel(logging.INFO)
    logger.addHandler(handler)

    def log(message: str, arguments: tuple[Any, ...], error: BaseException | None, extra: Mapping[str, Any]) -> None:
        logger.info(message, *arguments, exc_info=error, extra=extra or None)

    return log


def _our_structlog(folder: Path) -> Log:
    import structlog  # noqa: PLC0415

    configure_structlog()
    name = "benchmark.sereno-structlog"
    _stdlib("sereno-structlog", ecs_handler("shop", path=folder / "structlog", registry=CollectorRegistry()))
    return _bound(structlog.get_logger(name).bind())


def _structlog(path: Path, renderers: list[Any]) -> Log:
    import structlog  # noqa: PLC0415

    processors = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.format_exc_info,
        *renderers,
    ]
    logger = structlog.wrap_logger(
        structlog.WriteLogger(path.open("w")),
        processors=processors,
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
    )
    return _bound(logger.bind())


def _own_renderer() -> list[Any]:
    import structlog  # noqa: PLC0415

    return [
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="@timestamp"),
        structlog.processors.EventRenamer("message"),
        lambda _logger, _method, event: {
            **event,
            "log.level": event.pop("level"),
            "ecs.version": "8.17.0",
            "service.name": "shop",
        },
        structlog.processors.JSONRenderer(),
    ]


def _bound(logger: Any) -> Log:
    def log(message: str, arguments: tuple[Any, ...], error: BaseException | None, extra: Mapping[str, Any]) -> None:
        if error is not None:
            logger.info(message, *arguments, exc_info=error, **extra)
        else:
            logger.info(message, *arguments, **extra)

    return log
