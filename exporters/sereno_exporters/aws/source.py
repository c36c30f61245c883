"""A target as its parts: one for each service, and one that tells what was asked for."""

import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial

from sereno_exporters.aws import catalogue, families
from sereno_exporters.aws.catalogue import Service
from sereno_exporters.aws.cloudwatch import MOST_QUERIES, CloudWatch, Datapoints
from sereno_exporters.aws.login import Clients
from sereno_exporters.aws.reading import age_of, first_minute_of_gauges, gauge_of, reads_of
from sereno_exporters.aws.settings import AuroraInstances, AwsSettings, Resources
from sereno_exporters.aws.snapshot import Reading, Series, ServiceSnapshot
from sereno_exporters.aws.state import DayLimits, State
from sereno_exporters.aws.tally import Patience, Span, Tally, begun, counted, remembered
from sereno_exporters.aws.transport import Transport
from sereno_exporters.frame.deadline import Deadline
from sereno_exporters.frame.model import Part, Parts, Target

Clock = Callable[[], float]

_SLACK_SECONDS = 1.0
"""A scrape a minute comes a little sooner than a minute after the last at times."""
_DISCOVERY_SECONDS = 3_600.0


def source_of(target: Target[AwsSettings], clock: Clock = time.time) -> Parts:
    """All parts that the settings name.

    Args:
        target: as configured.
        clock: seconds since the epoch.
    """
    settings = target.settings
    transport = Transport(trust_env=settings.endpoint_url is None)
    state = State(target.file(settings.state_file), f"{target.name}@{settings.region}")
    limits = DayLimits(settings.budget.calls_a_day, settings.budget.metrics_a_day)
    cloudwatch = CloudWatch(Clients(target, transport), transport, state, limits, clock)
    patience = Patience(settings.delay, settings.convergence)
    services = (
        Part(
            service.name,
            ServiceReader(service, wanted, cloudwatch, state, patience=patience, clock=clock).fetch,
            families.of_service,
            settings.interval - _SLACK_SECONDS,
        )
        for service, wanted in _services(settings)
    )

    def spent(deadline: Deadline) -> object:
        return state.spent(limits, clock(), deadline)

    return Parts((*services, Part("calls", spent, families.of_spent, asks_target=False)), transport.close)


def _services(settings: AwsSettings) -> Iterator[tuple[Service, Resources]]:
    if (functions := settings.lambda_functions) is not None:
        yield catalogue.LAMBDA_WITH_INSIGHTS if functions.insights else catalogue.LAMBDA, functions
    if settings.sns_topics is not None:
        yield catalogue.SNS, settings.sns_topics
    if settings.aurora_instances is not None:
        yield catalogue.AURORA, settings.aurora_instances


class ServiceReader:
    """Reads one service; never twice at the same time."""

    def __init__(
        self,
        service: Service,
        wanted: Resources,
        cloudwatch: CloudWatch,
        state: State,
        *,
        patience: Patience,
        clock: Clock,
    ) -> None:
        self._service = service
        self._wanted = wanted
        self._cloudwatch = cloudwatch
        self._state = state
        self._patience = patience
        self._clock = clock
        self._found: tuple[float, tuple[str, ...]] | None = None

    def fetch(self, deadline: Deadline) -> ServiceSnapshot:
        """All series of the service; what was counted on the way to a failure is kept for the next time."""
        now = self._clock()  # before anything is asked: a minute may be settled by its age at this moment only
        names, left_out = self._resources(now, deadline)
        series = [Series(metric, name) for metric in self._service.metrics for name in names]
        counters = [each for each in series if each.metric.counts]
        tallies = self._state.tallies(counters, partial(self._begun, now), deadline)
        begin = {
            each: tallies[each].settled_until if each in tallies else first_minute_of_gauges(now) for each in series
        }
        gauges: dict[Series, dict[int, float]] = {}
        for read in reads_of(begin, now, MOST_QUERIES):
            found = self._cloudwatch.datapoints(read.series, read.span, deadline)
            read_counters = [each for each in read.series if each.metric.counts]
            tallies |= self._state.tallies(read_counters, partial(self._counted, now, read.span, found), deadline)
            gauges |= {each: minutes for each, minutes in found.items() if not each.metric.counts}
        return ServiceSnapshot(
            self._service.name,
            tuple(_reading(each, tallies.get(each), gauges.get(each, {}), now) for each in series),
            sum(tally.lost_minutes for tally in tallies.values()),
            len(names),
            left_out,
            self._wanted.connections_limits if isinstance(self._wanted, AuroraInstances) else {},
        )

    def _begun(self, now: float, _: Series, tally: Tally | None) -> Tally:
        return remembered(tally, now) if tally is not None else begun(now, self._patience)

    def _counted(self, now: float, read: Span, found: Datapoints, series: Series, tally: Tally | None) -> Tally:
        return counted(tally or begun(now, self._patience), found[series], read, now, self._patience)

    def _resources(self, now: float, deadline: Deadline) -> tuple[Sequence[str], int]:
        """Those that are named and those that are found, and how many are left out."""
        if self._wanted.discover is None:
            return self._wanted.names, 0
        if self._found is None or not 0 <= now - self._found[0] < _DISCOVERY_SECONDS:
            by = Series(self._service.found_by, "")
            self._found = now, self._cloudwatch.resources(by, deadline)
        others = [name for name in self._found[1] if name not in self._wanted.names]
        most = self._wanted.discover.most
        return (*self._wanted.names, *others[:most]), len(others[most:])


def _reading(series: Series, tally: Tally | None, minutes: dict[int, float], now: float) -> Reading:
    if tally is not None:
        return Reading(series, tally.total, age_of(tally.newest, now))
    value, minute = gauge_of(minutes, now)
    return Reading(series, value, age_of(minute, now))
