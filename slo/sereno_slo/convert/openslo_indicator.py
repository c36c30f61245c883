"""OpenSLO's indicators: counts of events, and gauges that are judged by a bound."""

import re
from dataclasses import dataclass

from sereno_slo.convert.draft import DraftIndicator, DraftThreshold, Remark, Slot, unknown_keys, warning
from sereno_slo.convert.openslo_catalogue import Catalogue, headless
from sereno_slo.convert.queries import Events, indicator_of, read_events, read_gauge
from sereno_slo.convert.section import Section, Words
from sereno_slo.diagnostics import Diagnostic, Span

_CURE = "count events by one selector each (docs/convert.md, What can be counted)"
_BOUNDS = {"lte": ("max", True), "lt": ("max", False), "gte": ("min", True), "gt": ("min", False)}


@dataclass(frozen=True, slots=True)
class Judgement:
    """What one objective is about."""

    indicator: DraftIndicator
    span: Span


class _NotCounted(Exception):  # noqa: N818 - it never leaves this module
    """Why the indicator can't be carried over, and where the reason is."""

    def __init__(self, span: Span, message: str, cure: str = _CURE, code: str = "SLO062") -> None:
        super().__init__(message)
        self.diagnostic = Diagnostic(code, span, message, cure)


def indicator_for(
    spec: Section, catalogue: Catalogue, method: Words | None, objective: Section, told: list[Remark]
) -> Judgement | None:
    """The indicator of one objective; None, with a mistake, where sereno/v1 has none like it."""
    try:
        sli, span = _sli(spec, catalogue, objective)
        indicator = _indicator(_specified(sli), catalogue, method, objective, told)
    except _NotCounted as reason:
        spec.mistakes.append(reason.diagnostic)
        return None
    told += (Remark(Slot.INDICATOR, each) for each in unknown_keys(sli))
    return Judgement(indicator, span)


def _specified(sli: Section) -> Section:
    spec = sli.section("spec")
    if spec is None:
        raise _NotCounted(sli.span, "the indicator has no spec", "write spec: {ratioMetric: …}", "SLO063")
    return spec


def _sli(spec: Section, catalogue: Catalogue, objective: Section) -> tuple[Section, Span]:
    """The SLI, and where the SLO names it."""
    for key in ("indicator", "indicatorRef", "compositeWeight"):
        if objective.has(key):
            message = (
                f"an objective with {key} of its own is part of a composite, which sereno/v1 knows as journeys only"
            )
            raise _NotCounted(objective.span_of(key), message, "write an SLO for each, and a journey of them")
    inline, name = spec.section("indicator"), spec.words("indicatorRef")
    if inline is not None:
        return headless(inline), inline.span
    if name is None:
        cure = "write indicatorRef: and the name of an SLI"
        raise _NotCounted(spec.span, "there is neither indicator nor indicatorRef", cure, "SLO063")
    sli = catalogue.get("SLI", name.text, spec.mistakes)
    if sli is None:
        message = f"there is no SLI named {name.text} in these files"
        raise _NotCounted(name.span, message, "give the file that holds it as well", "SLO063")
    return sli, name.span


def _indicator(
    sli: Section, catalogue: Catalogue, method: Words | None, objective: Section, told: list[Remark]
) -> DraftIndicator:
    ratio, threshold = sli.section("ratioMetric"), sli.section("thresholdMetric")
    sliced = method is not None and method.text != "Occurrences"
    if ratio is not None:
        if sliced and method is not None:
            message = f"budgetingMethod {method.text} judges ratios by slices of time; sereno/v1 counts their events"
            raise _NotCounted(method.span, message, "write budgetingMethod: Occurrences")
        for key in ("op", "value", "timeSliceTarget", "timeSliceWindow"):
            if objective.has(key):
                _say(told, objective, key, "says nothing of a ratio that is counted by Occurrences")
        return _ratio(ratio, catalogue, told)
    if threshold is None:
        cure = "write one of ratioMetric and thresholdMetric"
        raise _NotCounted(sli.span, "the SLI has neither ratioMetric nor thresholdMetric", cure, "SLO063")
    return _threshold(threshold, catalogue, objective, told, is_sliced=sliced)


def _say(told: list[Remark], section: Section, key: str, why: str) -> None:
    section.ignore(key)
    diagnostic = warning("SLO061", section.span_of(key), f"{key} {why}", "remove it")
    told.append(Remark(Slot.INDICATOR, diagnostic))


