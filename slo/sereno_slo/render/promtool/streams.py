"""Invented traffic as promtool's input series: how many events and bad events happened, and how they were counted."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import accumulate
from typing import assert_never

from sereno_slo.model import (
    BadEventsRatio,
    GoodEventsRatio,
    Indicator,
    Latency,
    NativeLatency,
    Probe,
    ServiceLevelObjective,
    Settings,
    Threshold,
    TimeSlices,
)
from sereno_slo.plan.counting import Raw
from sereno_slo.promql import Matcher, MatchOp, Selector
from sereno_slo.render.promtool.labels import Labels, labels_for

Values = Sequence[float | None]
"""One value a sample; None where the scrape brought nothing."""


@dataclass(frozen=True, slots=True)
class Counted:
    """What one target's counters say at each scrape: all events, and the bad ones among them."""

    events: Values
    bad_events: Values

    def later(self, samples: int) -> "Counted":
        """The same, beginning `samples` scrapes later: until then the series don't exist."""
        return Counted((*([None] * samples), *self.events), (*([None] * samples), *self.bad_events))

    def beginning_at(self, events: float, bad_events: float) -> "Counted":
        """The same for counters that had counted this much before."""
        return Counted(_shifted(self.events, events), _shifted(self.bad_events, bad_events))


def steady(samples: int, events: float, bad_events: float = 0) -> Counted:
    """Counters that start at zero and grow evenly from scrape to scrape."""
    return Counted(_growing(samples, events), _growing(samples, bad_events))


def phases(*parts: tuple[int, float, float]) -> Counted:
    """Counters over several phases: (scrapes, events a scrape, bad events a scrape)."""
    grown = [(events, bad) for samples, events, bad in parts for _ in range(samples)]
    return Counted(
        tuple(accumulate((events for events, _ in grown), initial=0)),
        tuple(accumulate((bad for _, bad in grown), initial=0)),
    )


def restarted(counted: Counted, at: int, events: float, bad_events: float) -> Counted:
    """From scrape `at` on the counters have begun anew and stand at these values."""

    def after(values: Values, value: float) -> Values:
        return (*values[:at], *([value] * (len(values) - at)))

    return Counted(after(counted.events, events), after(counted.bad_events, bad_events))


def where_up(counted: Counted, up: Values) -> Counted:
    """What scrapes brought: nothing where they failed or never were."""

    def seen(values: Values) -> Values:
        return tuple(value if is_up else None for value, is_up in zip(values, up, strict=True))

    return Counted(seen(counted.events), seen(counted.bad_events))


def _shifted(values: Values, by: float) -> Values:
    return tuple(None if value is None else value + by for value in values)


def _growing(samples: int, step: float) -> Values:
    return tuple(step * index for index in range(samples + 1))


@dataclass(frozen=True, slots=True)
class Series:
    """One line of `input_series`."""

    selector: Selector
    values: Values
    ends_stale: bool = False
    """Whether a staleness marker follows, as when a target is removed."""

    def text(self) -> str:
        """The values in promtool's notation, runs shortened: `0+10x60`."""
        return " ".join((*(_run(run) for run in _runs(self.values)), *(["stale"] if self.ends_stale else [])))


def _runs(values: Values) -> list[list[float | None]]:
    """Pieces in which the difference from value to value stays the same."""
    runs: list[list[float | None]] = []
    for value in values:
        run = runs[-1] if runs else None
        if run is not None and _continues(run, value):
            run.append(value)
        else:
            runs.append([value])
    return runs


def _continues(run: list[float | None], value: float | None) -> bool:
    last = run[-1]
    if value is None or last is None:
        return value is None and last is None
    # promtool adds the step again and again: only whole numbers stay exact.
    if not (math.isfinite(value) and math.isfinite(last)) or value != int(value) or last != int(last):
        return False
    before = run[-2] if len(run) > 1 else None
    return before is None or value - last == last - before


def _run(run: list[float | None]) -> str:
    first = run[0]
    if first is None:
        return f"_x{len(run)}"
    if len(run) == 1:
        return "NaN" if math.isnan(first) else f"{first:.17g}"
    step = (run[1] or 0) - first
    return f"{first:.17g}{step:+.17g}x{len(run) - 1}"


