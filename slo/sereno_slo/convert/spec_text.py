"""A drafted service as the text of a spec, and where each of its lines comes from."""

import re
import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import assert_never

from sereno_slo.convert.draft import (
    CalendarWindow,
    DraftIndicator,
    DraftLatency,
    DraftProbe,
    DraftRatio,
    DraftSlo,
    DraftThreshold,
    LeftOut,
    Remark,
    Slot,
)
from sereno_slo.convert.merging import DraftService
from sereno_slo.convert.queries import further_matchers
from sereno_slo.diagnostics import Diagnostic, Span, on_one_line
from sereno_slo.promql import Matcher
from sereno_slo.render.yaml_text import is_printable, quoted, spec_scalar

_SCHEMA = "https://raw.githubusercontent.com/sereno/sereno/main/slo/schema/sereno-v1.schema.json"
_WIDTH = 112
_TIER = "critical or standard; critical also alerts by error ratios, and pages when the traffic drops"
_ALERTS = (
    "Alerts: those of the old rules compare error ratios over pairs of windows, which is nearest to mode: ratio. No "
    "mode is written here, so that Sereno's usual one decides: budget for a standard service, both for a critical one "
    "(docs/alerting.md). Write `mode: ratio` below alerting where an SLO has to alert as before."
)
_COMMENTS = "Comments that name a line of it tell what isn't carried over from there as it was, and what to do."


@dataclass(slots=True)
class SpecText:
    """Lines, and where each comes from."""

    has_one_source: bool
    lines: list[str] = field(default_factory=list)
    places: list[Span] = field(default_factory=list)

    def add(self, text: str, place: Span) -> None:
        """One value; it may take several lines."""
        for line in text.split("\n"):
            self.lines.append(line)
            self.places.append(place)

    def comment(self, text: str, place: Span, indent: str = "") -> None:
        """A comment, broken into lines."""
        lines = textwrap.wrap(
            on_one_line(text),
            _WIDTH,
            initial_indent=f"{indent}# ",
            subsequent_indent=f"{indent}#   ",
            break_long_words=False,
            break_on_hyphens=False,
        )
        for line in lines:
            self.add(line, place)

    def tell(self, diagnostic: Diagnostic, indent: str) -> None:
        """What a message says, as a comment."""
        cure = f" ({diagnostic.hint})" if diagnostic.hint else ""
        self.comment(f"{self._where(diagnostic.span)}: {diagnostic.message}{cure}", diagnostic.span, indent)

    def remarks(self, remarks: Iterable[Remark], slot: Slot, indent: str) -> None:
        """Those that belong behind this key."""
        for remark in remarks:
            if remark.slot is slot:
                self.tell(remark.diagnostic, indent)

    def _where(self, span: Span) -> str:
        line = max(span.line, 1)
        return f"line {line}" if self.has_one_source else f"{span.path.rpartition('/')[2]}:{line}"

    @property
    def text(self) -> str:
        """The whole text."""
        return "\n".join(self.lines) + "\n"


def spec_text(service: DraftService, *, is_shadow: bool = False) -> SpecText:
    """The spec, deterministic: the same service gives the same text."""
    page = SpecText(has_one_source=len(service.paths) == 1)
    beginning = Span(service.paths[0], 1, 1)
    page.add(f"# yaml-language-server: $schema={_SCHEMA}", beginning)
    names = ", ".join(path.rpartition("/")[2] for path in service.paths)
    page.comment(f"Converted by `sereno convert` from {names} ({', '.join(service.formats)}).", beginning)
    page.comment(_COMMENTS, beginning)
    page.add("#", beginning)
    page.comment(_ALERTS, beginning)
    page.add("version: sereno/v1", beginning)
    page.add(f"service: {spec_scalar(service.name)}", service.span)
    page.remarks(service.remarks, Slot.SERVICE, "")
    page.add(f"owner: {spec_scalar(service.owner)}", service.owner_span)
    page.remarks(service.remarks, Slot.OWNER, "")
    page.comment(_TIER, beginning)
    page.add("tier: standard", beginning)
    page.add("slos:", beginning)
    for index, slo in enumerate(service.slos):
        if index:
            page.add("", page.places[-1])
        if isinstance(slo, LeftOut):
            _left_out(page, slo)
        else:
            _slo(page, slo, is_shadow=is_shadow)
    return page


def _left_out(page: SpecText, slo: LeftOut) -> None:
    page.comment(f"LEFT OUT: {slo.name}", slo.span, "  ")
    for reason in slo.reasons:
        page.tell(reason, "  ")
    page.comment("In the source it is:", slo.span, "  ")
    for line in slo.quote:
        page.add(f"  #   {on_one_line(line.expandtabs())}".rstrip(), slo.span)


