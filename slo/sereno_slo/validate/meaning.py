"""The model of a document without errors, and warnings about what it means."""

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import assert_never

from sereno_slo.conventions import HTTP_DURATION_BOUNDS_SECONDS, HTTP_DURATION_METRIC, MIN_BAD_EVENTS, MIN_BAD_MINUTES
from sereno_slo.diagnostics import Diagnostic, Severity, Span, on_one_line
from sereno_slo.duration import Duration
from sereno_slo.model import (
    Alerting,
    AlertingDefaults,
    AlertingMode,
    AlertSeverity,
    BadEventsRatio,
    BurnTier,
    GoodEventsRatio,
    GroupBy,
    Indicator,
    Journey,
    Latency,
    Links,
    NativeLatency,
    Objective,
    Operator,
    OtherAlert,
    Probe,
    Service,
    ServiceLevelObjective,
    Settings,
    SloReference,
    Threshold,
    Tier,
    TimeSlices,
)
from sereno_slo.parse.grammar import (
    AlertingDocument,
    CalendarWindowDocument,
    JourneyDocument,
    LatencyDocument,
    RatioDocument,
    SloDocument,
    SpecDocument,
    ThresholdDocument,
)
from sereno_slo.parse.settings_grammar import OperatorDocument, SettingsDocument
from sereno_slo.parse.yaml_tree import YamlTree
from sereno_slo.policy import WORKBOOK_TIERS, is_feasible, named
from sereno_slo.promql import Matcher, MatchOp, Selector
from sereno_slo.promql.reading import read_matchers, read_selector
from sereno_slo.validate.bounds import bound_value
from sereno_slo.validate.gates import gate_rules, rules_without_subject
from sereno_slo.validate.times import calendar_of, exclusions_of, former_names


def settings_of(document: SettingsDocument | None) -> Settings:
    """The repository's settings; without a document the defaults."""
    if document is None:
        return Settings()
    links = document.links
    default = Links()
    return Settings(
        window=_length(document.window, Settings().window),
        calendar=calendar_of(document.window),
        owner_label=document.owner_label,
        identity_labels=tuple(document.identity_labels),
        process_start_metric=document.process_start_metric,
        evaluation_delay=Duration.parse(document.evaluation_delay) if document.evaluation_delay else None,
        links=default
        if links is None
        else Links(
            runbooks=_base(links.runbooks, default.runbooks),
            dashboards=_base(links.dashboards, default.dashboards),
            logs=_base(links.logs, default.logs),
            incidents=_base(links.incidents, default.incidents),
            trace=links.trace or default.trace,
        ),
        alerting=_defaults(document.alerting) if document.alerting else AlertingDefaults(),
        gate=gate_rules(document.gate),
        operator=_operator(document.operator) if document.operator else Operator(),
        mimir_namespace=document.mimir.namespace if document.mimir else Settings().mimir_namespace,
        imports=tuple(document.imports),
    )


def _operator(document: OperatorDocument) -> Operator:
    return Operator(document.namespace or "", tuple(sorted(document.labels.items())))


def _defaults(document: AlertingDocument) -> AlertingDefaults:
    return AlertingDefaults(
        mode=AlertingMode(document.mode) if document.mode else None,
        tiers=_own_tiers(document),
        min_bad_events=document.min_bad_events,
        keep_firing_for=_kept(document),
        traffic_drop=document.traffic_drop,
        shadow=document.shadow,
    )


def _own_tiers(document: AlertingDocument) -> tuple[BurnTier, ...] | None:
    if document.tiers is None:
        return None
    return named(
        BurnTier(
            budget_spent_ratio=float(tier.budget.removesuffix("%")) / 100,
            long=Duration.parse(tier.long),
            short=Duration.parse(tier.short),
            severity=AlertSeverity(tier.severity),
            burn="",
        )
        for tier in document.tiers
    )


def _kept(document: AlertingDocument) -> Duration | None:
    return Duration.parse(document.keep_firing_for) if document.keep_firing_for else None


def _base(given: str | None, default: str) -> str:
    return default if given is None else given.rstrip("/")


def service_of(
    document: SpecDocument, tree: YamlTree, settings: Settings, *, origin: str = ""
) -> tuple[Service, tuple[Diagnostic, ...]]:
    """The service that the document describes, and warnings; `origin` is how generated files name the spec."""
    slos = _watched_once(tuple(_slo(slo, document, settings) for slo in document.slos), document)
    source = on_one_line(origin or tree.path)
    gate = settings.gate if document.gate is None else gate_rules(document.gate)
    journeys = tuple(_journey(journey, document, settings) for journey in document.journeys)
    service = Service(
        document.service, document.owner, Tier(document.tier), slos, source, tree.path, gate=gate, journeys=journeys
    )
    warnings: list[Diagnostic] = [*rules_without_subject(tree, document.gate or (), service.tier)]
    for index, slo in enumerate(slos):
        of_tiers = _tiers(slo, tree.span(("slos", index, "objective")))
        warnings += (*of_tiers, *_bucket(slo, index, tree), *_groups(slo, index, tree))
    for index, journey in enumerate(journeys):
        warnings += _tiers(journey, tree.span(("journeys", index, "objective")))
    return service, tuple(warnings)


