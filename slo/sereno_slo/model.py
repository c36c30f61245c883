"""What a spec means, after every mistake has been found: frozen values that planning and rendering read."""

from dataclasses import dataclass, field
from enum import StrEnum

from sereno_slo.calendars import CalendarWindow, Exclusion
from sereno_slo.duration import Duration
from sereno_slo.gate import GateRule
from sereno_slo.promql import Matcher, Selector


@dataclass(frozen=True, slots=True)
class BadEventsRatio:
    """Bad events are counted by series of their own; `total` counts all events."""

    total: Selector
    bad: Selector


@dataclass(frozen=True, slots=True)
class GoodEventsRatio:
    """Good events are counted; what is not good is bad."""

    total: Selector
    good: Selector


@dataclass(frozen=True, slots=True)
class Latency:
    """A classic histogram: events over `threshold_seconds` are bad. `fast` is the bucket of the threshold."""

    total: Selector
    fast: Selector
    metric: str
    """The histogram's name without `_count` and `_bucket`."""
    threshold_seconds: float


@dataclass(frozen=True, slots=True)
class NativeLatency:
    """A native histogram: events over `threshold_seconds` are bad, interpolated within the bucket it falls into."""

    histogram: Selector
    threshold_seconds: float

    @property
    def total(self) -> Selector:
        """The series that carry all events."""
        return self.histogram


@dataclass(frozen=True, slots=True)
class Threshold:
    """Time slices: each minute in which the gauge was seen is one event, bad when any value was out of bounds.

    At least one bound is set; they are in the gauge's own unit.
    """

    gauge: Selector
    minimum: float | None
    maximum: float | None

    @property
    def total(self) -> Selector:
        """The series that carry all events."""
        return self.gauge


@dataclass(frozen=True, slots=True)
class Probe:
    """Time slices of a boolean: each minute in which it was seen is one event, bad when any value was 0."""

    gauge: Selector

    @property
    def total(self) -> Selector:
        """The series that carry all events."""
        return self.gauge


CountedIndicator = BadEventsRatio | GoodEventsRatio | Latency | NativeLatency
"""What happened is counted by the service itself."""
TimeSlices = Threshold | Probe
"""What is judged minute by minute."""
Indicator = CountedIndicator | TimeSlices


@dataclass(frozen=True, slots=True)
class GroupBy:
    """Budgets for every value of some labels as well, for `limit` groups at most."""

    labels: tuple[str, ...]
    limit: int
    alert: bool = False
    """Whether each of these groups alerts on its own, besides the whole."""


class Tier(StrEnum):
    """How much a service matters; chooses the default alerting mode."""

    CRITICAL = "critical"
    STANDARD = "standard"


class AlertingMode(StrEnum):
    """What must be exceeded for an alert: budget really spent, the error ratio of the moment, or either of them."""

    BUDGET = "budget"
    RATIO = "ratio"
    BOTH = "both"


class AlertSeverity(StrEnum):
    """`critical` pages somebody, `warning` makes a ticket."""

    CRITICAL = "critical"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class BurnTier:
    """One pair of windows of the alerting policy: `budget_spent_ratio` of the budget within `long` is too fast."""

    budget_spent_ratio: float
    long: Duration
    short: Duration
    severity: AlertSeverity
    burn: str
    """The label `burn` of the alert: fast or slow."""

    def factor(self, window: Duration) -> float:
        """The burn rate that this tier means: 2 % of 30 d within 1 h is 0.02 * 720 = 14.4.

        Source: Google SRE Workbook, chapter "Alerting on SLOs", section 5 "Multiple burn rate alerts".
        """
        return self.budget_spent_ratio * (window / self.long)


@dataclass(frozen=True, slots=True)
class Alerting:
    """When this objective alerts."""

    mode: AlertingMode
    tiers: tuple[BurnTier, ...]
    min_bad_events: int
    """Fewer bad events than this in the long window are never an alert, whatever their ratio."""
    keep_firing_for: Duration | None
    traffic_drop: AlertSeverity | None = None
    """What a drop of the traffic is; None: nobody watches it (time slices have no traffic)."""
    shadow: bool = False
    """The same rules, but nobody is told: for comparison with what pages today."""


