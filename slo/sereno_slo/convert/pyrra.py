"""Pyrra's ServiceLevelObjective: one object an SLO, which names no service."""

from collections.abc import Iterator
from typing import assert_never

from sereno_slo.convert.draft import (
    DraftIndicator,
    DraftLatency,
    DraftProbe,
    DraftRatio,
    DraftSlo,
    DraftThreshold,
    LeftOut,
    Remark,
    ServicePart,
    Slot,
    owner_in,
    unknown_keys,
    unlabelled,
    warning,
)
from sereno_slo.convert.formats import Document
from sereno_slo.convert.queries import Counted, indicator_of, read_gauge
from sereno_slo.convert.section import Section, Words, apart, document_section
from sereno_slo.diagnostics import Diagnostic
from sereno_slo.duration import Duration
from sereno_slo.promql import MatchOp, Selector
from sereno_slo.source import SourceFile

# Labels of Pyrra's own have this prefix; it hands them on to alerts.
_PREFIX = "pyrra.dev/"
_SERVICE_LABELS = ("pyrra.dev/service", "app.kubernetes.io/name", "service", "app")
_WINDOW = "4w"
_CURE = "count events by one selector each (docs/convert.md, What can be counted)"


def read_pyrra(document: Document, source: SourceFile) -> ServicePart | LeftOut:
    """The service and the one SLO of a document."""
    root = apart(document_section(document))
    root.ignore("apiVersion", "kind", "status")
    metadata, spec = root.section("metadata"), root.section("spec")
    name = metadata.required("name", "checkout-errors") if metadata else None
    if metadata is None or spec is None or name is None:
        missing = Diagnostic("SLO063", root.span, "the document has no metadata or no spec", "write both")
        return LeftOut("the document", root.span, tuple(root.mistakes) or (missing,), document.quote(()))
    labels = metadata.labels("labels")
    owner = owner_in(labels, _PREFIX) or owner_in(labels)
    told: list[Remark] = []
    indicator = _indicator(spec, told)
    service = _service(labels, name, indicator, told)
    of_metadata = tuple(_metadata(metadata, labels))
    slo = _slo(name, spec, indicator, told)
    remarks = [Remark(Slot.NAME, each) for each in (*of_metadata, *unknown_keys(root))]
    if isinstance(slo, LeftOut):
        return ServicePart(document.format, source.path, source.origin, service, owner, (slo,))
    return ServicePart(document.format, source.path, source.origin, service, owner, (slo,), tuple(remarks))


def _metadata(metadata: Section, labels: dict[str, Words]) -> Iterator[Diagnostic]:
    namespace = metadata.words("namespace")
    rest = {"namespace": namespace} if namespace else {}
    rest |= {f"labels.{key}": words for key, words in labels.items()}
    rest |= {f"annotations.{key}": words for key, words in metadata.labels("annotations").items()}
    why = "they name the object and its alerts; here these have the labels severity, service, slo and owner"
    yield from unlabelled("metadata", rest, metadata.span, why, "route by these labels (docs/alertmanager.md)")


def _service(labels: dict[str, Words], name: Words, indicator: DraftIndicator | None, told: list[Remark]) -> Words:
    """The service, from a label, the job that is selected, or the object's own name; which of them is told."""
    found = next((label for label in _SERVICE_LABELS if label in labels), None)
    if found is not None:
        service, whence = labels.pop(found), f"the label {found}"
    else:
        job = _job(indicator)
        service = Words(job or name.text, name.span)
        whence = "the job that it selects" if job else "its own name"
    message = f"Pyrra's objects name no service: {name.text} becomes part of {service.text}, by {whence}"
    cure = "objects of one service come into one file: name it by the label app.kubernetes.io/name"
    told.append(Remark(Slot.NAME, warning("SLO065", service.span, message, cure)))
    return service


def _job(indicator: DraftIndicator | None) -> str | None:
    if indicator is None:
        return None
    matchers = _selector(indicator).matchers
    return next((each.value for each in matchers if each.label == "job" and each.op is MatchOp.EQUAL), None)


def _slo(name: Words, spec: Section, indicator: DraftIndicator | None, told: list[Remark]) -> DraftSlo | LeftOut:
    target, window = spec.required("target", '"99.5"'), spec.words("window")
    description = spec.words("description")
    group_by = _grouping(spec, told)
    is_shadow = _alerting(spec, told)
    quote = spec.document.quote(())
    if indicator is None or target is None or spec.mistakes:
        return LeftOut(name.text, name.span, tuple(spec.mistakes), quote)
    if window is None:
        message = f"{name.text} names no window; Pyrra's usual {_WINDOW} is written"
        told.append(Remark(Slot.WINDOW, warning("SLO065", name.span, message, "write another window if yours is one")))
    spans = {Slot.OBJECTIVE: target.span, Slot.INDICATOR: spec.span_of("indicator")}
    spans |= {Slot.WINDOW: window.span} if window else {}
    spans |= {Slot.DESCRIPTION: description.span} if description else {}
    spans[Slot.ALERTING] = spec.span_of("alerting")
    return DraftSlo(
        name,
        target,
        window.text if window else _WINDOW,
        indicator,
        spans,
        quote,
        description.text.strip() if description else "",
        group_by,
        is_shadow=is_shadow,
        remarks=tuple(told),
    )


