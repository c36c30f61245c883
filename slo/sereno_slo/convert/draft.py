"""What every format becomes first: services with SLOs, and remarks on what isn't carried over as it was."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from sereno_slo.convert.formats import Format
from sereno_slo.convert.section import Section, Words
from sereno_slo.diagnostics import Diagnostic, Severity, Span
from sereno_slo.duration import Duration
from sereno_slo.model import AlertSeverity
from sereno_slo.policy import WORKBOOK_TIERS
from sereno_slo.promql import Matcher, Selector


class Slot(StrEnum):
    """Behind which key of the spec a remark stands."""

    SERVICE = "service"
    OWNER = "owner"
    NAME = "name"
    OBJECTIVE = "objective"
    WINDOW = "window"
    DESCRIPTION = "description"
    INDICATOR = "indicator"
    GROUP_BY = "group_by"
    ALERTING = "alerting"


@dataclass(frozen=True, slots=True)
class Remark:
    """Something that isn't carried over as it was, and where in the spec that is said."""

    slot: Slot
    diagnostic: Diagnostic


@dataclass(frozen=True, slots=True)
class DraftRatio:
    """Bad or good events among all."""

    total: Selector
    part: Selector
    part_is_bad: bool


@dataclass(frozen=True, slots=True)
class DraftLatency:
    """A histogram in seconds."""

    metric: str
    matchers: tuple[Matcher, ...]
    threshold: Duration
    is_native: bool = False


@dataclass(frozen=True, slots=True)
class DraftThreshold:
    """A gauge; bounds as they are written."""

    gauge: Selector
    minimum: str | None
    maximum: str | None


@dataclass(frozen=True, slots=True)
class DraftProbe:
    """A gauge that is 1 or 0."""

    gauge: Selector


DraftIndicator = DraftRatio | DraftLatency | DraftThreshold | DraftProbe


@dataclass(frozen=True, slots=True)
class CalendarWindow:
    """A window that begins with a month, quarter or week of a time zone."""

    calendar: str
    timezone: str


@dataclass(frozen=True, slots=True)
class DraftTier:
    """One line of `alerting.tiers`, as it is written."""

    budget: str
    long: str
    short: str
    severity: str


@dataclass(frozen=True, slots=True)
class DraftSlo:
    """One SLO as it will be written. `spans` tells where in the source its keys come from."""

    name: Words
    objective: Words
    """In percent."""
    window: str | CalendarWindow
    indicator: DraftIndicator
    spans: dict[Slot, Span]
    quote: tuple[str, ...]
    """Its text in the source: shown where it can't be carried over after all."""
    description: str = ""
    group_by: tuple[str, ...] = ()
    tiers: tuple[DraftTier, ...] = ()
    is_shadow: bool = False
    remarks: tuple[Remark, ...] = ()

    def span(self, slot: Slot) -> Span:
        """Where what stands at this key comes from."""
        return self.spans.get(slot, self.name.span)


@dataclass(frozen=True, slots=True)
class LeftOut:
    """An SLO that can't be carried over: why, and its text in the source."""

    name: str
    span: Span
    reasons: tuple[Diagnostic, ...]
    quote: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ServicePart:
    """What one document (or several that belong together) says of one service."""

    format: Format
    path: str
    origin: str
    service: Words
    owner: Words | None
    slos: tuple[DraftSlo | LeftOut, ...]
    remarks: tuple[Remark, ...] = ()


def warning(code: str, span: Span, message: str, cure: str) -> Diagnostic:
    """A remark's diagnostic."""
    return Diagnostic(code, span, message, cure, Severity.WARNING)


def unknown_keys(section: Section) -> Iterator[Diagnostic]:
    """A warning for each part of the source that no conversion has a place for."""
    for leftover in section.leftovers():
        message = f"{leftover.name} ({leftover.shown}) is not carried over: sereno/v1 has nothing like it"
        yield warning("SLO061", leftover.span, message, "look whether anything depends on it")


def usual_tiers(severity: AlertSeverity) -> tuple[DraftTier, ...]:
    """Those of the usual policy that have this severity."""
    return tuple(
        DraftTier(f"{tier.budget_spent_ratio * 100:g}%", str(tier.long), str(tier.short), str(tier.severity))
        for tier in WORKBOOK_TIERS
        if tier.severity is severity
    )


OWNER_LABELS = ("owner", "team", "squad")


def owner_in(labels: dict[str, Words], prefix: str = "") -> Words | None:
    """The owner, and its label is taken out: it is carried over."""
    for name in OWNER_LABELS:
        if f"{prefix}{name}" in labels:
            return labels.pop(f"{prefix}{name}")
    return None


def unlabelled(what: str, labels: dict[str, Words], span: Span, why: str, cure: str) -> list[Diagnostic]:
    """One remark for all labels of a mapping that aren't carried over; none where there are none."""
    if not labels:
        return []
    listed = ", ".join(f"{name}={words.text}" for name, words in labels.items())
    return [warning("SLO061", span, f"{what} ({listed}): {why}", cure)]
