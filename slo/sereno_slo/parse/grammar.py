"""The grammar of `sereno/v1`: what may stand in a spec. What it means is the model's (sereno_slo.model).

Where a value has one of two shapes, a tag in angle brackets tells pydantic which; problems.py drops such tags.
"""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Discriminator, Field, Tag, WithJsonSchema

from sereno_slo.conventions import MIN_BAD_EVENTS
from sereno_slo.parse.times import (
    BeginningText,
    CronText,
    FormerName,
    MomentText,
    RecurringLengthText,
    TimeOfDayText,
    TimezoneName,
)
from sereno_slo.parse.words import (
    AlertMatchers,
    AlertName,
    ConditionText,
    DurationText,
    GroupLabels,
    GroupLimit,
    KeptText,
    MatchersText,
    MetricName,
    Name,
    Objective,
    SelectorText,
    Share,
    SloReferences,
    Text,
    TotalText,
    WindowText,
    mistake,
)


class StrictMapping(BaseModel):
    """A mapping whose keys are all known, and whose values are of their types as they stand."""

    # Validators are built for the two documents that are read, not once more for each of their parts.
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, defer_build=True)


def _version(text: str) -> str:
    if text != "sereno/v1":
        raise mistake("SLO010", f"version {text!r} is not known", "write version: sereno/v1")
    return text


class RatioDocument(StrictMapping):
    """Bad (or good) events among all events: of one metric by labels, or of two metrics."""

    # For editors only; validate.structure says the same in words.
    model_config = ConfigDict(
        json_schema_extra={
            "allOf": [
                {"oneOf": [{"required": ["bad"]}, {"required": ["good"]}]},
                {"oneOf": [{"required": ["metric"]}, {"required": ["total"], "not": {"required": ["match"]}}]},
            ]
        }
    )

    metric: MetricName | None = Field(
        None, description="One counter that counts all events", examples=["http_requests_total"]
    )
    match: MatchersText | None = Field(None, description="Matchers of all events", examples=['job="checkout"'])
    total: TotalText | None = Field(
        None,
        description="Selector of all events, where two metrics are used",
        examples=['published_total{job="checkout"}'],
    )
    bad: SelectorText | None = Field(None, description="Matchers (or, with `total`, a selector) of bad events")
    good: SelectorText | None = Field(None, description="Matchers (or, with `total`, a selector) of good events")


class LatencyDocument(StrictMapping):
    """Events slower than the threshold are bad; from a histogram."""

    metric: MetricName = Field(
        description="The histogram, without _bucket", examples=["http_server_request_duration_seconds"]
    )
    match: MatchersText | None = Field(None, description="Matchers of all events", examples=['job="checkout"'])
    threshold: DurationText = Field(description="Events over this are bad", examples=["300ms"])
    histogram: Literal["classic", "native"] = Field(
        "classic", description="native: one series holds all buckets, and the threshold may lie between bounds"
    )


def _shape_of_bound(value: Any) -> str:
    return "<number>" if isinstance(value, int | float) else "<duration>"


BoundDocument = Annotated[
    Annotated[float, Field(allow_inf_nan=False), Tag("<number>")] | Annotated[DurationText, Tag("<duration>")],
    Discriminator(_shape_of_bound),
]


class ThresholdDocument(StrictMapping):
    """One event a minute, bad when the gauge is out of bounds."""

    # For editors only; validate.structure says the same in words.
    model_config = ConfigDict(json_schema_extra={"anyOf": [{"required": ["max"]}, {"required": ["min"]}]})

    metric: MetricName = Field(description="The gauge", examples=["etl_table_age_seconds"])
    match: MatchersText | None = Field(
        None, description="Matchers of its series", examples=['job="etl", table="orders"']
    )
    max: BoundDocument | None = Field(
        None, description="Above this a minute is bad; a number, or a duration for a gauge in seconds", examples=["15m"]
    )
    min: BoundDocument | None = Field(
        None, description="Below this a minute is bad; a number, or a duration for a gauge in seconds", examples=["15m"]
    )


class ProbeDocument(StrictMapping):
    """One event a minute, bad when the gauge is 0."""

    metric: MetricName = Field(description="The gauge, 1 or 0", examples=["probe_success"])
    match: MatchersText | None = Field(None, description="Matchers of its series", examples=['job="blackbox"'])


