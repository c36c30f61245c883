"""How requests were answered and how fast, during and before: bursts of refusals speak for callers, slowness for us."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from sereno_backends.prometheus import Point, Sample

from sereno_postmortems.draft.affected_evidence import STANDARD_DEVIATIONS, standard_deviations
from sereno_postmortems.draft.facts import Fact, Measured, NotMeasured, Question, derived, derived2, joined
from sereno_postmortems.draft.metrics_source import Metrics
from sereno_postmortems.draft.queries import counted_within
from sereno_postmortems.draft.request_series import RequestSeries, job_matchers
from sereno_postmortems.draft.windows import MINUTE, Window, Windows

REFUSALS = ("401", "403", "404", "429")
"""What somebody gets who guesses passwords, rights or addresses, or who asks too much."""
CODE_LABELS = ("http_response_status_code", "code", "status_code", "status")
"""By convention, and as others call it."""
QUANTILES = (0.95, 0.99)
MOST_POINTS = 240
"""Of a curve: more than a chart has pixels for tell nothing."""
LATENCY_WINDOW = "5m"


@dataclass(frozen=True, slots=True)
class Answers:
    """How often one status code was answered."""

    code: str
    count: float
    usual_count: float | None
    """None where nothing at all is known of the baseline."""
    minutes: float
    usual_minutes: float

    @property
    def a_minute(self) -> float:
        """In the evidence window."""
        return self.count / self.minutes

    @property
    def usual_a_minute(self) -> float | None:
        """In the baseline window."""
        return None if self.usual_count is None else self.usual_count / self.usual_minutes

    @property
    def is_burst(self) -> bool:
        """Whether there were more than chance explains; what was usual must be known for that."""
        if self.usual_count is None:
            return False
        exposure = self.minutes / self.usual_minutes
        return standard_deviations(self.count, self.usual_count, exposure) > STANDARD_DEVIATIONS


@dataclass(frozen=True, slots=True)
class Compared:
    """A figure in the evidence window, and in the baseline; None where that isn't known."""

    during: float
    usual: float | None


@dataclass(frozen=True, slots=True)
class Curve:
    """One line of a chart."""

    name: str
    points: tuple[Point, ...]


@dataclass(frozen=True, slots=True)
class Resource:
    """The highest value of something that can run out."""

    name: str
    unit: str
    highest: Fact[Compared]


@dataclass(frozen=True, slots=True)
class RequestEvidence:
    """One service's requests."""

    service: str
    answers: Fact[tuple[Answers, ...]]
    """Of the codes that were answered in either window."""
    latency: Mapping[float, Fact[Compared]]
    """Seconds by quantile."""
    resources: tuple[Resource, ...]


def ask_requests(metrics: Metrics, service: str, series: RequestSeries, windows: Windows) -> RequestEvidence:
    """Ask Prometheus about one service."""
    latency = {quantile: _latency(metrics, series, quantile, windows) for quantile in QUANTILES}
    return RequestEvidence(
        service=service,
        answers=_answers(metrics, series, windows),
        latency=latency,
        resources=_resources(metrics, service, job_matchers(series), windows),
    )


def ask_curves(metrics: Metrics, series: RequestSeries, window: Window) -> Fact[tuple[Curve, ...]]:
    """The latency of requests over a window, one curve for each quantile."""
    step = max(MINUTE, -(-window.length // (MOST_POINTS * MINUTE)) * MINUTE)
    curves: list[Curve] = []
    sources: tuple[Question, ...] = ()
    for quantile in QUANTILES:
        expression = f"histogram_quantile({quantile}, sum by (le) (rate({series.buckets()}[{LATENCY_WINDOW}])))"
        answer = metrics.over_time(expression, window, step)
        if isinstance(answer, NotMeasured):
            return answer
        points = tuple(point for one in answer.value for point in one.points if point.is_finite)
        curves.append(Curve(f"p{quantile * 100:.0f}", points))
        sources = joined(sources, answer.sources)
    if not any(curve.points for curve in curves):
        return NotMeasured("no request was measured in the window", sources)
    return Measured(tuple(curves), sources)


def _answers(metrics: Metrics, series: RequestSeries, windows: Windows) -> Fact[tuple[Answers, ...]]:
    during, usual = (
        metrics.samples(
            f"sum by ({', '.join(CODE_LABELS)}) ({counted_within(series.count(), job_matchers(series), window)})",
            window.end,
        )
        for window in (windows.evidence, windows.baseline)
    )
    if isinstance(during, Measured) and not _by_code(during.value):
        return NotMeasured(f"Prometheus counts no answers by status code ({series.histogram})", during.sources)

    def compare(now: tuple[Sample, ...], before: tuple[Sample, ...]) -> tuple[Answers, ...]:
        counts, usual_counts = _by_code(now), _by_code(before)
        return tuple(
            Answers(
                code,
                counts.get(code, 0.0),
                usual_counts.get(code, 0.0) if usual_counts else None,
                windows.evidence.minutes,
                windows.baseline.minutes,
            )
            for code in sorted(counts.keys() | usual_counts.keys())
        )

    return derived2(compare, during, usual)


def _by_code(samples: tuple[Sample, ...]) -> dict[str, float]:
    found: dict[str, float] = {}
    for sample in samples:
        code = next((sample.labels[label] for label in CODE_LABELS if sample.labels.get(label)), None)
        if code is not None:
            found[code] = found.get(code, 0.0) + sample.value
    return found


def _latency(metrics: Metrics, series: RequestSeries, quantile: float, windows: Windows) -> Fact[Compared]:
    def asked(window: Window) -> Fact[float]:
        counted = counted_within(series.buckets(), job_matchers(series), window)
        return metrics.value(f"histogram_quantile({quantile}, sum by (le) ({counted}))", window.end)

    return _compared(asked(windows.evidence), asked(windows.baseline))


def _compared(during: Fact[float], usual: Fact[float]) -> Fact[Compared]:
    if isinstance(usual, NotMeasured):
        return derived(lambda value: Compared(value, None), during)
    return derived2(Compared, during, usual)


_OPEN_FILES = "100 * max(process_open_fds{{{job}}} / process_max_fds{{{job}}})"
_RESOURCES = (
    ("CPU of {service}'s processes", "cores", "sum(rate(process_cpu_seconds_total{{{job}}}[2m]))"),
    ("memory of {service}'s processes", "MB", "sum(process_resident_memory_bytes{{{job}}}) / 1000000"),
    ("requests in progress in {service}", "", "sum(http_server_active_requests{{{job}}})"),
    ("open files of {service}, of those that a process may have", "%", _OPEN_FILES),
)
"""Name, unit, expression: what processes tell of themselves."""


def _resources(metrics: Metrics, service: str, job: str, windows: Windows) -> tuple[Resource, ...]:
    def highest(expression: str) -> Fact[Compared]:
        if not job:
            return NotMeasured(f"the rules of {service} name no job whose CPU, memory and files could be looked at")
        asked = expression.format(job=job)
        return _compared(*(_highest(metrics, asked, window) for window in (windows.evidence, windows.baseline)))

    return tuple(
        Resource(name.format(service=service), unit, highest(expression)) for name, unit, expression in _RESOURCES
    )


def _highest(metrics: Metrics, expression: str, window: Window) -> Fact[float]:
    step = max(MINUTE, -(-window.length // (MOST_POINTS * MINUTE)) * MINUTE)
    length = f"{window.length // timedelta(minutes=1)}m"
    return metrics.value(f"max_over_time(({expression})[{length}:{step // timedelta(minutes=1)}m])", window.end)
