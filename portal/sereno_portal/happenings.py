"""What charts mark besides their lines: deployments, alerts that fired, time that doesn't count."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from sereno_backends.prometheus import Columns
from sereno_slo.calendars import Exclusion
from sereno_slo.duration import Duration
from sereno_slo.model import AlertSeverity, Objective
from sereno_slo.plan import series
from sereno_slo.plan.burn import ALERT
from sereno_slo.promql import Aggregation, Call, Selector

from sereno_portal.charts import Hue, Mark
from sereno_portal.gateway import Answer, Gateway, Span

_MOST_DEPLOYMENTS = 20
_MOST_STRETCHES = 5
_HOUR_SECONDS = 3600
_AHEAD_SECONDS = 14 * 86_400


@dataclass(frozen=True, slots=True)
class Deployment:
    """A deployment to production."""

    at: datetime
    version: str
    """The version, or else the beginning of the commit; may be empty."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Time that doesn't count."""

    start: datetime
    end: datetime


def deployments(gateway: Gateway, service: str, within: timedelta) -> Answer[tuple[Deployment, ...]]:
    """Those of a service, the latest first; none where nobody records them. Raises `NotAnswered`."""
    selector = Selector(series.DEPLOYED).where(service=service, production="true")
    window = Duration(round(within.total_seconds()) * 1000)
    answer = gateway.instant(Call("last_over_time", (selector.over(window),)))
    found = {
        Deployment(at, sample.labels.get("version") or sample.labels.get("sha", "")[:10])
        for sample in answer.value
        if (at := sample.as_moment) is not None
    }
    latest = sorted(found, key=lambda each: (each.at, each.version), reverse=True)[:_MOST_DEPLOYMENTS]
    return Answer(tuple(latest), answer.at, answer.trouble)


def marks_of(gateway: Gateway, slo: Objective, span: Span) -> tuple[Mark, ...]:
    """Deployments, pages and tickets on the budget, and exclusions within the span. Raises `NotAnswered`."""
    start, end = span.start.timestamp(), span.end.timestamp()
    deployed = deployments(gateway, slo.service, span.end - span.start).value
    return (
        *(Mark(each.at.timestamp(), each.version, Hue.OTHER) for each in deployed if start <= each.at.timestamp()),
        *_alerts(gateway, slo, span),
        *(
            Mark(begin, exclusion.reason, Hue.PLAIN, until)
            for exclusion in slo.exclusions
            for begin, until in _stretches(exclusion, int(start), int(end))[-_MOST_STRETCHES:]
        ),
    )


def _alerts(gateway: Gateway, slo: Objective, span: Span) -> Iterator[Mark]:
    fired = Selector("ALERTS").where(
        alertname=ALERT, alertstate="firing", service=slo.service, slo=slo.name, grouped_by=""
    )
    step = span.step.total_seconds()
    for columns in gateway.range(Aggregation("max", fired, ("severity",)), span).value:
        severity = columns.labels.get("severity")
        if severity in set(AlertSeverity):
            is_page = severity == AlertSeverity.CRITICAL
            for begin, until in _runs(columns, step):
                yield Mark(begin, "page" if is_page else "ticket", Hue.BAD if is_page else Hue.WARNING, until)


def _runs(columns: Columns, step: float) -> Iterator[tuple[float, float]]:
    """Neighbouring points as stretches."""
    moments: Sequence[float] = columns.unix_seconds
    begin = previous = None
    for moment in moments:
        if begin is None or previous is None or moment - previous > step * 1.5:
            if begin is not None and previous is not None:
                yield begin, previous + step
            begin = moment
        previous = moment
    if begin is not None and previous is not None:
        yield begin, previous + step


def excluded_before(exclusion: Exclusion, now: datetime, window: timedelta) -> tuple[Stretch, ...]:
    """The latest stretches within the window, the last one first; one that lasts ends now."""
    now_seconds = int(now.timestamp())
    start = _hour_before(now_seconds - int(window.total_seconds()))
    found = _stretches(exclusion, start, _hour_before(now_seconds) + _HOUR_SECONDS)
    begun = [(begin, min(until, now_seconds)) for begin, until in found if begin < now_seconds]
    return tuple(_stretch(*each) for each in reversed(begun[-_MOST_STRETCHES:]))


def excluded_next(exclusion: Exclusion, now: datetime) -> Stretch | None:
    """The next stretch of the coming two weeks; None where there is none."""
    start = _hour_before(int(now.timestamp()))
    found = _stretches(exclusion, start, start + _AHEAD_SECONDS)
    return next((_stretch(*each) for each in found if each[0] > now.timestamp()), None)


def _stretch(begin: float, until: float) -> Stretch:
    return Stretch(datetime.fromtimestamp(begin, UTC), datetime.fromtimestamp(until, UTC))


def _hour_before(seconds: int) -> int:
    return seconds // _HOUR_SECONDS * _HOUR_SECONDS


@lru_cache(maxsize=256)
def _stretches(exclusion: Exclusion, start: int, end: int) -> tuple[tuple[float, float], ...]:
    """A schedule is walked minute by minute: once an hour is enough."""
    return tuple(exclusion.schedule.between(start, end))