@dataclass(frozen=True, slots=True)
class AlertingDefaults:
    """What `sereno.yaml` says about alerting for all specs; None leaves it to the service's tier."""

    mode: AlertingMode | None = None
    tiers: tuple[BurnTier, ...] | None = None
    min_bad_events: int | None = None
    keep_firing_for: Duration | None = None
    traffic_drop: str | None = None
    """`page`, `ticket` or `none`."""
    shadow: bool | None = None


@dataclass(frozen=True, slots=True, order=True)
class SloReference:
    """An SLO by its name, `postgres/availability`: of this or of another service."""

    service: str
    slo: str

    def __str__(self) -> str:
        return f"{self.service}/{self.slo}"

    @classmethod
    def parse(cls, text: str) -> "SloReference":
        """The reference that a spec writes; its form was checked before."""
        service, _, slo = text.partition("/")
        return cls(service, slo)


@dataclass(frozen=True, slots=True)
class Dependency:
    """`slo` can't hold without `on`."""

    slo: SloReference
    on: SloReference


@dataclass(frozen=True, slots=True, order=True)
class OtherAlert:
    """Alerts that nobody compiled: by their name, and by labels that they have."""

    alert: str
    matchers: tuple[Matcher, ...]

    def __str__(self) -> str:
        return f"{self.alert}{{{', '.join(map(str, self.matchers))}}}"


@dataclass(frozen=True, slots=True)
class Standing:
    """`slo` stands on what `on` tells of: while it pages, that page is no news."""

    slo: SloReference
    on: OtherAlert


@dataclass(frozen=True, slots=True)
class Objective:
    """What is promised, whatever it is measured by."""

    service: str
    name: str
    objective_percent: float
    window: Duration
    """Of a calendar window its nominal length: 30 days for a month."""
    alerting: Alerting
    owner: str
    tier: Tier
    description: str
    """What is measured, in the spec's words; may be empty."""
    impact: str
    """What users feel, in the spec's words; what a page says first. Never empty: a default names service and SLO."""
    calendar: CalendarWindow | None = field(default=None, kw_only=True)
    """None: the window rolls."""
    exclusions: tuple[Exclusion, ...] = field(default=(), kw_only=True)
    formerly: tuple[tuple[str, str], ...] = field(default=(), kw_only=True)
    """Service and name that it had before; what was counted then still counts."""

    @property
    def longest_window(self) -> Duration:
        """How far back the objective's own window may reach."""
        return self.window if self.calendar is None else self.calendar.longest

    @property
    def is_sliced(self) -> bool:
        """Whether its events are minutes."""
        return False

    @property
    def objective_ratio(self) -> float:
        """The objective as a ratio: 0.999 for 99.9 %."""
        return round(self.objective_percent / 100, 12)

    @property
    def error_budget_ratio(self) -> float:
        """The part of the events that may be bad: 0.001 for 99.9 %."""
        return round(1 - self.objective_percent / 100, 12)


@dataclass(frozen=True, slots=True)
class ServiceLevelObjective(Objective):
    """One objective of one service, measured by its own series."""

    indicator: Indicator
    group_by: GroupBy | None = None
    depends_on: tuple[SloReference, ...] = ()
    """What this SLO can't hold without: while one of these pages, this one's burn alerts are inhibited."""
    stands_on: tuple[OtherAlert, ...] = ()
    """Alerts of causes below it: while this SLO pages, their pages are inhibited."""

    @property
    def is_sliced(self) -> bool:
        """Whether its events are minutes."""
        return isinstance(self.indicator, TimeSlices)


@dataclass(frozen=True, slots=True)
class Journey(Objective):
    """An objective of users that pass through several SLOs, perhaps of several services: all steps must hold."""

    steps: tuple[SloReference, ...]
    """At least one; the events of the first are those of the journey."""


