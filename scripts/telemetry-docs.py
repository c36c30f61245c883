"""Writes docs/telemetry/exported.md from the metrics that the package really registers. `--check` compares instead.

.venv/bin/python scripts/telemetry-docs.py [--check]
"""

import os
import sys
import tempfile
from pathlib import Path

PAGE = Path(__file__).resolve().parents[1] / "docs" / "telemetry" / "exported.md"
HEAD = """\
# What is exported

Written by `scripts/telemetry-docs.py` from what the package registers; do not edit. Labels with a number have at most
so many values: further ones count under `_OVERFLOW`. Histograms have no `_created` series. Beside these there are
`process_*` of prometheus_client, `process_start_time_seconds` everywhere.
"""

EVERYWHERE = "Wherever the package is used"
DECLARED: dict[str, dict[str, int | None]] = {}


def main() -> int:
    """Write or check."""
    page = HEAD + "".join(section(heading, registry) for heading, registry in registries())
    if "--check" not in sys.argv[1:]:
        PAGE.write_text(page)
    elif PAGE.read_text() != page:
        print(f"docs/telemetry/{PAGE.name} is not what the package registers; run `make docs`", file=sys.stderr)
        return 1
    return 0


def registries() -> list[tuple[str, object]]:
    """What each part of the package registers, on a registry of its own."""
    from fastapi import FastAPI  # noqa: PLC0415 - after the environment is set
    from prometheus_client import CollectorRegistry  # noqa: PLC0415
    from sereno_telemetry import (  # noqa: PLC0415
        Consumer,
        Job,
        configure_tracing,
        ecs_handler,
        instrument,
        instrument_clients,
    )
    from sereno_telemetry.metrics.health import health_of  # noqa: PLC0415

    remember_limits()
    parts = {
        EVERYWHERE: CollectorRegistry(),
        "`instrument(app, …, sizes=True, time_to_first_byte=True)`, `measured`": CollectorRegistry(),
        "`instrument_clients()`": CollectorRegistry(),
        "`Consumer(…)`": CollectorRegistry(),
        "`Job(…)`": CollectorRegistry(),
        "`configure_tracing(…)`": CollectorRegistry(),
        "`configure_logging(…)`, `ecs_handler(…)`": CollectorRegistry(),
    }
    own, http, clients, consumer, job, tracing, logs = parts.values()
    health_of(own)
    instrument(FastAPI(), service="docs", registry=http, tracing=False, sizes=True, time_to_first_byte=True)
    configure_tracing("docs", registry=tracing)
    instrument_clients(registry=clients, libraries=["httpx", "redis", "sqlalchemy"])
    Consumer("docs", system="rabbitmq", registry=consumer)
    Job("docs", registry=job)
    with tempfile.TemporaryDirectory() as folder:
        ecs_handler("docs", path=Path(folder) / "docs.log", registry=logs).close()
    return list(parts.items())


def remember_limits() -> None:
    """Have every family tell the limits of its labels, which no metric carries with it."""
    from sereno_telemetry.metrics import families  # noqa: PLC0415

    class Told(families._Limits):  # noqa: SLF001
        def __init__(self, metric: str, labels: families.Labels, registry: object) -> None:
            DECLARED[metric] = dict(labels)
            super().__init__(metric, labels, registry)  # type: ignore[arg-type]

    families._Limits = Told  # type: ignore[misc]  # noqa: SLF001


def section(heading: str, registry: object) -> str:
    """A heading and a table of the families in `registry`."""
    from prometheus_client.metrics import MetricWrapperBase  # noqa: PLC0415

    # Families without children have no samples, and samples alone name their labels: prometheus_client keeps them here.
    families = [one for one in registry._collector_to_names if isinstance(one, MetricWrapperBase)]  # type: ignore[attr-defined]  # noqa: SLF001
    own = {"sereno_telemetry_errors", "sereno_telemetry_overflows"}
    rows = sorted(row(family) for family in families if heading == EVERYWHERE or family._name not in own)  # noqa: SLF001
    return f"\n## {heading}\n\n| metric | type | labels | what it says |\n|---|---|---|---|\n" + "".join(rows)


def row(family: object) -> str:
    """One family as a row of the table."""
    kind, name, labels = family._type, family._name, family._labelnames  # type: ignore[attr-defined]  # noqa: SLF001
    full = f"{name}_total" if kind == "counter" else name
    limits = DECLARED.get(full) or DECLARED.get(name) or {}
    told = [f"`{label}`" + (f" ({limits[label]})" if limits.get(label) else "") for label in labels]
    return f"| `{full}` | {kind} | {', '.join(told)} | {family._documentation} |\n"  # type: ignore[attr-defined]  # noqa: SLF001


if __name__ == "__main__":
    os.environ["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"] = "http://127.0.0.1:9"
    sys.exit(main())
