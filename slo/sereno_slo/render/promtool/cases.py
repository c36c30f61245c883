"""One behaviour test as a value: what is fed in, and what must come out."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from sereno_slo.conventions import LONGEST_SUM_OF_MINUTES
from sereno_slo.duration import MINUTE, Duration
from sereno_slo.model import GoodEventsRatio, Latency, ServiceLevelObjective, Settings
from sereno_slo.plan import burn, no_data
from sereno_slo.plan.alert_labels import NOBODY
from sereno_slo.plan.series import Ledger
from sereno_slo.policy import outage_windows
from sereno_slo.promql import Aggregation, Expr, Matcher, MatchOp, Selector
from sereno_slo.render.promtool.rhythm import Rhythm
from sereno_slo.render.promtool.streams import Counted, Feed, Selected, Series, Target

TARGET_NAME = "test:1"
OTHER_TARGET_NAME = "test:2"
# Long before the test's clock begins: such a process is not young.
LONG_AGO_SECONDS = -86_400.0


@dataclass(frozen=True, slots=True)
class Expectation:
    """The value of `expr` at `at`; None means that it has none."""

    at: Duration
    expr: Expr
    value: float | None


@dataclass(frozen=True, slots=True)
class Case:
    """A named test group of promtool, about one SLO or about several that don't read each other's series."""

    slos: tuple[str, ...]
    text: str
    """What is tested."""
    scrape_interval: Duration
    series: Sequence[Series]
    expectations: Sequence[Expectation]
    reads: Sequence[Selector] = ()
    """What the rules read of what services expose."""

    def document(self) -> dict[str, Any]:
        """The group as promtool reads it."""
        return {
            "name": f"{', '.join(self.slos)}: {self.text}",
            "interval": str(self.scrape_interval),
            "input_series": [{"series": str(series.selector), "values": series.text()} for series in self.series],
            "promql_expr_test": [
                {
                    "expr": str(expectation.expr),
                    "eval_time": str(expectation.at),
                    "exp_samples": [] if expectation.value is None else [{"labels": "{}", "value": expectation.value}],
                }
                for expectation in self.expectations
            ],
        }


class Bench:
    """Everything that the cases of one SLO share: its traffic feeder and its questions."""

    def __init__(self, slo: ServiceLevelObjective, selected: Selected, settings: Settings, rhythm: Rhythm) -> None:
        self.slo = slo
        self.settings = settings
        self.feed = Feed(slo, selected, settings)
        self.scrape_interval = rhythm.scrapes
        self.entry = rhythm.evaluations
        self._delay = rhythm.delay(settings.evaluation_delay)
        self._ledger = Ledger.of(slo)

    @property
    def lasting_minutes(self) -> int:
        """Minutes by which `keep_firing_for` delays the end of an alert."""
        kept = self.slo.alerting.keep_firing_for
        return 0 if kept is None else math.ceil(kept / MINUTE)

    @property
    def may_count_good_late(self) -> bool:
        """Whether more good events than events can be seen in a minute: the two are counters of their own."""
        match self.slo.indicator:
            case GoodEventsRatio(total=total, good=good):
                return good.metric != total.metric
            case Latency():
                return True
            case _:
                return False

    def events_a_scrape(self, usual: int) -> int:
        """At least `usual`, and as many as strict objectives and large minimums of bad events need to be judged."""
        events = usual
        alerting, budget = self.slo.alerting, self.slo.error_budget_ratio
        while events * budget < max(usual / 1000, alerting.min_bad_events / 5) or events < alerting.min_bad_events:
            events *= 10
        return events

    def healthy(self, counted: Counted, *, started_seconds: float = LONG_AGO_SECONDS) -> list[Series]:
        """One target that is up all the time and counts this."""
        target = Target(TARGET_NAME, started_seconds, up=(1,) * len(counted.events))
        return [*self.feed.health(target), *self.feed.counters(target, counted)]

    def case(self, name: str, series: Sequence[Series], *expectations: Expectation) -> Case:
        """A case of this SLO; its name tells whose it is."""
        delay, reads, of = self._delay, self.feed.reads(), (f"{self.slo.service}/{self.slo.name}",)
        if delay is None:
            return Case(of, name, self.scrape_interval, series, expectations, reads)
        later = [replace(each, at=each.at + delay.of_results) for each in expectations]
        delayed = [delay.applied(each, self.scrape_interval) for each in series]
        return Case(of, name, delay.step, delayed, later, reads)

    @property
    def delayed_evaluations(self) -> int:
        """How many evaluations see nothing yet where rules look into the past: so many empty roll-ups more."""
        return 0 if self._delay is None else round(self._delay.of_results / self.entry)

    def recorded(self, at: str, name: str, value: float | None) -> Expectation:
        """The recorded series `name` has this value; labels are summed away so that any further label shows, too."""
        return Expectation(Duration.parse(at), Aggregation("sum", self._ledger.series(name)), value)

    def fires(self, at: Duration, *matchers: Matcher, count: int | None, **labels: str) -> Expectation:
        """So many alerts of the whole with these labels are firing; None: none is."""
        of_groups = self.slo.group_by is not None and self.slo.group_by.alert
        return self.alerts(at, *matchers, count=count, **({"grouped_by": ""} if of_groups else {}), **labels)

    def alerts(
        self, at: Duration, *matchers: Matcher, count: int | None, state: str = "firing", **labels: str
    ) -> Expectation:
        """So many alerts of the whole and of groups; a shadow's severity is `info`, and a label what it would be."""
        if self.slo.alerting.shadow and "severity" in labels:
            labels |= {"severity": NOBODY, "shadow": labels["severity"]}
        alerts = Selector("ALERTS", matchers).where(**labels)
        alerts = alerts.where(alertstate=state, service=self.slo.service, slo=self.slo.name)
        return Expectation(at, Aggregation("count", alerts), count)

    def burns(self, at: Duration, *, count: int | None, **labels: str) -> Expectation:
        """So many burn alerts with these labels are firing."""
        return self.fires(at, count=count, alertname=burn.ALERT, **labels)

    def is_quiet(self, at: Duration, *, outages: bool = True) -> Expectation:
        """No tier fires whose windows are right at this file's interval, and no outage does."""
        windows = [tier.long for tier in self.slo.alerting.tiers]
        if self.entry == MINUTE:
            windows = [window for window in windows if window <= LONGEST_SUM_OF_MINUTES]
        if outages:
            windows.append(outage_windows(self.slo.indicator)[0])  # what the alert is labelled by
        judged = Matcher("long_window", MatchOp.REGEX, "|".join(sorted({str(window) for window in windows})))
        return self.fires(at, judged, count=None, alertname=burn.ALERT)

    def lacks_data(self, at: Duration, *, count: int | None, severity: str) -> Expectation:
        """So many alerts about missing data are firing."""
        return self.fires(at, count=count, alertname=no_data.ALERT, severity=severity)