class IndicatorDocument(StrictMapping):
    """What is measured: exactly one kind."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1, "maxProperties": 1})

    ratio: RatioDocument | None = None
    latency: LatencyDocument | None = None
    threshold: ThresholdDocument | None = None
    probe: ProbeDocument | None = None


class CalendarWindowDocument(StrictMapping):
    """A window that begins with a calendar month, quarter or week."""

    calendar: Literal["month", "quarter", "week"] = Field(examples=["month"])
    timezone: TimezoneName = Field("UTC", examples=["America/Bogota"])


def _shape_of_window(value: Any) -> str:
    return "<calendar>" if isinstance(value, dict | CalendarWindowDocument) else "<rolling>"


WindowDocument = Annotated[
    Annotated[WindowText, Tag("<rolling>")] | Annotated[CalendarWindowDocument, Tag("<calendar>")],
    Discriminator(_shape_of_window),
]


class TierDocument(StrictMapping):
    """Alert when this share of the budget is spent within `long`, and still within `short`."""

    budget: Share = Field(examples=["2%"])
    long: DurationText = Field(examples=["1h"])
    short: DurationText = Field(examples=["5m"])
    severity: Literal["critical", "warning"] = Field(examples=["critical"])


class AlertingDocument(StrictMapping):
    """When the objective alerts."""

    mode: Literal["budget", "ratio", "both"] | None = Field(
        None, description="budget: on budget really spent; ratio: on error ratios; both: either (default when critical)"
    )
    min_bad_events: int | None = Field(
        None,
        ge=1,
        le=1_000_000,
        description=f"Fewer bad events than this in the long window never alert (default {MIN_BAD_EVENTS})",
        examples=[10],
    )
    traffic_drop: Literal["page", "ticket", "none"] | None = Field(
        None,
        description="Traffic far below the same hour of past weeks (default: page when critical, else none)",
        examples=["ticket"],
    )
    keep_firing_for: KeptText | None = Field(None, description="An alert that ends goes on so long", examples=["10m"])
    shadow: bool | None = Field(None, description="Evaluate and record, but tell nobody", examples=[True])
    tiers: list[TierDocument] | None = Field(
        None,
        min_length=1,
        description="The policy: alert on this share of the budget within this time (default: the SRE Workbook's)",
        examples=[["{budget: 2%, long: 1h, short: 5m, severity: critical}"]],
    )


class GroupByDocument(StrictMapping):
    """Budgets for each value of these labels as well."""

    labels: GroupLabels = Field(description="Labels of the events", examples=[["http_route"]])
    limit: GroupLimit = Field(50, description="Further groups are left out, and counted", examples=[20])
    alert: bool = Field(default=False, description="Alert for each group, too")


class StandsOnDocument(StrictMapping):
    """An alert of a cause below the SLO, such as a server that is gone."""

    alert: AlertName = Field(description="The alert's name", examples=["PostgreSQLDown"])
    match: AlertMatchers = Field(description="Labels that it has", examples=['system="shop"'])


def _named_once(causes: list[StandsOnDocument]) -> list[StandsOnDocument]:
    repeated = next((cause for index, cause in enumerate(causes) if cause in causes[:index]), None)
    if repeated is not None:
        raise mistake("SLO076", f"{repeated.alert} stands twice with these labels", "write each alert once")
    return causes


class SloDocument(StrictMapping):
    """One objective."""

    name: Name = Field(examples=["availability"])
    objective: Objective = Field(description="Percent of events that must be good", examples=[99.9])
    window: WindowDocument | None = Field(None, description="Default: that of sereno.yaml, else 30d", examples=["30d"])
    description: str = Field("", description="What is measured")
    impact: str = Field("", description="What users feel; a page says this first", examples=["Customers can't pay"])
    formerly: list[FormerName] = Field(
        [], description="Names that it had before: their history goes on here", examples=[["uptime"]]
    )
    indicator: IndicatorDocument = Field(examples=["{ratio: {metric: …, match: …, bad: …}}"])
    group_by: GroupByDocument | None = None
    depends_on: SloReferences = Field(
        [],
        description="SLOs that this one can't hold without: while they page, its burn alerts are inhibited",
        examples=[["postgres/availability"]],
    )
    stands_on: Annotated[list[StandsOnDocument], AfterValidator(_named_once)] = Field(
        [],
        description="Alerts of causes below it: while this SLO pages, its page tells them, and theirs are inhibited",
        examples=[["{alert: PostgreSQLDown, match: 'system=\"shop\"'}"]],
    )
    alerting: AlertingDocument | None = Field(None, examples=["{mode: both}"])


class WeeklyDocument(StrictMapping):
    """Every week at the same hours, as the clock on the wall shows them; `to` may be on the next day."""

    day: Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"] = Field(
        examples=["sunday"]
    )
    start: BeginningText = Field(alias="from", examples=["02:00"])
    end: TimeOfDayText = Field(alias="to", examples=["03:00"])
    timezone: TimezoneName = Field("UTC", examples=["America/Bogota"])


class OnceDocument(StrictMapping):
    """Between two moments."""

    start: MomentText = Field(alias="from", examples=["2026-11-20T10:00:00Z"])
    end: MomentText = Field(alias="to", examples=["2026-11-20T11:30:00Z"])


class CronDocument(StrictMapping):
    """For some time from every moment that a cron line names, as the clock on the wall shows it."""

    schedule: CronText = Field(description="Minute, hour, day of month, month, day of week", examples=["0 2 * * 0"])
    length: RecurringLengthText = Field(alias="for", examples=["1h"])
    timezone: TimezoneName = Field("UTC", examples=["America/Bogota"])


class ExclusionDocument(StrictMapping):
    """Time that doesn't count, reviewed: exactly one of `once`, `weekly` and `cron`."""

    # For editors only; validate.structure says the same in words.
    model_config = ConfigDict(
        json_schema_extra={"oneOf": [{"required": ["once"]}, {"required": ["weekly"]}, {"required": ["cron"]}]}
    )

    reason: Text = Field(description="Why this time doesn't count", examples=["weekly index rebuild"])
    author: Text = Field(description="Who decided it", examples=["sre-team"])
    slos: list[Name] | None = Field(
        None, min_length=1, description="Of these SLOs only; default: all of the service", examples=[["availability"]]
    )
    weekly: WeeklyDocument | None = None
    once: OnceDocument | None = None
    cron: CronDocument | None = None


