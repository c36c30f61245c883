"""Sloth's `prometheus/v1` and its Kubernetes kind: the same fields in two ways of writing."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from sereno_slo.convert.draft import (
    DraftIndicator,
    DraftSlo,
    LeftOut,
    Remark,
    ServicePart,
    Slot,
    owner_in,
    unknown_keys,
    unlabelled,
    warning,
)
from sereno_slo.convert.formats import Document, Format
from sereno_slo.convert.queries import Reading, indicator_of, read_events, read_quotient
from sereno_slo.convert.section import Section, Words, apart, document_section, shown
from sereno_slo.convert.sloth_alerting import alerting_of
from sereno_slo.diagnostics import Diagnostic, Severity
from sereno_slo.source import SourceFile

# Sloth's default of --default-slo-period (its documentation, "Usage: CLI").
_WINDOW = "30d"
_CURE = "count all and bad events by one selector each (docs/convert.md, What can be counted)"


class Keys:
    """`error_query` of the file is `errorQuery` of the Kubernetes kind."""

    def __init__(self, document: Document) -> None:
        self._is_camel = document.format is Format.SLOTH_KUBERNETES

    def __call__(self, key: str) -> str:
        """The key as this document writes it."""
        return re.sub(r"_([a-z])", lambda found: found[1].upper(), key) if self._is_camel else key


def read_sloth(document: Document, source: SourceFile) -> ServicePart | LeftOut:
    """The service of one document."""
    root, key = document_section(document), Keys(document)
    root.ignore("version", "apiVersion", "kind", "status")
    spec = root.section("spec") if document.format is Format.SLOTH_KUBERNETES else root
    service = spec.required("service", "checkout-api") if spec else None
    if spec is None or service is None:
        reasons = tuple(root.mistakes) or (
            Diagnostic("SLO063", root.span, "the document has no spec", "write spec: …"),
        )
        return LeftOut("the document", root.span, reasons, document.quote(()))
    labels = spec.labels("labels")
    owner = owner_in(labels)
    slos = []
    for section in spec.sections("slos"):
        own = section.labels("labels")
        owner = owner_in(own) if owner is None else owner
        slos.append(_slo(apart(section), own, key))
    if not slos:
        reason = Diagnostic("SLO063", service.span, f"{service.text} has no slos", "write slos: and a list of them")
        return LeftOut(service.text, service.span, (*root.mistakes, reason), document.quote(()))
    told = (
        *_metadata(root),
        *_labels("labels", labels, spec),
        *_plugins(spec, key("slo_plugins")),
        *_window(spec, slos),
        *(replace(mistake, severity=Severity.WARNING) for mistake in root.mistakes),
        *unknown_keys(root),
    )
    remarks = tuple(Remark(Slot.SERVICE, each) for each in told)
    return ServicePart(document.format, source.path, source.origin, service, owner, tuple(slos), remarks)


def _metadata(root: Section) -> Iterator[Diagnostic]:
    why = "they name the Kubernetes object, which the compiled rules are not"
    yield from unlabelled("metadata", root.labels("metadata"), root.span_of("metadata"), why, "nothing to do")


def _labels(what: str, labels: dict[str, Words], section: Section) -> Iterable[Diagnostic]:
    why = "recorded series carry service and slo only, so that other labels split no ledger"
    cure = "set labels of the whole installation as external_labels of Prometheus"
    return unlabelled(what, labels, section.span_of("labels"), why, cure)


def _plugins(section: Section, key: str) -> Iterator[Diagnostic]:
    if section.has(key):
        section.ignore(key)
        message = f"{key} ({shown(section.value[key])}) change the rules that Sloth makes; they do nothing here"
        yield Diagnostic("SLO061", section.span_of(key), message, "look what they are for", Severity.WARNING)


def _window(spec: Section, slos: Iterable[DraftSlo | LeftOut]) -> Iterator[Diagnostic]:
    if any(isinstance(slo, DraftSlo) for slo in slos):
        message = f"Sloth's files name no window; {_WINDOW} is what it does without --default-slo-period"
        yield warning("SLO065", spec.span_of("service"), message, "write another window if yours is one")


def _slo(section: Section, labels: dict[str, Words], key: Keys) -> DraftSlo | LeftOut:
    name, objective = section.required("name", "availability"), section.required("objective", "99.9")
    description = section.words("description")
    told: list[Remark] = []
    try:
        indicator = _indicator(section, key, told)
    except ValueError as error:
        told.clear()
        section.mistakes.append(_unreadable(section, key, str(error)))
        indicator = None
    alerting = alerting_of(section, key)
    quote = section.document.quote(section.path)
    if name is None or objective is None or indicator is None or section.mistakes:
        told_name = name.text if name else "without a name"
        return LeftOut(told_name, name.span if name else section.span, tuple(section.mistakes), quote)
    told += (Remark(Slot.NAME, each) for each in _labels(f"labels of {name.text}", labels, section))
    told += (Remark(Slot.NAME, each) for each in (*_plugins(section, "plugins"), *unknown_keys(section)))
    sli = section.span_of("sli")
    spans = {Slot.INDICATOR: sli, Slot.ALERTING: section.span_of("alerting"), Slot.OBJECTIVE: objective.span}
    if description:
        spans[Slot.DESCRIPTION] = description.span
    return DraftSlo(
        name,
        objective,
        _WINDOW,
        indicator,
        spans,
        quote,
        description.text.strip() if description else "",
        tiers=alerting.tiers,
        is_shadow=alerting.is_shadow,
        remarks=(*told, *alerting.remarks),
    )


def _unreadable(section: Section, key: Keys, reason: str) -> Diagnostic:
    """The reason, at the query that has it if it begins with its name."""
    sli = section.section("sli")
    for kind, names in (("events", ("error_query", "total_query")), ("raw", ("error_ratio_query",))):
        inner = sli.section(kind) if sli else None
        for name in map(key, names):
            if inner and reason.startswith(name):
                return Diagnostic("SLO062", inner.span_of(name), reason, _CURE)
    return Diagnostic("SLO062", section.span_of("sli"), reason, _CURE)


def _indicator(section: Section, key: Keys, told: list[Remark]) -> DraftIndicator:
    """What is counted.

    Raises:
        ValueError: sereno/v1 can't count it.
    """
    sli = section.section("sli")
    events = sli.section("events") if sli else None
    raw = sli.section("raw") if sli else None
    if sli is None or (events is None and raw is None):
        if sli is not None and sli.has("plugin"):
            sli.ignore("plugin")
            raise ValueError("the SLI is made by a plugin, a program of Sloth's")
        raise ValueError("there is neither events nor raw in its sli")
    if events is None and raw is not None:
        return _of_ratio(raw, key("error_ratio_query"), told)
    assert events is not None  # noqa: S101 - one of them is there
    bad, total = (_read(events, key(name), told) for name in ("error_query", "total_query"))
    return indicator_of(total.events, bad.events, part_is_bad=True)


def _read(events: Section, name: str, told: list[Remark]) -> Reading:
    words = events.words(name)
    if words is None:
        raise ValueError(f"{name} is missing")
    try:
        reading = read_events(words.text)
    except ValueError as error:
        raise ValueError(f"{name} can't be counted: {error}") from None
    if reading.zeros:
        message = f"{name}: or vector(0) is left out; what isn't there is counted as none anyway"
        told.append(Remark(Slot.INDICATOR, warning("SLO066", words.span, message, "nothing to do")))
    return reading


def _of_ratio(raw: Section, name: str, told: list[Remark]) -> DraftIndicator:
    words = raw.words(name)
    if words is None:
        raise ValueError(f"{name} is missing")
    try:
        quotient = read_quotient(words.text)
        indicator = indicator_of(quotient.total, quotient.part, part_is_bad=not quotient.is_good)
    except ValueError as error:
        raise ValueError(f"{name} can't be counted: {error}") from None
    message = f"{name}: Sloth averages this ratio over time; here the events on both sides are counted"
    told.append(Remark(Slot.INDICATOR, warning("SLO066", words.span, message, "quiet hours weigh less from now on")))
    return indicator
