"""What a scrape answers: whole families of those collectors that work, in the format that was asked for.

Where the process shares its metrics with others (`processes.group`), the answer is the sum over all of them. Custom
collectors are asked in this process alone: their gauges and infos are served as the one that answers sees them; their
counters and histograms can't be, because every process would answer with another count.
"""

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Summary
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from sereno_telemetry.metrics.health import TelemetryHealth, health_of
from sereno_telemetry.processes.group import Group, current_group

_SHARED_KINDS = (Counter, Gauge, Histogram, Summary)
"""What prometheus_client keeps in files, where it does."""

_OWN_OF_EACH_PROCESS = ("process_", "python_gc_")
_COUNTING_TYPES = frozenset({"counter", "histogram", "summary", "gaugehistogram"})
_END = b"# EOF\n"

_logger = logging.getLogger("sereno_telemetry")
_left_out: set[str] = set()


class _One(Collector):
    """One family, as encoders want it."""

    def __init__(self, family: Metric) -> None:
        self._family = family

    def collect(self) -> Iterable[Metric]:
        yield self._family


def scrape(registry: CollectorRegistry, accept: str) -> tuple[bytes, str]:
    """The samples of `registry` in the format that the `Accept` header asks for, and the content type of that.

    Collectors that raise and families that can't be written are left out and counted in
    `sereno_telemetry_errors_total`; all others are served.

    Raises:
        OSError: the processes of the service can't be added up. Figures of this one alone would look like a restart.
    """
    try:
        encoder, content_type = choose_encoder(accept)
    except (TypeError, ValueError):  # a version that is no number
        encoder, content_type = choose_encoder("")
    health, group = health_of(registry), current_group()
    families = registered(registry, health) if group is None else _of_all_processes(group, registry, health)
    return encode(families, encoder, health), content_type


def encode(families: Iterable[Metric], encoder: Callable[[Collector], bytes], health: TelemetryHealth) -> bytes:
    """Families in a format of prometheus_client, without their `_created` samples."""
    pieces, end = [], b""
    for family in families:
        try:
            piece = encoder(_One(without_created(family)))
        except Exception as error:  # noqa: BLE001 - fail open
            health.note(error, doing=f"writing the metric {family.name}")
            continue
        if piece.endswith(_END):
            piece, end = piece[: -len(_END)], _END
        pieces.append(piece)
    return b"".join(pieces) + end


def without_created(family: Metric) -> Metric:
    """A family without one more series for each counter and histogram, which nobody reads."""
    created = f"{family.name}_created"
    lean = Metric(family.name, family.documentation, family.type, family.unit)
    lean.samples = [sample for sample in family.samples if sample.name != created]
    return lean


def registered(registry: CollectorRegistry, health: TelemetryHealth) -> Iterator[Metric]:
    """The families of all collectors of `registry` that work."""
    target = registry.get_target_info()
    if target:
        info = Metric("target", "Target metadata", "info")
        info.add_sample("target_info", target, 1)
        yield info
    for collector in _collectors(registry):
        yield from _collect(collector, health)


def _collectors(registry: CollectorRegistry) -> Sequence[Collector]:
    # registry.collect() is a generator: when one collector raises, those behind it are never asked.
    with registry._lock:  # noqa: SLF001
        return tuple(registry._collector_to_names)  # noqa: SLF001


def _collect(collector: Collector, health: TelemetryHealth) -> Sequence[Metric]:
    try:
        return tuple(collector.collect())
    except Exception as error:  # noqa: BLE001 - fail open
        health.note(error, doing=f"collecting the metrics of {type(collector).__name__}")
        return ()


def _of_all_processes(group: Group, registry: CollectorRegistry, health: TelemetryHealth) -> Iterator[Metric]:
    shared = group.collect(health)
    yield from shared
    names = {family.name for family in shared}
    for collector in _collectors(registry):
        if isinstance(collector, _SHARED_KINDS):
            continue
        for family in _collect(collector, health):
            if family.name in names or family.name.startswith(_OWN_OF_EACH_PROCESS):
                continue
            if family.type in _COUNTING_TYPES:
                _tell_left_out(family.name)
                continue
            names.add(family.name)
            yield family


def _tell_left_out(name: str) -> None:
    if name not in _left_out:
        _left_out.add(name)
        _logger.warning(
            "the %s of a custom collector is left out of /metrics: several processes serve it, and each has a count of "
            "its own; make it a Counter or Histogram of prometheus_client, or a gauge",
            name,
        )
