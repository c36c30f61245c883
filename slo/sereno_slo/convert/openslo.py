"""OpenSLO v1: objects of several kinds that refer to each other by name."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from functools import partial

from sereno_slo.convert.draft import (
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
from sereno_slo.convert.openslo_alerting import alerting_of
from sereno_slo.convert.openslo_catalogue import Catalogue
from sereno_slo.convert.openslo_indicator import Judgement, indicator_for
from sereno_slo.convert.openslo_window import window_of
from sereno_slo.convert.section import Section, Words, document_section
from sereno_slo.diagnostics import Diagnostic, Severity, Span
from sereno_slo.source import SourceFile

_SUPPORTING = ("DataSource", "SLI", "AlertPolicy", "AlertCondition", "AlertNotificationTarget")


def read_openslo(documents: Sequence[tuple[Document, SourceFile]]) -> Iterator[ServicePart | LeftOut]:
    """The services that the SLOs of all documents name, in the order of their first SLO."""
    catalogue = Catalogue.of(document for document, _ in documents)
    services: dict[str, Words | None] = {}
    further = list(_of_services(documents, services))
    is_first = True
    for document, source in documents:
        if document.tree.value.get("kind") != "SLO":
            continue
        part = _read(document, source, catalogue, services)
        if isinstance(part, ServicePart) and is_first:
            further += _unused(documents, catalogue)
            remarks = tuple(Remark(Slot.SERVICE, each) for each in further)
            part, is_first = replace(part, remarks=(*remarks, *part.remarks)), False
        yield part
    if is_first:
        yield from _without_slos(documents)


def _without_slos(documents: Sequence[tuple[Document, SourceFile]]) -> Iterator[LeftOut]:
    if not any(document.tree.value.get("kind") == "SLO" for document, _ in documents):
        for document, _ in documents:
            span = document.tree.span(("kind",))
            message = f"there is no document of kind SLO, so {document.tree.value.get('kind')} describes nothing"
            reason = Diagnostic("SLO063", span, message, "give the files of its SLOs as well")
            yield LeftOut("the document", span, (reason,), document.quote(()))


def _of_services(
    documents: Sequence[tuple[Document, SourceFile]], services: dict[str, Words | None]
) -> Iterator[Diagnostic]:
    """What the documents of kind Service say beside their owner, which goes into `services`."""
    for document, _ in documents:
        if document.tree.value.get("kind") != "Service":
            continue
        root = document_section(document)
        root.ignore("apiVersion", "kind")
        metadata = root.section("metadata")
        name = metadata.words("name") if metadata else None
        if metadata is None or name is None:
            yield warning("SLO063", root.span, "the Service has no name", "write metadata: {name: checkout-api}")
            yield from (replace(mistake, severity=Severity.WARNING) for mistake in root.mistakes)
            continue
        labels = metadata.labels("labels")
        services[name.text] = owner_in(labels)
        yield from _labels(f"labels of the service {name.text}", labels, metadata)
        yield from unknown_keys(root)
        yield from (replace(mistake, severity=Severity.WARNING) for mistake in root.mistakes)


def _labels(what: str, labels: dict[str, Words], metadata: Section) -> list[Diagnostic]:
    why = "recorded series carry service and slo only"
    return unlabelled(what, labels, metadata.span_of("labels"), why, "keep them where your catalogue of services is")


def _unused(documents: Sequence[tuple[Document, SourceFile]], catalogue: Catalogue) -> Iterator[Diagnostic]:
    """Documents that nothing in them refers to, or that say what isn't the spec's business."""
    for document, _ in documents:
        kind, name = document.tree.value.get("kind"), catalogue.name_of(document)
        span = document.tree.span(("kind",))
        if kind == "DataSource":
            message = f"DataSource {name}: which Prometheus evaluates the rules is not the spec's business"
            yield warning("SLO061", span, message, "load the compiled rules into that Prometheus")
        elif kind == "AlertNotificationTarget":
            message = f"AlertNotificationTarget {name}: who is told is Alertmanager's business"
            yield warning("SLO061", span, message, "route by the owner (docs/alertmanager.md)")
        elif kind in _SUPPORTING and not catalogue.is_referred_to(str(kind), name):
            yield warning("SLO061", span, f"{kind} {name} is used by no SLO here", "remove it, or give its SLO's file")
        elif kind not in (*_SUPPORTING, "SLO", "Service"):
            yield warning("SLO061", span, f"kind {kind} is none of OpenSLO v1", "write for example SLO")


@dataclass(frozen=True, slots=True)
class _Head:
    """What all objectives of an SLO share."""

    document: Document
    name: Words
    description: str
    description_span: Span | None
    spec: Section


def _read(
    document: Document, source: SourceFile, catalogue: Catalogue, services: dict[str, Words | None]
) -> ServicePart | LeftOut:
    root = document_section(document)
    root.ignore("apiVersion", "kind")
    metadata, spec = root.section("metadata"), root.section("spec")
    name = metadata.required("name", "checkout-errors") if metadata else None
    service = spec.required("service", "checkout-api") if spec else None
    if metadata is None or spec is None or name is None or service is None:
        missing = Diagnostic("SLO063", root.span, "the document has no metadata or no spec", "write both")
        return LeftOut("the document", root.span, tuple(root.mistakes) or (missing,), document.quote(()))
    labels, annotations = metadata.labels("labels"), metadata.labels("annotations")
    owner = owner_in(labels) or services.get(service.text)
    shown, said = metadata.words("displayName"), spec.words("description")
    texts = [words.text.strip() for words in (shown, said) if words]
    span = (said or shown or name).span
    head = _Head(document, name, ": ".join(texts), span, spec)
    slos = _slos(head, catalogue)
    told = _labels(f"labels of {name.text}", labels, metadata)
    why, cure = "they belong to OpenSLO's other tools", "nothing to do"
    told += unlabelled(f"annotations of {name.text}", annotations, metadata.span_of("annotations"), why, cure)
    told += [*unknown_keys(root)]
    slos = tuple(_with_remarks(slo, told) if index == 0 else slo for index, slo in enumerate(slos))
    return ServicePart(Format.OPENSLO, source.path, source.origin, service, owner, slos)


def _with_remarks(slo: DraftSlo | LeftOut, told: list[Diagnostic]) -> DraftSlo | LeftOut:
    if isinstance(slo, LeftOut):
        return slo
    return replace(slo, remarks=(*(Remark(Slot.NAME, each) for each in told), *slo.remarks))


def _slos(head: _Head, catalogue: Catalogue) -> tuple[DraftSlo | LeftOut, ...]:
    """One SLO for each objective."""
    spec, told = head.spec, list[Remark]()
    objectives = spec.sections("objectives")
    method = spec.words("budgetingMethod")
    window = window_of(spec, told)
    read = partial(indicator_for, spec, catalogue, method)
    if not objectives and not spec.mistakes:
        message = "there are no objectives"
        spec.mistakes.append(Diagnostic("SLO063", spec.span, message, "write objectives: [{target: 0.999}]"))
    judged = [read(objective, told if index == 0 else list[Remark]()) for index, objective in enumerate(objectives)]
    alerting = alerting_of(spec, catalogue, window)
    quote = head.document.quote(())
    targets, names = [_percent(objective) for objective in objectives], _names(head.name, objectives)
    if spec.mistakes or None in judged or None in targets:
        return (LeftOut(head.name.text, head.name.span, tuple(spec.mistakes), quote),)
    spans = {Slot.WINDOW: spec.span_of("timeWindow"), Slot.ALERTING: spec.span_of("alertPolicies")}
    spans |= {Slot.DESCRIPTION: head.description_span} if head.description_span else {}
    drafts: list[DraftSlo | LeftOut] = []
    for index, (name, target, found) in enumerate(zip(names, targets, judged, strict=True)):
        assert target is not None  # noqa: S101 - seen above
        assert isinstance(found, Judgement)  # noqa: S101 - seen above
        own = {**spans, Slot.INDICATOR: found.span, Slot.OBJECTIVE: target.span}
        remarks = (*told, *alerting.remarks) if index == 0 else ()
        drafts.append(
            DraftSlo(
                name,
                target,
                window,
                found.indicator,
                own,
                quote,
                head.description,
                tiers=alerting.tiers,
                remarks=remarks,
            )
        )
    return tuple(drafts)


def _names(name: Words, objectives: Sequence[Section]) -> list[Words]:
    """The SLO's name; of several objectives each has its own as well."""
    seen: dict[str, int] = defaultdict(int)
    names: list[Words] = []
    if len(objectives) == 1:
        return [name]
    for index, objective in enumerate(objectives):
        shown = objective.words("displayName")
        text = f"{name.text}-{shown.text if shown else index + 1}"
        seen[text] += 1
        names.append(Words(text if seen[text] == 1 else f"{text}-{index + 1}", objective.span))
    return names


def _percent(objective: Section) -> Words | None:
    """The objective in percent: 0.999 is 99.9."""
    percent, ratio = objective.words("targetPercent"), objective.words("target")
    if percent is not None:
        return percent
    if ratio is None:
        message = "the objective has neither target nor targetPercent"
        objective.mistakes.append(Diagnostic("SLO063", objective.span, message, "write target: 0.999"))
        return None
    try:
        return Words(f"{(Decimal(ratio.text) * 100).normalize():f}", ratio.span)
    except InvalidOperation:
        message = f"target is {ratio.text}, it has to be a number"
        objective.mistakes.append(Diagnostic("SLO063", ratio.span, message, "write target: 0.999"))
        return None
