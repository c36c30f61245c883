"""A portal that listens, and a past for it: what the rules of the repository's own specs would have recorded."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import httpx
import uvicorn
from sereno_portal import PortalConfiguration, create_portal
from sereno_portal.catalogue import Catalogue, CatalogueShelf, objectives_of
from sereno_slo.model import Objective
from sereno_slo.plan import series

from support.portal_service import service_history
from support.ports import free_port
from support.prometheus import HistorySample
from support.waiting import wait_for

ROOT = Path(__file__).resolve().parents[2]
END = 1_700_000_000.0
"""The moment at which the tests look."""
DAYS = 2
_STEP = 300
OVERSPENT = ("transactions-api", "availability")
"""It spends its budget within the recorded past, and burns."""
BURNING = ("etl", "delivery")
"""It has budget, and an alert that fires."""
SPARSE = ("fitness-users", "latency")
"""A few of its few calls failed in the last hour: a pace, but no evidence."""
WINDOWS = ("5m", "30m", "1h", "2h", "6h", "1d", "3d", "window")


def at(unix_seconds: float) -> Callable[[], datetime]:
    """A clock that stands still."""
    moment = datetime.fromtimestamp(unix_seconds, UTC)
    return lambda: moment


def catalogue() -> Catalogue:
    """The repository's own."""
    return CatalogueShelf(ROOT, ROOT / "slo" / "specs", ROOT / "sereno.yaml").current()


def history(known: Catalogue) -> Iterator[HistorySample]:
    """Two days of every SLO; `OVERSPENT` falls from 60 % to -20 %, all others stand at 80 %."""
    for service in known.services:
        for slo in objectives_of(service):
            yield from _of(slo)
    for service_name, slo_name in (OVERSPENT, BURNING):
        labels = {"service": service_name, "slo": slo_name, "severity": "critical", "burn": "fast", "long_window": "1h"}
        alert = {"alertname": "SLOErrorBudgetBurn", "alertstate": "firing", **labels}
        yield from (HistorySample("ALERTS", alert, END - 60 * minute, 1) for minute in range(30))
        began = {"alertname": "SLOErrorBudgetBurn", **labels}
        yield from (HistorySample("ALERTS_FOR_STATE", began, END - 60 * minute, END - 1_800) for minute in range(30))
    yield from service_history(END)


def _of(slo: Objective) -> Iterator[HistorySample]:
    labels = {"service": slo.service, "slo": slo.name}
    steps = DAYS * 86_400 // _STEP
    for step in range(steps + 1):
        at = END - _STEP * (steps - step)
        remaining = 0.6 - 0.8 * step / steps if (slo.service, slo.name) == OVERSPENT else 0.8
        error_ratio = (1 - remaining) * slo.error_budget_ratio
        is_sparse = (slo.service, slo.name) == SPARSE
        for name, value in (
            (series.BUDGET_REMAINING, remaining),
            (series.OBJECTIVE, slo.objective_ratio),
            (series.WINDOW, slo.window.seconds),
            (series.COVERAGE, 0.98),
            *(
                (f"sereno:error_ratio:{window}", 0.8 if is_sparse and window == "1h" else error_ratio)
                for window in WINDOWS
            ),
            *((f"sereno:events:{window}", 10_000.0) for window in WINDOWS),
            *(
                (f"sereno:bad_events:{window}", 4.0 if is_sparse and window == "1h" else 10_000.0 * error_ratio)
                for window in WINDOWS
            ),
        ):
            yield HistorySample(name, labels, at, value)
        yield HistorySample(series.INFO, {**labels, "owner": slo.owner, "tier": slo.tier.value}, at, 1)
    for minute in range(180):
        yield HistorySample(series.EVENTS_ENTRY, labels, END - 60 * minute, 600)
        yield HistorySample(series.BAD_EVENTS_ENTRY, labels, END - 60 * minute, 1)
        yield HistorySample(series.COVERAGE_ENTRY, labels, END - 60 * minute, 1)


@contextmanager
def running_portal(configuration: PortalConfiguration) -> Iterator[httpx.Client]:
    """A client of a portal that listens in this process; both are gone afterwards."""
    port = free_port()
    server = uvicorn.Server(
        uvicorn.Config(
            create_portal(configuration), port=port, log_level="warning", access_log=False, proxy_headers=False
        )
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        wait_for(lambda: server.started, what="the portal listens")
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=30) as client:
            yield client
    finally:
        server.should_exit = True
        thread.join(10)
