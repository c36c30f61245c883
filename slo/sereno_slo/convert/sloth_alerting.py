"""What Sloth says about alerts: which of the two kinds there are, and labels that route them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sereno_slo.convert.draft import DraftTier, Remark, Slot, unlabelled, usual_tiers, warning
from sereno_slo.convert.section import Section
from sereno_slo.diagnostics import Diagnostic, Span
from sereno_slo.model import AlertSeverity


@dataclass(frozen=True, slots=True)
class DraftAlerting:
    """What goes into `alerting`; no tiers are the usual ones."""

    tiers: tuple[DraftTier, ...] = ()
    is_shadow: bool = False
    remarks: tuple[Remark, ...] = ()


# (section, what its alerts are here)
_KINDS = (("page_alert", AlertSeverity.CRITICAL), ("ticket_alert", AlertSeverity.WARNING))


def alerting_of(slo: Section, key: Callable[[str], str]) -> DraftAlerting:
    """The alerting of one SLO."""
    alerting = slo.section("alerting")
    if alerting is None:
        return DraftAlerting()
    told = list(_named(alerting))
    told += _of_all(alerting, "alerting")
    off: dict[AlertSeverity, Span] = {}
    for name, severity in _KINDS:
        section = alerting.section(key(name))
        if section is None:
            continue
        if section.flag("disable"):
            off[severity] = section.span_of("disable")
        told += _of_all(section, f"alerting.{key(name)}", severity)
    if len(off) == len(_KINDS):
        message = "both kinds of alerts are disabled: they are evaluated and recorded, but nobody is told (shadow)"
        told.append(warning("SLO066", off[AlertSeverity.CRITICAL], message, "remove shadow to be told"))
        return DraftAlerting(is_shadow=True, remarks=_remarks(told))
    told += (_disabled(severity, span) for severity, span in off.items())
    kept = next(severity for _, severity in _KINDS if severity not in off)
    return DraftAlerting(usual_tiers(kept) if off else (), remarks=_remarks(told))


def _remarks(told: list[Diagnostic]) -> tuple[Remark, ...]:
    return tuple(Remark(Slot.ALERTING, each) for each in told)


def _named(alerting: Section) -> Iterator[Diagnostic]:
    name = alerting.words("name")
    if name is not None:
        message = (
            f"alerting.name {name.text}: the alerts are called SLOErrorBudgetBurn, with the labels service and slo"
        )
        yield warning("SLO061", name.span, message, "change routes and silences of the old name")


def _disabled(severity: AlertSeverity, span: Span) -> Diagnostic:
    if severity is AlertSeverity.WARNING:
        message = "the tickets on burn rates are left out; SLONoData still makes one"
        return warning("SLO066", span, message, "route it to nobody where it isn't wanted")
    message = "the pages on burn rates are left out; an outage and targets that are gone still page"
    return warning("SLO066", span, message, "where nobody may be paged, write shadow: true below alerting")


def _of_all(section: Section, what: str, severity: AlertSeverity | None = None) -> Iterator[Diagnostic]:
    labels = section.labels("labels")
    if severity is not None and "severity" in labels and labels["severity"].text == severity:
        del labels["severity"]  # it is the very same here
    why = "the alerts have the labels severity, service, slo and the owner's"
    yield from unlabelled(
        f"{what}.labels", labels, section.span_of("labels"), why, "route by these labels (docs/alertmanager.md)"
    )
    annotations = section.labels("annotations")
    why = "the alerts bring their own texts, figures and links"
    cure = "write what users feel as impact; move runbooks into runbooks/SERVICE/SLO.md"
    yield from unlabelled(f"{what}.annotations", annotations, section.span_of("annotations"), why, cure)