class JourneyDocument(StrictMapping):
    """Several SLOs that must all hold."""

    name: Name = Field(examples=["pay"])
    objective: Objective = Field(description="Percent of the users that must get through", examples=[99.5])
    window: WindowDocument | None = Field(None, description="Default: that of sereno.yaml, else 30d", examples=["30d"])
    description: str = Field("", description="What users do")
    impact: str = Field("", description="What users feel; a page says this first", examples=["Customers can't pay"])
    steps: Annotated[SloReferences, Field(min_length=1)] = Field(
        description="SLOs that users pass through; the first one's events are the journey's",
        examples=[["transactions-api/availability", "transactions-api/delivery"]],
    )
    alerting: AlertingDocument | None = Field(None, examples=["{mode: both}"])


class GateDocument(StrictMapping):
    """When a deployment is denied."""

    when: ConditionText = Field(
        description="remaining < P%, burning (outage, fast, slow, page, ticket), coverage < P% or unknown",
        examples=["remaining < 10%"],
    )
    tier: Literal["critical", "standard"] | None = Field(None, description="Only services of this tier")
    slo: Name | None = Field(None, description="Only this SLO of the service", examples=["availability"])
    answer: Literal["deny", "warn"] = Field(examples=["deny"])


# Their files would be a service's of that name.
DASHBOARDS_OF_ALL = {"overview": "the dashboard of all services", "slo": "the dashboard of any SLO"}


def _service(name: str) -> str:
    if name in DASHBOARDS_OF_ALL:
        raise mistake("SLO011", f"{name} is {DASHBOARDS_OF_ALL[name]}", "give the service another name")
    return name


class SpecDocument(StrictMapping):
    """One service and its objectives."""

    version: Annotated[str, AfterValidator(_version), WithJsonSchema({"const": "sereno/v1"})] = Field(
        examples=["sereno/v1"]
    )
    service: Annotated[Name, AfterValidator(_service)] = Field(examples=["checkout-api"])
    owner: Name = Field(description="The team that is paged", examples=["payments"])
    tier: Literal["critical", "standard"] = "standard"
    slos: list[SloDocument] = Field(min_length=1, examples=["a list of objectives"])
    exclusions: list[ExclusionDocument] = []
    journeys: list[JourneyDocument] = []
    gate: list[GateDocument] | None = Field(
        None, description="When a deployment is denied (default: sereno.yaml's; an empty list: never)"
    )
