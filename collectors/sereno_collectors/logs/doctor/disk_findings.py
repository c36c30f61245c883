"""Disks: when they are too full."""

from collections.abc import Iterator, Mapping
from typing import assert_never

from sereno_backends.logs.elasticsearch_units import size_text as size
from sereno_backends.logs.health.model import DiskForecast, ElasticsearchHealth, SqliteHealth
from sereno_backends.logs.health.watermarks import WatermarkName

from sereno_collectors.logs.doctor.model import Finding, Gravity
from sereno_collectors.logs.doctor.words import days, growth

DAYS_TO_BE_TOLD: Mapping[WatermarkName, float] = {
    WatermarkName.LOW: 3,
    WatermarkName.HIGH: 7,
    WatermarkName.FLOOD_STAGE: 14,
}
"""From how many days on somebody is needed: time to order a disk before indices become read-only."""
URGENT_DAYS = 1

_MORE_ROOM = (
    "keep logs for less time (logs.retention.yaml, then sereno logs lifecycle --apply), delete old indices, or add disk"
)


def disk_findings(health: ElasticsearchHealth) -> Iterator[Finding]:
    """Each node's disk by the watermark that comes first."""
    for disk in health.disks:
        yield _disk_finding(disk)
    if not health.watermarks_enabled:
        yield Finding(
            Gravity.NEEDS_SOMEBODY,
            "disk",
            "the cluster doesn't look at its disks (cluster.routing.allocation.disk.threshold_enabled is false): a "
            "full disk stops the node instead of making indices read-only",
            'PUT _cluster/settings {"persistent": {"cluster.routing.allocation.disk.threshold_enabled": null}}',
        )


def _disk_finding(disk: DiskForecast) -> Finding:
    reached = [f"{_name(name)} watermark {days(when)}" for name, when in disk.days_until.items() if when is not None]
    marks = ", ".join(reached) or "no watermark is reached within a year"
    message = (
        f"node {disk.place}: {marks}; {size(disk.available_bytes)} of {size(disk.total_bytes)} are free; "
        f"{growth(disk.growth)}"
    )
    gravity = min(_gravity(name, when) for name, when in disk.days_until.items())
    return Finding(gravity, "disk", message, _MORE_ROOM if gravity <= Gravity.NEEDS_SOMEBODY else "")


def _gravity(name: WatermarkName, when: float | None) -> Gravity:
    if when is None or when > DAYS_TO_BE_TOLD[name]:
        return Gravity.HEALTHY
    match name:
        case WatermarkName.FLOOD_STAGE:
            return Gravity.BROKEN if when <= URGENT_DAYS else Gravity.NEEDS_SOMEBODY
        case WatermarkName.HIGH | WatermarkName.LOW:
            return Gravity.NEEDS_SOMEBODY
        case _:
            assert_never(name)


def _name(name: WatermarkName) -> str:
    return name.replace("_", "-")


def sqlite_findings(health: SqliteHealth) -> Iterator[Finding]:
    """The file's size, and when its disk is full."""
    when = health.disk.days_until[WatermarkName.FLOOD_STAGE]
    gravity = _gravity(WatermarkName.FLOOD_STAGE, when)
    yield Finding(
        gravity,
        "disk",
        f"{health.disk.place}: full {days(when)}; {size(health.disk.available_bytes)} of "
        f"{size(health.disk.total_bytes)} are free; {growth(health.disk.growth)}",
        "keep logs for less time (logs.retention.yaml, then sereno logs lifecycle --apply), or move the file to a "
        "larger disk"
        if gravity <= Gravity.NEEDS_SOMEBODY
        else "",
    )
    span = (
        ""
        if health.oldest is None or health.newest is None
        else (f", of {health.oldest:%Y-%m-%d %H:%M} to {health.newest:%Y-%m-%d %H:%M} UTC")
    )
    inside = f", of which {size(health.free_inside_bytes)} are free for what comes" if health.free_inside_bytes else ""
    yield Finding(Gravity.HEALTHY, "file", f"{health.documents:,} documents{span}; {size(health.size_bytes)}{inside}")
