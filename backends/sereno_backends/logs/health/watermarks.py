"""The disk watermarks of Elasticsearch: how much of a disk has to stay free."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sereno_backends.logs.elasticsearch_units import bytes_of

_PREFIX = "cluster.routing.allocation.disk.watermark."
_STANDARD = {"low": "85%", "high": "90%", "flood_stage": "95%"}


class WatermarkName(StrEnum):
    """What happens from where on (Elasticsearch reference, "Disk-based shard allocation")."""

    LOW = "low"
    """No new shards come to the node."""
    HIGH = "high"
    """Shards are moved away."""
    FLOOD_STAGE = "flood_stage"
    """Indices become read-only: logs wait in the collector's queue."""


@dataclass(frozen=True, slots=True)
class Watermark:
    """One watermark as it is set: a share of the disk, or bytes."""

    name: WatermarkName
    free_ratio: float | None
    """Of the disk that has to be free; None where bytes are set."""
    free_bytes: int | None
    """That have to be free; None where a share is set."""
    max_headroom_bytes: int | None = None
    """A share never asks for more than this; None: no limit."""

    def least_free_bytes(self, total_bytes: int) -> int:
        """From how much free space downwards the watermark is exceeded, on a disk of this size.

        Elasticsearch: of a share, `min(total * (1 - share used), max_headroom)`.
        """
        if self.free_ratio is None:
            return self.free_bytes or 0
        wanted = int(total_bytes * self.free_ratio)
        return wanted if self.max_headroom_bytes is None else min(wanted, self.max_headroom_bytes)


def watermarks(settings: Mapping[str, Mapping[str, Any]]) -> tuple[Watermark, ...]:
    """The three watermarks.

    Args:
        settings: the cluster's, flat, with defaults: `transient`, `persistent`, `defaults`.
    """
    return tuple(_watermark(name, settings) for name in WatermarkName)


def is_enabled(settings: Mapping[str, Mapping[str, Any]]) -> bool:
    """Whether the cluster looks at its disks at all."""
    text, _ = _setting(settings, "cluster.routing.allocation.disk.threshold_enabled")
    return text != "false"


def _watermark(name: WatermarkName, settings: Mapping[str, Mapping[str, Any]]) -> Watermark:
    text, where = _setting(settings, f"{_PREFIX}{name}")
    headroom, headroom_where = _setting(settings, f"{_PREFIX}{name}.max_headroom")
    text = text or _STANDARD[name]
    ratio = _used_ratio(text)
    if ratio is None:
        return Watermark(name, None, bytes_of(text))
    # Without a headroom of one's own there is one only where the watermark isn't set either. The server's list of
    # defaults shows it all the same where the watermark stands in elasticsearch.yml.
    is_standard = where in {None, "defaults"} and text == _STANDARD[name]
    is_own_headroom = headroom_where in {"transient", "persistent"}
    limit = bytes_of(headroom) if headroom and (is_standard or is_own_headroom) else None
    return Watermark(name, 1 - ratio, None, limit)


def _used_ratio(text: str) -> float | None:
    """`85%` or `0.85`: the share that may be used; None for bytes."""
    try:
        return float(text[:-1]) / 100 if text.endswith("%") else float(text)
    except ValueError:
        return None


def _setting(settings: Mapping[str, Mapping[str, Any]], key: str) -> tuple[str | None, str | None]:
    """A setting's text and where it stands; transient ones win."""
    for where in ("transient", "persistent", "defaults"):
        if (found := settings.get(where, {}).get(key)) is not None:
            return str(found), where
    return None, None
