"""The one call that sends a process's logs to where they are collected."""

import logging
import os
import stat
import sys
from collections.abc import Collection, Mapping
from http import HTTPStatus
from pathlib import Path
from typing import TextIO

from prometheus_client import REGISTRY, CollectorRegistry

from sereno_telemetry.logs.access import ACCESS_LOGGERS, SERVER_LOGGERS, access_of
from sereno_telemetry.logs.channels import DescriptorChannel, descriptor_of, open_channel
from sereno_telemetry.logs.counting import log_metrics
from sereno_telemetry.logs.ecs import EcsFormatter
from sereno_telemetry.logs.files import EcsFileHandler
from sereno_telemetry.logs.masking import Masker, Masking
from sereno_telemetry.logs.streams import EcsStreamHandler, EcsTextHandler
from sereno_telemetry.logs.structlog_records import configure_structlog

DEFAULT_DATASET = "app"


def ecs_handler(
    service: str,
    *,
    path: Path | None = None,
    stream: TextIO | None = None,
    dataset: str = DEFAULT_DATASET,
    node: str | None = None,
    masking: Masking | None = None,
    registry: CollectorRegistry | None = None,
) -> logging.Handler:
    """A handler that writes ECS JSON lines to the file at `path`, else to `stream`, else to stderr.

    It never waits for a reader: a regular file is written at once; where a pipe, socket or terminal takes no more, up
    to 4 MiB of lines wait in memory, and further ones are dropped and counted. Each handler is a source of its own:
    its lines have their own `service.node.name` and are counted from 1.

    Args:
        service: ECS `service.name`.
        path: the file is created with its folders, appended to, and opened anew after rotation.
        stream: anything with `write` and `flush`; one that stands for an open file is written to directly, as UTF-8.
        dataset: ECS `event.dataset`; names the data stream `logs-<dataset>-<namespace>`.
        node: what `service.node.name` begins with; None is the name of the host.
        masking: which secrets and personal data are masked; None is `Masking()`.
        registry: where masked values and lost records are counted; None is prometheus_client's global registry.

    Raises:
        OSError: the file can't be opened.
        ValueError: both `path` and `stream` are given, or the registry has other metrics of our names.
    """
    if path is not None and stream is not None:
        raise ValueError("give path or stream, not both: one process writes one sequence of lines")
    metrics = log_metrics(registry or REGISTRY)
    masker = Masker(masking or Masking(), metrics.masked)
    formatter = EcsFormatter(service=service, dataset=dataset, node=node, masker=masker)
    if path is not None:
        if path.exists() and not stat.S_ISREG(path.stat().st_mode):  # /dev/stdout, a named pipe
            descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
            return EcsStreamHandler(DescriptorChannel(descriptor, never_blocks=True), formatter, metrics)
        return EcsFileHandler(path, formatter, metrics)
    stream = sys.stderr if stream is None else stream
    descriptor_or_none = descriptor_of(stream)
    if descriptor_or_none is None:
        return EcsTextHandler(stream, formatter, metrics)
    return EcsStreamHandler(open_channel(descriptor_or_none), formatter, metrics)


def configure_logging(
    service: str,
    *,
    path: Path | None = None,
    stream: TextIO | None = None,
    level: int | str = logging.INFO,
    dataset: str = DEFAULT_DATASET,
    node: str | None = None,
    quiet_paths: Collection[str] = ("/metrics",),
    masking: Masking | None = None,
    registry: CollectorRegistry | None = None,
    structlog: bool = False,
) -> logging.Handler:
    """Send all logs of this process, the server's access log included, through one `ecs_handler`, and return that.

    The handlers of the root logger and of uvicorn's and gunicorn's loggers are replaced; start uvicorn with
    `log_config=None`, or it puts its own back. Access lines of successful requests to `quiet_paths` are dropped. With
    `structlog`, its events go the same way. The other arguments are those of `ecs_handler`.

    Raises:
        ModuleNotFoundError: `structlog` is wanted and not installed.
        OSError: the file can't be opened; nothing is changed then.
        ValueError: both `path` and `stream` are given, `level` is unknown, or the registry has our names already.
    """
    handler = ecs_handler(
        service, path=path, stream=stream, dataset=dataset, node=node, masking=masking, registry=registry
    )
    root = logging.getLogger()
    root.setLevel(level)
    if structlog:
        configure_structlog()
    root.handlers[:] = [handler]
    for name in SERVER_LOGGERS:
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
    for name in ACCESS_LOGGERS:  # a filter there costs nothing for all other records
        logger = logging.getLogger(name)
        logger.filters[:] = [known for known in logger.filters if not isinstance(known, _QuietAccess)]
        logger.addFilter(_QuietAccess(frozenset(quiet_paths)))
    return handler


def log_deed(logger: logging.Logger, action: str, message: str, labels: Mapping[str, object] | None = None) -> None:
    """Log something that was done to the system, so that timelines of incidents show it.

    The record has `event.kind: event` and `event.action: <action>`; postmortems know `fault_started`, `fault_stopped`
    and `deployment`. It has level info, but is written whatever level the logger is set to.
    """
    record = logger.makeRecord(
        logger.name,
        logging.INFO,
        __file__,
        0,
        message,
        (),
        None,
        extra={"ecs": {"event.kind": "event", "event.action": action}, "labels": dict(labels or {})},
    )
    logger.handle(record)


class _QuietAccess(logging.Filter):
    """Drops access lines of successful requests to the given paths."""

    def __init__(self, paths: frozenset[str]) -> None:
        super().__init__()
        self._paths = paths

    def filter(self, record: logging.LogRecord) -> bool:
        access = access_of(record)
        return access is None or access.path not in self._paths or access.status_code >= HTTPStatus.MULTIPLE_CHOICES
