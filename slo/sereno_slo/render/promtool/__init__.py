"""promtool behaviour tests for a very spec: its rules are fed with traffic that its selectors match.

Two files a service, because promtool evaluates every group at the file's own interval: one at 1m for entries, short
windows and pages, one at 5m for roll-ups, the budget and the slow tiers.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from sereno_slo.diagnostics import Diagnostic, Severity, Span
from sereno_slo.duration import FIVE_MINUTES, MINUTE, Duration
from sereno_slo.model import NativeLatency, Service, Settings, TimeSlices
from sereno_slo.render.artefact import Artefact, Kind
from sereno_slo.render.layout import Layout
from sereno_slo.render.promtool.alerting import alerting_cases
from sereno_slo.render.promtool.cases import Bench, Case
from sereno_slo.render.promtool.counting import counting_cases
from sereno_slo.render.promtool.groups import group_cases
from sereno_slo.render.promtool.lives import life_cases
from sereno_slo.render.promtool.long_windows import long_window_cases
from sereno_slo.render.promtool.rhythm import Rhythm
from sereno_slo.render.promtool.silence import silence_cases
from sereno_slo.render.promtool.slices import long_slice_cases, slice_cases
from sereno_slo.render.promtool.streams import selected_labels
from sereno_slo.render.yaml_text import dump, header

_SHORT = Rhythm(scrapes=Duration.parse("30s"), evaluations=MINUTE)
_LONG = Rhythm(scrapes=FIVE_MINUTES, evaluations=FIVE_MINUTES)


def render_behaviour_tests(
    service: Service, settings: Settings, layout: Layout
) -> tuple[tuple[Artefact, Artefact], tuple[Diagnostic, ...]]:
    """`<service>.test.yaml` and `<service>.5m.test.yaml`; a warning for each SLO whose selectors can't be fed."""
    minute_cases: list[Case] = []
    five_minute_cases: list[Case] = []
    warnings: list[Diagnostic] = []
    for slo in service.slos:
        if isinstance(slo.indicator, NativeLatency):
            message = f"{slo.name} has no behaviour tests: promtool reads no native histograms"
            cure = "nothing to do: Sereno's own tests run such rules on a real Prometheus"
            warnings.append(Diagnostic("SLO035", Span(service.path or service.source), message, cure, Severity.WARNING))
            continue
        selected = selected_labels(slo)
        if selected is None:
            message = f"no labels were found that the matchers of {slo.name} accept: its rules stay untested"
            cure = "simplify the regular expressions of its indicator"
            warnings.append(Diagnostic("SLO033", Span(service.path or service.source), message, cure, Severity.WARNING))
            continue
        minute_cases += _minute_cases(Bench(slo, selected, settings, _SHORT))
        five_minute_cases += _five_minute_cases(Bench(slo, selected, settings, _LONG))
    files = (
        _file(service, f"{service.name}.test.yaml", "1m", minute_cases, layout),
        _file(service, f"{service.name}.5m.test.yaml", "5m", five_minute_cases, layout),
    )
    return files, tuple(warnings)


def _minute_cases(bench: Bench) -> Iterator[Case]:
    indicator = bench.slo.indicator
    if isinstance(indicator, TimeSlices):
        yield from slice_cases(bench, indicator)
    else:
        yield from counting_cases(bench)
        yield from life_cases(bench)
        yield from alerting_cases(bench)
        if bench.slo.group_by and not set(bench.slo.group_by.labels) & set(bench.settings.identity_labels):
            yield from group_cases(bench, bench.slo.group_by)
    yield from silence_cases(bench)


def _five_minute_cases(bench: Bench) -> Iterator[Case]:
    yield from long_slice_cases(bench) if isinstance(bench.slo.indicator, TimeSlices) else long_window_cases(bench)


def _file(service: Service, name: str, interval: str, cases: Sequence[Case], layout: Layout) -> Artefact:
    rules = f"{layout.relative(Kind.TESTS, Kind.RULES)}/{service.name}.rules.yaml"
    document: dict[str, Any] = {
        "rule_files": [rules],
        "evaluation_interval": interval,
        "group_eval_order": list(_groups(service)),
        "tests": [case.document() for case in cases],
    }
    return Artefact(Kind.TESTS, name, header(service.source) + dump(document))


def _groups(service: Service) -> Iterable[str]:
    """Entries first: without an order promtool evaluates groups as it likes."""
    for slo in service.slos:
        yield from (f"sereno:{slo.service}:{slo.name}:{suffix}" for suffix in ("1m", "5m"))