@dataclass(frozen=True, slots=True)
class Selected:
    """Labels that this SLO's selectors count: as events that are no bad ones, and as bad ones."""

    good: Labels
    bad: Labels


def selected_labels(slo: ServiceLevelObjective) -> Selected | None:
    """Labels for good and bad events; None where none are found for the user's matchers."""
    indicator = slo.indicator
    match indicator:
        case BadEventsRatio(total=total, bad=bad):
            pair = _pair(total, bad)
            return None if pair is None else Selected(good=pair[1], bad=pair[0])
        case GoodEventsRatio(total=total, good=good):
            pair = _pair(total, good)
            return None if pair is None else Selected(good=pair[0], bad=pair[1])
        case (
            Latency(total=selector)
            | NativeLatency(histogram=selector)
            | Threshold(gauge=selector)
            | Probe(gauge=selector)
        ):
            labels = labels_for(selector.matchers)
            return None if labels is None else Selected(labels, labels)
        case _:
            assert_never(indicator)


def _pair(total: Selector, counted: Selector) -> tuple[Labels, Labels] | None:
    """Labels of what `counted` counts, and of the rest of `total`."""
    if total.metric != counted.metric:
        of_counted, rest = labels_for(counted.matchers), labels_for(total.matchers)
    else:
        of_counted = labels_for((*total.matchers, *counted.matchers))
        rest = labels_for(total.matchers, refused=counted.matchers)
    return None if of_counted is None or rest is None else (of_counted, rest)


@dataclass(frozen=True, slots=True)
class Target:
    """One scraped process: its name, and when it started, in seconds of the test's clock."""

    name: str
    started_seconds: float
    up: Values
    series_label: str = ""
    """Tells series of one target apart."""
    labels: Mapping[str, str] = field(default_factory=dict)
    """Labels that the target's counters have besides those that the selectors ask for."""
    restarts: Mapping[int, float] = field(default_factory=dict)
    """From which scrape on the process is another one, and when that started, in seconds of the test's clock."""

    def starts(self) -> Values:
        """What each scrape says of the process's start; nothing where the target isn't scraped at all."""
        started, starts = self.started_seconds, list[float | None]()
        for scrape, up in enumerate(self.up):
            started = self.restarts.get(scrape, started)
            starts.append(started if up else None)
        return tuple(starts)

    def series(self, suffix: str) -> "Target":
        """The same target for other series of it."""
        return replace(self, series_label=suffix)