def _slo(slo: SloDocument, spec: SpecDocument, settings: Settings) -> ServiceLevelObjective:
    tier, indicator = Tier(spec.tier), _indicator(slo)
    calendar = calendar_of(slo.window) if slo.window else settings.calendar
    return ServiceLevelObjective(
        service=spec.service,
        name=slo.name,
        objective_percent=slo.objective,
        window=_length(slo.window, settings.window),
        indicator=indicator,
        alerting=_alerting(slo.alerting or AlertingDocument(), tier, settings.alerting, indicator),
        owner=spec.owner,
        tier=tier,
        description=slo.description,
        impact=slo.impact or f"Users of {spec.service} are affected",
        group_by=GroupBy(tuple(slo.group_by.labels), slo.group_by.limit, slo.group_by.alert) if slo.group_by else None,
        calendar=calendar,
        exclusions=exclusions_of(slo.name, spec),
        formerly=former_names(slo, spec.service),
        depends_on=tuple(map(SloReference.parse, slo.depends_on)),
        stands_on=tuple(OtherAlert(cause.alert, read_matchers(cause.match)) for cause in slo.stands_on),
    )


def _length(window: str | CalendarWindowDocument | None, default: Duration) -> Duration:
    """The length that burn rates take a window for."""
    calendar = calendar_of(window)
    if calendar is not None:
        return calendar.nominal
    return Duration.parse(window) if isinstance(window, str) else default


def _journey(journey: JourneyDocument, spec: SpecDocument, settings: Settings) -> Journey:
    alerting = _alerting(journey.alerting or AlertingDocument(), Tier(spec.tier), settings.alerting, None)
    return Journey(
        service=spec.service,
        name=journey.name,
        objective_percent=journey.objective,
        window=_length(journey.window, settings.window),
        calendar=calendar_of(journey.window) if journey.window else settings.calendar,
        exclusions=exclusions_of(journey.name, spec),
        alerting=replace(alerting, traffic_drop=None),
        owner=spec.owner,
        tier=Tier(spec.tier),
        description=journey.description,
        impact=journey.impact or f"Users of {spec.service} don't get through",
        steps=tuple(map(SloReference.parse, journey.steps)),
    )


def _alerting(
    document: AlertingDocument, tier: Tier, defaults: AlertingDefaults, indicator: Indicator | None
) -> Alerting:
    """The spec's word goes before the repository's, and that before what the service's tier suggests."""
    own = _defaults(document)
    usual = AlertingMode.BOTH if tier is Tier.CRITICAL else AlertingMode.BUDGET
    drop = own.traffic_drop or defaults.traffic_drop or ("page" if tier is Tier.CRITICAL else "none")
    minimum = defaults.min_bad_events if own.min_bad_events is None else own.min_bad_events
    shadow = defaults.shadow if own.shadow is None else own.shadow
    return Alerting(
        mode=own.mode or defaults.mode or usual,
        tiers=own.tiers or defaults.tiers or WORKBOOK_TIERS,
        min_bad_events=_least_bad(indicator) if minimum is None else minimum,
        keep_firing_for=own.keep_firing_for or defaults.keep_firing_for,
        traffic_drop=_DROPS[drop],
        shadow=bool(shadow),
    )


def _least_bad(indicator: Indicator | None) -> int:
    return MIN_BAD_MINUTES if isinstance(indicator, TimeSlices) else MIN_BAD_EVENTS


_DROPS = {"page": AlertSeverity.CRITICAL, "ticket": AlertSeverity.WARNING, "none": None}


def _watched_once(slos: tuple[ServiceLevelObjective, ...], document: SpecDocument) -> tuple[ServiceLevelObjective, ...]:
    """Where no SLO asks for it, the traffic of one counter is watched by its first SLO: one drop, one page."""
    watched: set[str] = set()
    result = []
    for slo, described in zip(slos, document.slos, strict=True):
        asks = described.alerting is not None and described.alerting.traffic_drop is not None
        counter = str(slo.indicator.total)
        is_watched = not isinstance(slo.indicator, TimeSlices) and (asks or counter not in watched)
        if is_watched and slo.alerting.traffic_drop is not None:
            watched.add(counter)
            result.append(slo)
        else:
            result.append(replace(slo, alerting=replace(slo.alerting, traffic_drop=None)))
    return tuple(result)


def _indicator(slo: SloDocument) -> Indicator:
    document = slo.indicator
    if document.ratio is not None:
        return _ratio(document.ratio)
    if document.latency is not None:
        return _latency(document.latency)
    if document.threshold is not None:
        return _threshold(document.threshold)
    if document.probe is not None:
        return Probe(Selector(document.probe.metric, read_matchers(document.probe.match or "")))
    raise AssertionError("structural_mistakes refuses an indicator without a kind")