_KINDS = ("ratio", "latency", "latencyNative", "bool_gauge")


def _indicator(spec: Section, told: list[Remark]) -> DraftIndicator | None:
    """What is counted; None, with a mistake, where sereno/v1 can't."""
    section = spec.section("indicator")
    kinds = [kind for kind in _KINDS if section and section.has(kind)]
    if section is None or len(kinds) != 1:
        message = f"the indicator has {' and '.join(kinds) or 'no kind'}"
        cure = f"write exactly one of {', '.join(_KINDS)}"
        spec.mistakes.append(Diagnostic("SLO063", spec.span_of("indicator"), message, cure))
        return None
    body = section.section(kinds[0])
    if body is None:
        return None
    try:
        return _of_kind(kinds[0], body, told)
    except ValueError as error:
        spec.mistakes.append(Diagnostic("SLO062", body.span, f"{kinds[0]} can't be counted: {error}", _CURE))
        return None


def _of_kind(kind: str, body: Section, told: list[Remark]) -> DraftIndicator:
    match kind:
        case "ratio":
            total, errors = Counted(_metric(body, "total")), Counted(_metric(body, "errors"))
            return indicator_of(total, errors, part_is_bad=True)
        case "latency":
            every, fast = _metric(body, "total"), _metric(body, "success")
            if not any(matcher.label == "le" for matcher in fast.matchers):
                raise ValueError('success names no bucket: le="…" is missing')
            return indicator_of(Counted(every), Counted(fast), part_is_bad=False)
        case "latencyNative":
            histogram, latency = _metric(body, "total"), body.required("latency", "300ms")
            if latency is None:
                raise ValueError("there is no latency")
            return DraftLatency(histogram.metric, histogram.matchers, Duration.parse(latency.text), is_native=True)
        case _:
            gauge = _gauge(body)
            message = (
                f"{gauge.metric}: Pyrra counts samples; here each minute is one event, bad if any series was 0 in it"
            )
            cure = "several targets in one SLO make it stricter: group them, or write one SLO for each"
            told.append(Remark(Slot.INDICATOR, warning("SLO066", body.span, message, cure)))
            return DraftProbe(gauge)


def _metric(body: Section, key: str) -> Selector:
    section = body.section(key)
    if section is None:
        raise ValueError(f"there is no {key}")
    try:
        return _gauge(section)
    except ValueError as error:
        raise ValueError(f"{key}: {error}") from None


def _gauge(section: Section) -> Selector:
    words = section.words("metric")
    if words is None:
        raise ValueError("there is no metric")
    return read_gauge(words.text)


def _selector(indicator: DraftIndicator) -> Selector:
    match indicator:
        case DraftRatio(total=total):
            return total
        case DraftLatency(metric=metric, matchers=matchers):
            return Selector(metric, matchers)
        case DraftProbe(gauge=gauge) | DraftThreshold(gauge=gauge):
            return gauge
        case _:
            assert_never(indicator)


def _grouping(spec: Section, told: list[Remark]) -> tuple[str, ...]:
    indicator = spec.section("indicator")
    bodies = [indicator.section(kind) for kind in _KINDS if indicator.has(kind)] if indicator else []
    labels = bodies[0].texts("grouping") if bodies and bodies[0] else ()
    if labels:
        names = ", ".join(words.text for words in labels)
        message = (
            f"grouped by {names}: Pyrra keeps a budget for each group only; here the whole has one, too, and alerts"
        )
        cure = "at most 50 groups are kept; write limit below group_by for more"
        told.append(Remark(Slot.GROUP_BY, warning("SLO066", labels[0].span, message, cure)))
    return tuple(words.text for words in labels)


def _alerting(spec: Section, told: list[Remark]) -> bool:
    """Whether nobody is told."""
    section = spec.section("alerting")
    if section is None:
        return False
    off = "disabled" if section.flag("disabled") else "burnrates" if section.flag("burnrates") is False else None
    if off:
        message = f"alerting.{off}: the alerts are evaluated and recorded, but nobody is told (shadow)"
        told.append(Remark(Slot.ALERTING, warning("SLO066", section.span_of(off), message, "nothing to do")))
    if section.flag("absent") is False and not off:
        message = "alerting.absent is false: SLONoData alerts all the same when targets or series are gone"
        cure = "route SLONoData of this slo to nobody where it isn't wanted"
        told.append(Remark(Slot.ALERTING, warning("SLO061", section.span_of("absent"), message, cure)))
    for key, ours in (("name", "SLOErrorBudgetBurn"), ("absentName", "SLONoData")):
        words = section.words(key)
        if words is not None:
            message = f"alerting.{key} {words.text}: the alerts are called {ours}, with the labels service and slo"
            cure = "change routes and silences of the old name"
            told.append(Remark(Slot.ALERTING, warning("SLO061", words.span, message, cure)))
    return bool(off)
