"""The DORA exporter as the frame knows it."""

from datetime import UTC, datetime

from sereno_exporters.dora import families
from sereno_exporters.dora.settings import DoraSettings
from sereno_exporters.frame.model import ExporterKind, Source, Target


def _connect(target: Target[DoraSettings]) -> Source:
    from sereno_exporters.dora.source import source_of  # noqa: PLC0415 - the store comes with it

    return source_of(target, lambda: datetime.now(UTC))


KIND = ExporterKind(
    name="dora",
    summary="DORA's figures from DevOps events: deployments, lead time, change failures, recovery, rework",
    settings=DoraSettings,
    connect=_connect,
    families=families.ALL,
)
