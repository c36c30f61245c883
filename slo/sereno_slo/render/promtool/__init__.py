"""promtool behaviour tests for a very spec: its rules are fed with traffic that its selectors match.

Three files a service, because promtool evaluates every group at the file's own interval: one at 1m for entries, short
windows and fast tiers, one at 5m for roll-ups, the budget and the slower tiers, one at 1d for what is usual.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from sereno_slo.diagnostics import Diagnostic, Severity, Span
from sereno_slo.duration import FIVE_MINUTES, MINUTE, Duration
from sereno_slo.model import GroupBy, Journey, NativeLatency, Service, ServiceLevelObjective, Settings, TimeSlices
from sereno_slo.render.artefact import Artefact, Kind
from sereno_slo.render.layout import Layout
from sereno_slo.render.prometheus_rules import render_rules
from sereno_slo.render.promtool.alerting import alerting_cases
from sereno_slo.render.promtool.calendars import calendar_cases, rehearsed
from sereno_slo.render.promtool.cases import Bench, Case
from sereno_slo.render.promtool.counting import counting_cases
from sereno_slo.render.promtool.days import FEW_DAYS, day_cases
from sereno_slo.render.promtool.evidence import evidence_cases
from sereno_slo.render.promtool.exhausted import exhausted_cases
from sereno_slo.render.promtool.groups import group_cases, group_tier_cases
from sereno_slo.render.promtool.lives import life_cases
from sereno_slo.render.promtool.long_windows import long_window_cases
from sereno_slo.render.promtool.merging import merged
from sereno_slo.render.promtool.rhythm import Rhythm
from sereno_slo.render.promtool.silence import silence_cases
from sereno_slo.render.promtool.slices import long_slice_cases, slice_cases
from sereno_slo.render.promtool.streams import selected_labels
from sereno_slo.render.promtool.tiers import tier_cases
from sereno_slo.render.yaml_text import dump, header

_MINUTES = Rhythm(scrapes=Duration.parse("30s"), evaluations=MINUTE)
_SLOTS = Rhythm(scrapes=FIVE_MINUTES, evaluations=FIVE_MINUTES)
_DAYS = Rhythm(scrapes=MINUTE, evaluations=Duration.parse("1d"))


def render_behaviour_tests(
    service: Service, settings: Settings, layout: Layout
) -> tuple[tuple[Artefact, ...], tuple[Diagnostic, ...]]:
    """One file for each evaluation interval; a warning for each SLO whose selectors can't be fed."""
    deployed, service = service, rehearsed(service)
    minutes: list[Case] = []
    slots: list[Case] = []
    days: list[Case] = []
    warnings: list[Diagnostic] = []
    for slo in service.slos:
        selected = None if isinstance(slo.indicator, NativeLatency) else selected_labels(slo)
        if selected is None:
            warnings.append(_untested(service, slo))
            continue
        minutes += _minute_cases(Bench(slo, selected, settings, _MINUTES))
        slots += _slot_cases(Bench(slo, selected, settings, _SLOTS))
        # Nothing raw is read, so nothing is late.
        days += _day_cases(Bench(slo, selected, replace(settings, evaluation_delay=None), _DAYS))
    warnings += (_untested_journey(service, journey) for journey in service.journeys)
    rules = f"{layout.relative(Kind.TESTS, Kind.RULES)}/{service.name}.rules.yaml"
    files = []
    if service != deployed:
        rules = f"{service.name}.rehearsed.rules.yaml"
        files.append(Artefact(Kind.TESTS, rules, _REHEARSED + render_rules(service, settings).content))
    files += [
        _file(service, ("test", "1m"), minutes, rules),
        _file(service, ("5m.test", "5m"), slots, rules),
        *([_file(service, ("1d.test", "1d"), days, rules, order=("5m", "1m"))] if days else []),
    ]
    return tuple(files), tuple(warnings)


_REHEARSED = """\
# For the tests beside it only, never for a Prometheus: the rules as if nothing were excluded and quarters were 91 days.
"""


def _untested(service: Service, slo: ServiceLevelObjective) -> Diagnostic:
    span = Span(service.path or service.source)
    if isinstance(slo.indicator, NativeLatency):
        message = f"{slo.name} has no behaviour tests: promtool reads no native histograms"
        cure = "nothing to do: Sereno's own tests run such rules on a real Prometheus"
        return Diagnostic("SLO035", span, message, cure, Severity.WARNING)
    message = f"no labels were found that the matchers of {slo.name} accept: its rules stay untested"
    return Diagnostic("SLO033", span, message, "simplify the regular expressions of its indicator", Severity.WARNING)


def _untested_journey(service: Service, journey: Journey) -> Diagnostic:
    message = f"the journey {journey.name} has no behaviour tests: its rules read what rules of its steps record"
    cure = "nothing to do: Sereno's own tests run such rules on a real Prometheus"
    return Diagnostic("SLO075", Span(service.path or service.source), message, cure, Severity.WARNING)


def _minute_cases(bench: Bench) -> Iterator[Case]:
    indicator = bench.slo.indicator
    if isinstance(indicator, TimeSlices):
        yield from slice_cases(bench, indicator)
    else:
        yield from counting_cases(bench)
        yield from life_cases(bench)
        yield from alerting_cases(bench)
        if (group_by := _groups_to_test(bench)) is not None:
            yield from group_cases(bench, group_by)
            yield from group_tier_cases(bench, group_by)
    yield from tier_cases(bench)
    yield from silence_cases(bench)


def _slot_cases(bench: Bench) -> Iterator[Case]:
    is_rolling = bench.slo.calendar is None  # others are told by days
    if isinstance(bench.slo.indicator, TimeSlices):
        yield from long_slice_cases(bench) if is_rolling else ()
    else:
        yield from long_window_cases(bench) if is_rolling else ()
        if (group_by := _groups_to_test(bench)) is not None:
            yield from group_tier_cases(bench, group_by)
    yield from tier_cases(bench)
    yield from exhausted_cases(bench) if is_rolling else ()


def _day_cases(bench: Bench) -> Iterator[Case]:
    yield from day_cases(bench)
    if bench.slo.calendar is not None:
        yield from calendar_cases(bench, bench.slo.calendar)
    if bench.slo.window >= FEW_DAYS:
        yield from evidence_cases(bench)


def _groups_to_test(bench: Bench) -> GroupBy | None:
    """None where groups are targets, whose labels tests give themselves."""
    group_by = bench.slo.group_by
    return None if group_by is None or set(group_by.labels) & set(bench.settings.identity_labels) else group_by


def _file(
    service: Service,
    kind: tuple[str, str],
    cases: Sequence[Case],
    rules: str,
    order: Sequence[str] = ("1m", "5m"),
) -> Artefact:
    """`<service>.<ending>.yaml`, evaluated at an interval: `kind` is the two of them."""
    ending, interval = kind
    document: dict[str, Any] = {
        "rule_files": [rules],
        "evaluation_interval": interval,
        "group_eval_order": list(_groups(service, order)),
        "tests": [case.document() for case in merged(cases)],
    }
    return Artefact(Kind.TESTS, f"{service.name}.{ending}.yaml", header(service.source) + dump(document))


def _groups(service: Service, order: Sequence[str]) -> Iterable[str]:
    """Without an order promtool evaluates groups as it likes."""
    for slo in service.objectives:
        yield from (f"sereno:{slo.service}:{slo.name}:{suffix}" for suffix in order)
