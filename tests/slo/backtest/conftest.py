"""A real Prometheus with four days of a shop's past."""

from collections.abc import Iterator

import pytest
from sereno_slo import Settings, SourceFile, validate_specs
from sereno_slo.model import ServiceLevelObjective

from benchmarks.backtest.past import SPEC, Past, Trouble, series_of
from benchmarks.simulation import DAY, HOUR, MINUTE, Server, running_prometheus, write

PAST = Past(
    4 * DAY,
    raw_series=6,
    targets=2,
    events_a_minute=200,
    troubles=(
        Trouble(50 * HOUR, 14 * HOUR, 0.008, "slow burn"),
        Trouble(30 * HOUR, 20 * MINUTE, 0.95, "outage"),
        Trouble(9 * HOUR, MINUTE, 0.02, "a few failures at once"),
    ),
    restart_before_end_ms=20 * HOUR + 3 * MINUTE,
    stop_before_end_ms=14 * HOUR,
    unreachable_before_end_ms=5 * HOUR + 2 * MINUTE,
)


@pytest.fixture(scope="session")
def slo() -> ServiceLevelObjective:
    """The shop's SLO."""
    (service,) = validate_specs([SourceFile("shop.slo.yaml", SPEC)], Settings()).services
    return service.slos[0]


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """What it scraped; nothing is recorded."""
    with running_prometheus(tmp_path_factory.mktemp("past")) as running:
        write(running, series_of(PAST))
        yield running
