"""`instrument_clients()`: spans and figures for the calls that a service makes to others, in one call."""

import logging
import os
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from opentelemetry import trace
from prometheus_client import REGISTRY, CollectorRegistry

from sereno_telemetry.metrics.health import health_of

if TYPE_CHECKING:
    from sereno_telemetry.clients.libraries import Instrumented

_logger = logging.getLogger("sereno_telemetry")


@dataclass(slots=True)
class _Process:
    """What is instrumented in this process: the libraries' classes are there once."""

    done: "ClientInstrumentation | None" = None


_process = _Process()


@dataclass(frozen=True, slots=True)
class ClientInstrumentation:
    """What `instrument_clients` set up."""

    libraries: tuple[str, ...]
    """Names of the libraries whose calls are measured and traced."""
    registry: CollectorRegistry
    _undo: "tuple[Instrumented, ...]" = field(repr=False)

    def uninstrument(self) -> None:
        """Take everything back, so that calls are as they were before."""
        if _process.done is not self:
            return
        _process.done = None
        for instrumented in reversed(self._undo):
            instrumented.undo()


def instrument_clients(
    *,
    registry: CollectorRegistry | None = None,
    tracer_provider: trace.TracerProvider | None = None,
    libraries: Collection[str] | None = None,
) -> ClientInstrumentation:
    """Measure and trace the calls of the HTTP, database and queue clients of this process; call it once, at start.

    Every call is measured, sampled or not; nothing that fails in here reaches it, and
    `sereno_telemetry_errors_total` counts that. Spans are made by OpenTelemetry's instrumentations, those of SQLAlchemy
    by its own events.

    Args:
        registry: where metrics go; None is prometheus_client's global registry.
        tracer_provider: what makes the spans; None is the process's global provider.
        libraries: names of libraries, as in docs/telemetry.md; None is every one that is installed.

    Raises:
        ValueError: a library is unknown, or the registry has a metric of our name already.
    """
    # Instrumentations load with their first use: importing this package stays cheap.
    from sereno_telemetry.clients.libraries import (  # noqa: PLC0415
        LIBRARIES,
        Instrumented,
        MissingInstrumentation,
        Setting,
    )
    from sereno_telemetry.clients.metrics import client_metrics  # noqa: PLC0415

    known = {library.name for library in LIBRARIES}
    unknown = sorted(set(libraries or ()) - known)
    if unknown:
        raise ValueError(f"instrument_clients() doesn't know {', '.join(unknown)}; it knows {', '.join(sorted(known))}")
    if _process.done is not None:
        _logger.warning("instrument_clients() was called again: calls are measured once, in the first registry")
        return _process.done
    # Without this the spans carry the attributes of before 2023; the metrics are the same either way.
    os.environ.setdefault("OTEL_SEMCONV_STABILITY_OPT_IN", "http,database")
    registry = registry or REGISTRY
    setting = Setting(tracer_provider or trace.get_tracer_provider(), client_metrics(registry), health_of(registry))
    chosen = known if libraries is None else set(libraries)
    outcomes = [library.instrument(setting) for library in LIBRARIES if library.name in chosen]
    _tell_missing([outcome.package for outcome in outcomes if isinstance(outcome, MissingInstrumentation)])
    instrumented = tuple(outcome for outcome in outcomes if isinstance(outcome, Instrumented))
    done = ClientInstrumentation(tuple(each.name for each in instrumented), registry, instrumented)
    _process.done = done
    return done


def _tell_missing(packages: list[str]) -> None:
    if packages:
        # Together with sereno: pip then finds versions of all instrumentations that fit each other.
        _logger.warning(
            "calls of these clients are not measured; this brings what is missing: pip install sereno %s",
            " ".join(f"'{package}>=0.60b0'" for package in packages),
        )