class Feed:
    """Writes what targets counted as the series that the SLO's selectors read."""

    def __init__(self, slo: ServiceLevelObjective, selected: Selected, settings: Settings) -> None:
        self._slo = slo
        self._selected = selected
        self._settings = settings
        chosen = {**selected.good, **selected.bad}
        free = [label for label in settings.identity_labels if label not in chosen]
        self._telling = free[-1] if free else None

    @property
    def tells_targets_apart(self) -> bool:
        """Whether the selectors leave an identity label free, so that they can read several targets."""
        return self._telling is not None

    @property
    def is_about_up(self) -> bool:
        """Whether the indicator's gauge is `up` itself: then it is written as a gauge, not as a sign of health."""
        return self._slo.indicator.total.metric == "up"

    def reads(self) -> tuple[Selector, ...]:
        """What the rules read of what services expose."""
        counted = self._slo.indicator.total, _counted(self._slo.indicator)
        metrics = ["up", *([self._settings.process_start_metric] if self._settings.process_start_metric else [])]
        raw = Raw(self._settings)
        return (*counted, *(raw.target(selector, metric) for selector in counted for metric in metrics))

    def health(self, target: Target) -> list[Series]:
        """`up` and the start of the process; twice where good and bad events are counted by different jobs."""
        series: list[Series] = []
        for identity in self._identities(target):
            if not self.is_about_up:
                series.append(Series(_exactly("up", identity), target.up))
            if self._settings.process_start_metric is not None:
                series.append(Series(_exactly(self._settings.process_start_metric, identity), target.starts()))
        return series

    def counters(self, target: Target, counted: Counted) -> list[Series]:
        """The counters of one target, in the form of the SLO's indicator."""
        good = self._labels(self._selected.good, target)
        bad = self._labels(self._selected.bad, target)
        rest = tuple(_minus(e, b) for e, b in zip(counted.events, counted.bad_events, strict=True))
        match self._slo.indicator:
            case BadEventsRatio(total=total, bad=bad_selector):
                ours = rest if total.metric == bad_selector.metric else counted.events
                return [
                    Series(_exactly(total.metric, good), ours),
                    Series(_exactly(bad_selector.metric, bad), counted.bad_events),
                ]
            case GoodEventsRatio(total=total, good=good_selector):
                others = counted.bad_events if total.metric == good_selector.metric else counted.events
                return [Series(_exactly(total.metric, bad), others), Series(_exactly(good_selector.metric, good), rest)]
            case Latency(metric=metric, threshold_seconds=threshold):
                bucket = good | {"le": f"{threshold:.15g}"}
                return [
                    Series(_exactly(f"{metric}_count", good), counted.events),
                    Series(_exactly(f"{metric}_bucket", bucket), rest),
                ]
            case Threshold() | Probe():
                values = _judged(self._slo.indicator, counted)
                if self.is_about_up:
                    values = tuple(0 if up == 0 else value for value, up in zip(values, target.up, strict=True))
                return [self.gauge(target, values)]
            case NativeLatency():
                raise AssertionError("promtool 2.42 reads no native histograms (SLO035)")
            case _:
                assert_never(self._slo.indicator)

    def gauge(self, target: Target, values: Values) -> Series:
        """The gauge that time slices are judged by."""
        return Series(_exactly(self._slo.indicator.total.metric, self._labels(self._selected.good, target)), values)

    def _identities(self, target: Target) -> list[dict[str, str]]:
        good, bad = (self._identity(labels, target) for labels in (self._selected.good, self._selected.bad))
        return [good] if good == bad else [good, bad]

    def _identity(self, labels: Labels, target: Target) -> dict[str, str]:
        """The identity of a target whose series have these labels."""
        chosen = {**self._selected.bad, **self._selected.good, **labels}
        if self._telling is not None:
            chosen[self._telling] = target.name
        return {label: chosen.get(label, f"test-{label}") for label in self._settings.identity_labels}

    def _labels(self, labels: Labels, target: Target) -> dict[str, str]:
        told_apart = {"sereno_test": target.series_label} if target.series_label else {}
        return {**labels, **self._identity(labels, target), **told_apart, **target.labels}


def _counted(indicator: Indicator) -> Selector:
    """What tells good from bad events."""
    match indicator:
        case BadEventsRatio(bad=selector) | GoodEventsRatio(good=selector) | Latency(fast=selector):
            return selector
        case NativeLatency() | Threshold() | Probe():
            return indicator.total
        case _:
            assert_never(indicator)


def good_value(indicator: TimeSlices) -> float:
    """A value within the bounds, at a bound where there is one: bounds themselves are good."""
    match indicator:
        case Probe():
            return 1
        case Threshold(minimum=minimum, maximum=maximum):
            return maximum if maximum is not None else minimum if minimum is not None else 0
        case _:
            assert_never(indicator)


def bad_values(indicator: TimeSlices) -> tuple[float, ...]:
    """A value beyond each bound."""
    match indicator:
        case Probe():
            return (0,)
        case Threshold(minimum=minimum, maximum=maximum):
            above = () if maximum is None else (maximum + max(1, abs(maximum)),)
            below = () if minimum is None else (minimum - max(1, abs(minimum)),)
            return (*above, *below)
        case _:
            assert_never(indicator)


def _judged(indicator: TimeSlices, counted: Counted) -> Values:
    """A gauge that is bad at every scrape in which the count of bad events has grown."""
    good, bad = good_value(indicator), bad_values(indicator)[0]
    before = (0.0, *counted.bad_events[:-1])
    return tuple(
        None if now is None else bad if last is not None and now > last else good
        for now, last in zip(counted.bad_events, before, strict=True)
    )


def _minus(events: float | None, bad_events: float | None) -> float | None:
    return None if events is None or bad_events is None else events - bad_events


def _exactly(metric: str, labels: Mapping[str, str]) -> Selector:
    return Selector(metric, tuple(Matcher(name, MatchOp.EQUAL, labels[name]) for name in sorted(labels)))
