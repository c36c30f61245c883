"""The quotas exporter as the frame knows it."""

import time
from functools import partial

from sereno_exporters.frame.deadline import Deadline
from sereno_exporters.frame.model import ExporterKind, Part, Parts, Target
from sereno_exporters.quotas.families import ALL, Reading, families_of
from sereno_exporters.quotas.readings import Read, reader
from sereno_exporters.quotas.settings import Quota, QuotasSettings


def _connect(target: Target[QuotasSettings]) -> Parts:
    parts, closes = [], []
    for quota in target.settings.quotas:
        read, close = reader(target, quota.usage)
        fetch = partial(_fetch, quota, read)
        parts.append(Part(_part_name(quota), fetch, families_of, target.settings.every))
        closes.append(close)
    return Parts(tuple(parts), lambda: [close() for close in closes])


def _fetch(quota: Quota, read: Read, deadline: Deadline) -> Reading:
    used = read(deadline) * quota.scale
    return Reading(quota, used, time.time())


def _part_name(quota: Quota) -> str:
    return quota.name.replace("-", "_").replace(".", "_")


KIND = ExporterKind(
    name="quotas",
    summary="Managed quotas: used, granted, and whether it lasts until the period's end",
    settings=QuotasSettings,
    connect=_connect,
    families=ALL,
)