@dataclass(frozen=True, slots=True)
class Service:
    """One spec: a service and its objectives, in the spec's order."""

    name: str
    owner: str
    tier: Tier
    slos: tuple[ServiceLevelObjective, ...]
    source: str
    """The spec's path for headers of generated files: the same wherever the compiler is called."""
    path: str = ""
    """The spec's path as it was given, for messages; empty where that is the same."""
    gate: tuple[GateRule, ...] = ()
    """When a deployment is denied; without rules nothing is."""
    journeys: tuple[Journey, ...] = ()

    @property
    def objectives(self) -> tuple[ServiceLevelObjective | Journey, ...]:
        """The SLOs, then the journeys."""
        return (*self.slos, *self.journeys)

    @property
    def objective_names(self) -> tuple[str, ...]:
        """The SLOs', then the journeys'."""
        return tuple(objective.name for objective in self.objectives)

    @property
    def group_labels(self) -> tuple[str, ...]:
        """The labels by which any of the SLOs is grouped, each once."""
        grouped = (slo.group_by for slo in self.slos if slo.group_by)
        return tuple(dict.fromkeys(label for group_by in grouped for label in group_by.labels))

    @property
    def dependencies(self) -> tuple[Dependency, ...]:
        """What the SLOs can't hold without, then what the journeys pass through."""
        of_slos = ((slo.name, on) for slo in self.slos for on in slo.depends_on)
        of_journeys = ((journey.name, step) for journey in self.journeys for step in journey.steps)
        return tuple(Dependency(SloReference(self.name, name), on) for name, on in (*of_slos, *of_journeys))


@dataclass(frozen=True, slots=True)
class Links:
    """Where pages and dashboards lead. Empty strings leave a link out; every base ends without a slash.

    In `logs` pages replace `{service}`, `{slo}`, `{window}` (1h), `{from}` and `{to}` (milliseconds since 1970).
    `incidents` is where `sereno incidents serve` answers. In `trace` Grafana replaces `{trace_id}`.
    """

    runbooks: str = "https://github.com/sereno/sereno/blob/main/runbooks"
    dashboards: str = "http://localhost:3000"
    logs: str = ""
    incidents: str = "http://localhost:19093"
    trace: str = ""


@dataclass(frozen=True, slots=True)
class Operator:
    """What PrometheusRule objects carry, so that a Prometheus of the operator selects them."""

    namespace: str = ""
    """Empty: the one that whoever applies them has chosen."""
    labels: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A service that a spec of another repository describes, as far as its names go."""

    service: str
    path: str
    """Of its spec, as the imports lead there."""
    slos: tuple[str, ...]
    journeys: tuple[str, ...] = ()
    needs: tuple[tuple[str, SloReference], ...] = ()
    """By SLO or journey: what it can't hold without."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The repository's defaults for all specs, from `sereno.yaml`."""

    window: Duration = Duration(30 * 86_400_000)  # noqa: RUF009 - frozen
    owner_label: str = "owner"
    identity_labels: tuple[str, ...] = ("job", "instance")
    """The labels that name a target; `up` carries them."""
    process_start_metric: str | None = "process_start_time_seconds"
    evaluation_delay: Duration | None = None
    """How late samples may arrive: raw series are read this much in the past."""
    links: Links = Links()
    alerting: AlertingDefaults = AlertingDefaults()
    calendar: CalendarWindow | None = None
    """The kind of window of SLOs that name none, where it is no rolling one."""
    gate: tuple[GateRule, ...] = ()
    """The gate of specs that have none."""
    operator: Operator = Operator()
    mimir_namespace: str = "sereno"
    """The ruler's namespaces are called `<this>-<service>`."""
    imports: tuple[str, ...] = ()
    """Specs of other repositories, files or folders, by their way from the folder of the `sereno.yaml`."""
    neighbours: tuple[Neighbour, ...] = ()
    """What the imported specs describe."""
