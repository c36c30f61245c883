"""The exporter `sqs` as the frame knows it."""

import time
from threading import Lock
from typing import TYPE_CHECKING, Any

from sereno_exporters.frame.model import ExporterKind, Part, Parts, Target
from sereno_exporters.frame.trouble import FetchError, Reason
from sereno_exporters.queues.sqs import families
from sereno_exporters.queues.sqs.settings import SqsSettings

if TYPE_CHECKING:
    from sereno_exporters.queues.sqs.fetch import SqsRegion


def _connect(target: Target[SqsSettings]) -> Parts:
    region, settings = _Region(target), target.settings
    parts: list[Part[Any]] = [
        Part("queues", lambda deadline: region.opened().queues(deadline), families.of_queues, settings.reuse)
    ]
    if settings.oldest_age:
        parts.append(
            Part("oldest_age", lambda deadline: region.opened().oldest_ages(deadline), families.of_ages, settings.reuse)
        )
    return Parts(tuple(parts), region.close)


class _Region:
    """The region, once somebody asks: boto3 comes with it. Thread-safe."""

    def __init__(self, target: Target[SqsSettings]) -> None:
        self._target = target
        self._lock = Lock()
        self._region: SqsRegion | None = None

    def opened(self) -> "SqsRegion":
        with self._lock:
            if self._region is None:
                self._region = self._made()
            return self._region

    def _made(self) -> "SqsRegion":
        try:
            from sereno_exporters.queues.sqs.fetch import SqsRegion  # noqa: PLC0415 - boto3 comes with it
        except ImportError as error:
            missing = f"{error.name or 'boto3'} is not installed: pip install 'sereno[aws]'"
            raise FetchError(Reason.CONFIGURATION, missing) from error
        return SqsRegion.of(self._target, time.time)

    def close(self) -> None:
        with self._lock:
            if self._region is not None:
                self._region.close()


KIND = ExporterKind(
    name="sqs",
    summary="Amazon SQS: messages that wait, are in flight or dead, and the age of the oldest",
    settings=SqsSettings,
    connect=_connect,
    families=families.ALL,
)