def _slo(page: SpecText, slo: DraftSlo, *, is_shadow: bool) -> None:
    indent = "    "
    page.add(f"  - name: {spec_scalar(slo.name.text)}", slo.name.span)
    page.remarks(slo.remarks, Slot.NAME, indent)
    page.add(f"{indent}objective: {_number(slo.objective.text)}", slo.objective.span)
    page.remarks(slo.remarks, Slot.OBJECTIVE, indent)
    page.add(f"{indent}window: {_window(slo.window)}", slo.span(Slot.WINDOW))
    page.remarks(slo.remarks, Slot.WINDOW, indent)
    if slo.description:
        page.add(f"{indent}description: {spec_scalar(_tidy(slo.description), '      ')}", slo.span(Slot.DESCRIPTION))
    page.remarks(slo.remarks, Slot.DESCRIPTION, indent)
    page.add(f"{indent}indicator:", slo.span(Slot.INDICATOR))
    for line in _indicator(slo.indicator):
        page.add(f"{indent}  {line}", slo.span(Slot.INDICATOR))
    page.remarks(slo.remarks, Slot.INDICATOR, indent)
    if slo.group_by:
        page.add(f"{indent}group_by:", slo.span(Slot.INDICATOR))
        page.add(f"{indent}  labels: [{', '.join(map(_in_flow, slo.group_by))}]", slo.span(Slot.INDICATOR))
        page.add(f"{indent}  alert: true", slo.span(Slot.INDICATOR))
    page.remarks(slo.remarks, Slot.GROUP_BY, indent)
    _alerting(page, slo, is_shadow=is_shadow or slo.is_shadow)


def _alerting(page: SpecText, slo: DraftSlo, *, is_shadow: bool) -> None:
    indent, place = "    ", slo.span(Slot.ALERTING)
    if is_shadow or slo.tiers:
        page.add(f"{indent}alerting:", place)
    if is_shadow:
        page.add(f"{indent}  shadow: true", place)
    if slo.tiers:
        page.add(f"{indent}  tiers:", place)
    for tier in slo.tiers:
        parts = f"budget: {tier.budget}, long: {tier.long}, short: {tier.short}, severity: {tier.severity}"
        page.add(f"{indent}    - {{{parts}}}", place)
    page.remarks(slo.remarks, Slot.ALERTING, indent)


def _window(window: str | CalendarWindow) -> str:
    if isinstance(window, CalendarWindow):
        return f"{{calendar: {window.calendar}, timezone: {_in_flow(window.timezone)}}}"
    return spec_scalar(window)


def _indicator(indicator: DraftIndicator) -> list[str]:
    match indicator:
        case DraftRatio():
            return ["ratio:", *_ratio(indicator)]
        case DraftLatency(metric=metric, matchers=matchers, threshold=threshold, is_native=is_native):
            further = ["  histogram: native"] if is_native else []
            return ["latency:", f"  metric: {metric}", *_match(matchers), f"  threshold: {threshold}", *further]
        case DraftThreshold(gauge=gauge, minimum=minimum, maximum=maximum):
            bounds = (("min", minimum), ("max", maximum))
            written = [f"  {key}: {bound}" for key, bound in bounds if bound is not None]
            return ["threshold:", f"  metric: {gauge.metric}", *_match(gauge.matchers), *written]
        case DraftProbe(gauge=gauge):
            return ["probe:", f"  metric: {gauge.metric}", *_match(gauge.matchers)]
        case _:
            assert_never(indicator)


def _ratio(ratio: DraftRatio) -> list[str]:
    key, further = "bad" if ratio.part_is_bad else "good", further_matchers(ratio)
    if further is None:
        return [f"  total: {_quoted(str(ratio.total))}", f"  {key}: {_quoted(str(ratio.part))}"]
    return [f"  metric: {ratio.total.metric}", *_match(ratio.total.matchers), f"  {key}: {_listed(further)}"]


def _match(matchers: Sequence[Matcher]) -> list[str]:
    return [f"  match: {_listed(matchers)}"] if matchers else []


def _listed(matchers: Sequence[Matcher]) -> str:
    return _quoted(", ".join(map(str, matchers)))


def _in_flow(text: str) -> str:
    """A text between brackets or braces, where commas and brackets would end it."""
    return spec_scalar(text) if re.fullmatch(r"[A-Za-z0-9_/+-]+", text) else _quoted(text)


def _quoted(text: str) -> str:
    """Selectors are in single quotes, which leave their own double quotes and backslashes as they are."""
    return quoted(text) if is_printable(text) else spec_scalar(text)


def _number(text: str) -> str:
    """What is no number is told by the compiler."""
    return text if re.fullmatch(r"[0-9]+(\.[0-9]+)?", text.strip()) else spec_scalar(text)


def _tidy(text: str) -> str:
    """Without blanks at the ends of lines: they would keep a text of several lines from being a block."""
    return "\n".join(line.rstrip() for line in text.replace("\t", "  ").split("\n"))
