"""Shapes: filling names into a template gives the very bytes that printing the SLO directly gives."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sereno_slo import Settings, validate_specs
from sereno_slo.duration import Duration
from sereno_slo.model import (
    AlertSeverity,
    BadEventsRatio,
    GoodEventsRatio,
    GroupBy,
    Indicator,
    Latency,
    Links,
    NativeLatency,
    Probe,
    ServiceLevelObjective,
    Threshold,
)
from sereno_slo.promql import Matcher, MatchOp, Selector
from sereno_slo.render.prometheus_rules import groups_text, render_rules
from sereno_slo.render.shapes import shape_of
from support.slo_services import all_services
from support.slo_specs import EXAMPLES, REPOSITORY, example_names, settings_beside, source_of

SPECS = [*(EXAMPLES / f"{name}.slo.yaml" for name in example_names()), *(REPOSITORY / "slo/specs").glob("*.slo.yaml")]
MODEL = all_services()[0].slos[0]

_NAMES = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,58}[a-z0-9])?", fullmatch=True) | st.sampled_from(["null", "1e3", "on"])
_ODD = st.sampled_from([*"aZ0 :#-'\"\\{}[]%$|&*!>@`,", "{{", ": ", " #", "\n", "\t", "é", "😀", "\ue000", "\x85", "%q"])
_WORDS = st.lists(_ODD, min_size=1, max_size=8).map("".join)
_METRICS = st.sampled_from(
    ["http_server_request_duration_seconds", "http_server_request_duration_seconds_count", "a:b"]
)
_LABELS = st.sampled_from(["job", "instance", "code", "le"])
_MATCHERS = st.lists(st.builds(Matcher, _LABELS, st.sampled_from(list(MatchOp)), _WORDS | st.just("")), max_size=3)
_SELECTORS = st.builds(Selector, _METRICS, _MATCHERS.map(tuple))


def _latency(metric: str, matchers: list[Matcher]) -> Latency:
    total = Selector(f"{metric}_count", tuple(matchers))
    fast = Selector(f"{metric}_bucket", (*matchers, Matcher("le", MatchOp.EQUAL, "0.25")))
    return Latency(total, fast, metric, 0.25)


_INDICATORS: st.SearchStrategy[Indicator] = st.one_of(
    st.builds(BadEventsRatio, _SELECTORS, _SELECTORS),
    st.builds(GoodEventsRatio, _SELECTORS, _SELECTORS),
    st.builds(_latency, _METRICS, _MATCHERS),
    st.builds(NativeLatency, _SELECTORS, st.just(0.3)),
    st.builds(Threshold, _SELECTORS, st.just(None), st.just(900.0)),
    st.builds(Probe, _SELECTORS),
)
_GROUPS = st.sampled_from([None, GroupBy(("code",), 5), GroupBy(("code",), 5, alert=True)])


@st.composite
def _slos(draw: st.DrawFn) -> ServiceLevelObjective:
    alerting = replace(
        MODEL.alerting,
        traffic_drop=draw(st.sampled_from([None, AlertSeverity.CRITICAL])),
        shadow=draw(st.booleans()),
    )
    return replace(
        MODEL,
        service=draw(_NAMES),
        name=draw(_NAMES),
        owner=draw(_NAMES),
        impact=draw(_WORDS),
        indicator=draw(_INDICATORS),
        alerting=alerting,
        group_by=draw(_GROUPS),
    )


_SETTINGS = st.sampled_from(
    [
        Settings(),
        Settings(identity_labels=("instance",), process_start_metric=None, owner_label="team"),
        Settings(evaluation_delay=Duration.parse("2m"), links=Links("", "", "https://logs/{service}/{slo}?w={window}")),
    ]
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(_slos(), _SETTINGS)
def test_filled_in_or_printed_directly_the_bytes_are_the_same(slo: ServiceLevelObjective, chosen: Settings) -> None:
    """Whatever names, values and impacts hold: quotes, backslashes, templates, odd characters."""
    service = replace(all_services()[0], slos=(slo,), journeys=())
    assert render_rules(service, chosen).content.partition("groups:\n")[2] == groups_text(slo, chosen)


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.name)
def test_every_spec_of_the_repository_has_a_shape(spec: Path) -> None:
    """Real SLOs are filled in, not printed directly, and come out the same."""
    chosen = settings_beside(spec)
    (service,) = validate_specs([source_of(spec)], chosen).services
    for slo in service.slos:
        shape = shape_of(slo)
        assert shape is not None
        assert render_rules(replace(service, slos=(slo,), journeys=()), chosen).content.endswith(
            groups_text(slo, chosen)
        )


def test_names_do_not_make_a_shape_and_everything_else_does() -> None:
    """SLOs that differ in names only share a shape; in labels, numbers or policy, they don't."""
    other = replace(MODEL, service="another-service-name", name="x", owner="y", impact="It's late: {{ wait }}")
    first, second = shape_of(MODEL), shape_of(other)
    assert first is not None
    assert second is not None
    assert first.slo == second.slo
    for different in (
        replace(MODEL, objective_percent=99.0),
        replace(MODEL, group_by=GroupBy(("path",), 5)),
        replace(MODEL, service="s" * 50),
        replace(MODEL, alerting=replace(MODEL.alerting, shadow=True)),
        replace(MODEL, indicator=Probe(MODEL.indicator.total)),
    ):
        shape = shape_of(different)
        assert shape is not None
        assert shape.slo != first.slo


@pytest.mark.parametrize("odd", ["two\nlines", "a\ttab", "\ue0000\ue001", "a line\u2028end", "%q"])
def test_what_can_not_be_filled_in_is_printed_directly(odd: str) -> None:
    """Characters that change how YAML or Go's templates read a text, and marks themselves, have no shape."""
    matcher = Matcher("code", MatchOp.EQUAL, odd)
    assert shape_of(replace(MODEL, indicator=Probe(Selector("up", (matcher,))))) is None