def _ratio(ratio: RatioDocument) -> BadEventsRatio | GoodEventsRatio:
    counted = ratio.bad or ratio.good or ""
    if ratio.metric is not None:
        total = Selector(ratio.metric, read_matchers(ratio.match or ""))
        chosen = total.where(*read_matchers(counted))
    else:
        total, chosen = read_selector(ratio.total or ""), read_selector(counted)
    return BadEventsRatio(total, chosen) if ratio.bad is not None else GoodEventsRatio(total, chosen)


def _threshold(threshold: ThresholdDocument) -> Threshold:
    least, most = (None if each is None else bound_value(each) for each in (threshold.min, threshold.max))
    return Threshold(Selector(threshold.metric, read_matchers(threshold.match or "")), least, most)


def _latency(latency: LatencyDocument) -> Latency | NativeLatency:
    matchers = read_matchers(latency.match or "")
    threshold_seconds = Duration.parse(latency.threshold).seconds
    if latency.histogram == "native":
        return NativeLatency(Selector(latency.metric, matchers), threshold_seconds)
    return Latency(
        total=Selector(f"{latency.metric}_count", matchers),
        fast=Selector(f"{latency.metric}_bucket", (*matchers, bound(threshold_seconds))),
        metric=latency.metric,
        threshold_seconds=threshold_seconds,
    )


def bound(seconds: float) -> Matcher:
    """The bucket of a bound. `le="1"` and `le="1.0"` are one bound, written by different client libraries."""
    text = f"{seconds:.15g}"
    if re.fullmatch(r"[0-9]+", text):
        return Matcher("le", MatchOp.REGEX, rf"{text}(\.0)?")
    return Matcher("le", MatchOp.EQUAL, text)


def _tiers(slo: Objective, span: Span) -> Iterator[Diagnostic]:
    """Tiers that can never fire are left out, and it is said."""
    left_out = [tier for tier in slo.alerting.tiers if not is_feasible(slo, tier)]
    for tier in left_out:
        why, explanation = _why_left_out(slo, tier)
        message = f"the {tier.severity} alert over {tier.long} is left out: {why}"
        yield Diagnostic("SLO030", span, message, explanation, Severity.WARNING)
    pages = [tier for tier in slo.alerting.tiers if tier.severity is AlertSeverity.CRITICAL]
    if pages and all(tier in left_out for tier in pages):
        message = "no burn of the budget can page; outages (more than half of the events bad) still do"
        yield Diagnostic("SLO031", span, message, "choose a higher objective or a longer window", Severity.WARNING)


def _why_left_out(slo: Objective, tier: BurnTier) -> tuple[str, str]:
    if tier.long >= slo.window:
        return f"the window of {slo.window} is not longer", "shorter windows are watched by the other alerts"
    factor, budget = tier.factor(slo.window), slo.error_budget_ratio
    return (
        f"{factor:g} times the error budget ratio {budget:g} is an error ratio of {factor * budget:.3g}",
        f"a ratio can't exceed 1, so the most that can burn is {1 / budget:g} times the budget",
    )


def _groups(slo: ServiceLevelObjective, index: int, tree: YamlTree) -> Iterator[Diagnostic]:
    """A label whose value is fixed makes one group: the whole SLO once more."""
    fixed = {matcher.label for matcher in slo.indicator.total.matchers if matcher.op is MatchOp.EQUAL}
    for position, label in enumerate(slo.group_by.labels if slo.group_by else ()):
        if label in fixed:
            span = tree.span(("slos", index, "group_by", "labels", position))
            message = f"the indicator fixes {label} to one value: it tells no groups apart"
            yield Diagnostic("SLO034", span, message, "group by another label", Severity.WARNING)


def _bucket(slo: ServiceLevelObjective, index: int, tree: YamlTree) -> Iterator[Diagnostic]:
    match slo.indicator:
        case Latency(metric=metric, threshold_seconds=threshold):
            if threshold not in HTTP_DURATION_BOUNDS_SECONDS:
                cure = f"give the service the compiled bounds (buckets/{slo.service}.json)"
                near = min(HTTP_DURATION_BOUNDS_SECONDS, key=lambda candidate: abs(candidate - threshold))
                if metric == HTTP_DURATION_METRIC:
                    cure += f", or use {Duration(round(near * 1000))}"
                yield Diagnostic(
                    "SLO032",
                    tree.span(("slos", index, "indicator", "latency", "threshold")),
                    f"{threshold:g} s is no usual bucket bound of {metric}; without that bucket nothing is counted",
                    cure,
                    Severity.WARNING,
                )
        case BadEventsRatio() | GoodEventsRatio() | NativeLatency() | Threshold() | Probe():
            return
        case _:
            assert_never(slo.indicator)
