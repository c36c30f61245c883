"""The exporter `quotas` as the frame knows it."""

import time

from sereno_exporters.frame.model import ExporterKind, Part, Parts, Target
from sereno_exporters.quotas import families
from sereno_exporters.quotas.fetch import QuotaReader
from sereno_exporters.quotas.settings import QuotasSettings


def _connect(target: Target[QuotasSettings]) -> Parts:
    readers = {quota.name: QuotaReader(target, quota, time.time) for quota in target.settings.quotas}

    def close() -> None:
        for reader in readers.values():
            reader.close()

    reuse_seconds = target.settings.reuse
    return Parts(
        tuple(
            Part(f"quota_{name}", reader.usage, families.of_usage, reuse_seconds) for name, reader in readers.items()
        ),
        close,
    )


KIND = ExporterKind(
    name="quotas",
    summary="What plans allow (commands a month, bandwidth, storage, connections): used, limit, and when it runs out",
    settings=QuotasSettings,
    connect=_connect,
    families=families.ALL,
)