def _ratio(ratio: Section, catalogue: Catalogue, told: list[Remark]) -> DraftIndicator:
    if ratio.has("raw"):
        raise _NotCounted(ratio.span_of("raw"), "raw is a ratio already; sereno/v1 counts events")
    part_key = next((key for key in ("bad", "good") if ratio.has(key)), None)
    if part_key is None or not ratio.has("total"):
        message = "the ratioMetric has no total, or neither good nor bad"
        raise _NotCounted(ratio.span, message, "write total and one of good and bad", "SLO063")
    if part_key == "bad" and ratio.has("good"):
        _say(told, ratio, "good", "is left out: bad and total say the same")
    is_counter = ratio.flag("counter") is not False
    total, part = (_events(ratio, key, catalogue, told, is_counter=is_counter) for key in ("total", part_key))
    try:
        return indicator_of(total, part, part_is_bad=part_key == "bad")
    except ValueError as error:
        raise _NotCounted(ratio.span, f"this ratio can't be counted: {error}") from None


def _events(ratio: Section, key: str, catalogue: Catalogue, told: list[Remark], *, is_counter: bool) -> Events:
    metric = ratio.section(key)
    if metric is None:
        raise _NotCounted(ratio.span, f"there is no {key}", "write its metricSource", "SLO063")
    query = _query(metric, catalogue, told)
    try:
        reading = read_events(query.text, is_bare_allowed=is_counter, is_any_window_allowed=True)
    except ValueError as error:
        raise _NotCounted(query.span, f"{key} can't be counted: {error}") from None
    if reading.zeros:
        message = f"{key}: or vector(0) is left out; what isn't there is counted as none anyway"
        told.append(Remark(Slot.INDICATOR, warning("SLO066", query.span, message, "nothing to do")))
    return reading.events


def _query(metric: Section, catalogue: Catalogue, told: list[Remark]) -> Words:
    source = metric.section("metricSource")
    inner = source.section("spec") if source else None
    if source is None or inner is None:
        message = "there is no metricSource with a spec"
        raise _NotCounted(metric.span, message, "write metricSource: {spec: {query: …}}", "SLO063")
    kind, reference = source.words("type"), source.words("metricSourceRef")
    if kind is None and reference is not None:
        data_source = catalogue.get("DataSource", reference.text, metric.mistakes)
        described = data_source.section("spec") if data_source else None
        kind = described.words("type") if described else None
    if kind is None:
        message = "no type of the metricSource is known here; its query is read as Prometheus'"
        told.append(Remark(Slot.INDICATOR, warning("SLO065", source.span, message, "write type: Prometheus")))
    elif kind.text.lower() != "prometheus":
        message = f"the data come from {kind.text}; Sereno's rules are evaluated by Prometheus"
        raise _NotCounted(source.span, message, "measure it in Prometheus, by an exporter or the service itself")
    inner.ignore("queryType")
    query = inner.words("query")
    if query is None:
        raise _NotCounted(inner.span, "the metricSource has no query", "write query: and PromQL", "SLO063")
    return query


def _threshold(
    threshold: Section, catalogue: Catalogue, objective: Section, told: list[Remark], *, is_sliced: bool
) -> DraftThreshold:
    query = _query(threshold, catalogue, told)
    operator, value = objective.words("op"), objective.words("value")
    if operator is None or value is None or operator.text not in _BOUNDS:
        message = "a thresholdMetric needs op and value in the objective"
        raise _NotCounted(objective.span, message, "write op: lte and value: 0.5, the good values", "SLO063")
    if not re.fullmatch(r"[-+]?[0-9]+(\.[0-9]+)?(e[-+]?[0-9]+)?", value.text):
        raise _NotCounted(value.span, f"value is {value.text}, it has to be a number", "write value: 0.5", "SLO063")
    try:
        gauge = read_gauge(query.text)
    except ValueError as error:
        cure = "record the expression as a series of its own and name that (docs/convert.md)"
        raise _NotCounted(query.span, f"the threshold can't be judged: {error}", cure) from None
    bound, is_good_itself = _BOUNDS[operator.text]
    if not is_good_itself:
        message = f"op {operator.text}: {value.text} itself is good here"
        told.append(Remark(Slot.INDICATOR, warning("SLO066", operator.span, message, "nothing to do for most gauges")))
    _slices(objective, told, is_sliced=is_sliced)
    return DraftThreshold(gauge, value.text if bound == "min" else None, value.text if bound == "max" else None)


def _slices(objective: Section, told: list[Remark], *, is_sliced: bool) -> None:
    """What Sereno's slices are: a minute each, bad when any value in it was."""
    window, target = objective.words("timeSliceWindow"), objective.words("timeSliceTarget")
    if is_sliced and (window is None or window.text in {"1", "1m"}) and (target is None or target.text == "1"):
        return
    said = window or target
    span = said.span if said else objective.span
    message = "each minute is one event, bad if any value in it was out of bounds"
    told.append(Remark(Slot.INDICATOR, warning("SLO066", span, message, "judge whether the objective still fits")))
