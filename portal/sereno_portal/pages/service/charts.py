"""A service's pictures: throughput, failures, durations, what fails."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from sereno_backends.prometheus import Columns
from sereno_slo.duration import Duration
from sereno_slo.model import NativeLatency, Service, Settings
from sereno_slo.plan.spenders import breakdown_labels
from sereno_slo.promql import Expr
from sereno_slo.render import queries

from sereno_portal.asking import lines_of
from sereno_portal.charts import Bound, Chart, Hue, Line, on_times, times_of
from sereno_portal.gateway import Gateway, Span
from sereno_portal.pages.service.red import QUANTILES, WORST, CountedSlo, counted_slos

_LEAST_RATE_SECONDS = 300


class Picture(StrEnum):
    """What a service's charts are called in addresses."""

    THROUGHPUT = "throughput"
    FAILED = "failed"
    DURATION = "duration"
    FAILING = "failing"


@dataclass(frozen=True, slots=True)
class Drawing:
    """What all charts are drawn with."""

    gateway: Gateway
    settings: Settings
    span: Span
    say: Callable[[str], str]

    @property
    def window(self) -> Duration:
        """Rates are over five minutes at least, and over a whole step, so that nothing falls between two points."""
        return Duration(max(_LEAST_RATE_SECONDS, int(self.span.step.total_seconds())) * 1000)

    def chart(self, title: str, unit: str, lines: "Lines", bounds: tuple[Bound, ...] = ()) -> Chart:
        """The chart of these lines."""
        times = times_of(self.span)
        drawn = tuple(Line(label, on_times(columns, times)) for label, columns in lines.each)
        empty = self.say("No events were seen")
        return Chart(self.say(title), unit, times, drawn, bounds, empty=empty, minimum=0, trouble=lines.trouble)

    def lines(self, exprs: Mapping[str, Expr]) -> "Lines":
        """The lines of each expression. Raises `NotAnswered`."""
        if not exprs:
            return Lines(())
        answer = lines_of(self.gateway, exprs, self.span)
        named = ((name, columns) for name, several in answer.value.items() for columns in several)
        return Lines(tuple(named), answer.trouble)


@dataclass(frozen=True, slots=True)
class Lines:
    """Lines with their names."""

    each: tuple[tuple[str, Columns], ...]
    trouble: str = ""
    """Why they aren't younger."""


def pictures_of(service: Service) -> tuple[Picture, ...]:
    """The charts that its indicators allow."""
    counted = counted_slos(service)
    possible = {
        Picture.THROUGHPUT: bool(counted),
        Picture.FAILED: any(not isinstance(indicator, queries.AnyLatency) for _, indicator in counted),
        Picture.DURATION: any(isinstance(indicator, queries.AnyLatency) for _, indicator in counted),
        Picture.FAILING: bool(counted),
    }
    return tuple(picture for picture, is_possible in possible.items() if is_possible)


def draw(drawing: Drawing, service: Service, picture: Picture) -> Chart:
    """The chart; without lines where the indicators don't allow it. Raises `NotAnswered`."""
    counted = counted_slos(service)
    match picture:
        case Picture.THROUGHPUT:
            return _throughput(drawing, counted)
        case Picture.FAILED:
            return _failed(drawing, counted)
        case Picture.DURATION:
            return _durations(drawing, counted)
        case Picture.FAILING:
            return _failing(drawing, counted)


def _throughput(drawing: Drawing, counted: Sequence[CountedSlo]) -> Chart:
    """One line for each way of counting; SLOs that count the same share it."""
    totals: dict[Expr, list[str]] = {}
    for slo, indicator in counted:
        totals.setdefault(queries.events_counted("rate", indicator, drawing.window) * 60, []).append(slo.name)
    return drawing.chart("Throughput", "cpm", drawing.lines({", ".join(names): each for each, names in totals.items()}))


def _failed(drawing: Drawing, counted: Sequence[CountedSlo]) -> Chart:
    exprs = {
        slo.name: queries.bad_share(indicator, drawing.window)
        for slo, indicator in counted
        if not isinstance(indicator, queries.AnyLatency)
    }
    return drawing.chart("Failed", "percentunit", drawing.lines(exprs))


def _durations(drawing: Drawing, counted: Sequence[CountedSlo]) -> Chart:
    """Percentiles of each histogram, with the SLOs' thresholds."""
    thresholds: dict[float, str] = {}
    histograms: dict[Expr, tuple[str, queries.AnyLatency]] = {}
    for slo, indicator in counted:
        if isinstance(indicator, queries.AnyLatency):
            thresholds.setdefault(indicator.threshold_seconds, slo.name)
            metric = indicator.histogram.metric if isinstance(indicator, NativeLatency) else indicator.metric
            histograms.setdefault(indicator.total, (metric, indicator))
    exprs = {
        f"{name} {metric} {slo_number}" if len(histograms) > 1 else name: queries.quantile(
            indicator, ratio, drawing.window
        )
        for slo_number, (metric, indicator) in enumerate(histograms.values(), start=1)
        for name, ratio in QUANTILES.items()
    }
    bounds = tuple(Bound(seconds, name, Hue.WARNING) for seconds, name in sorted(thresholds.items()))
    return drawing.chart("Duration", "s", drawing.lines(exprs), bounds)


def _failing(drawing: Drawing, counted: Sequence[CountedSlo]) -> Chart:
    exprs = {
        slo.name: queries.worst(WORST, indicator, "rate", drawing.window, breakdown_labels(indicator, drawing.settings))
        * 60
        for slo, indicator in counted
    }
    # topk chooses anew at every step: over a span there may be many more than ten.
    found = drawing.lines(exprs)
    worst = sorted(found.each, key=lambda each: -sum(filter(math.isfinite, each[1].values)))[:WORST]
    named = tuple((f"{slo}: {' '.join(columns.labels.values())}", columns) for slo, columns in worst)
    return drawing.chart("What fails", "cpm", Lines(named, found.trouble))
