"""Whatever another tool's spec says, what is made of it is valid, or an error says why there is nothing."""

from typing import Any

import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sereno_slo import Settings, SourceFile, has_errors, validate_specs
from sereno_slo.codes import CODES
from sereno_slo.convert import convert, readable

texts = st.text(st.characters(codec="utf-8"), max_size=12) | st.sampled_from(
    [
        "on",
        "null",
        "1e3",
        "a: b",
        "#",
        "calls",
        "Über all",
        "overview",
        "x" * 70,
        "a\n\n b \n",
        "'\"",
        "- -",
        "{{.window}}",
    ]
)
scalars = st.none() | st.booleans() | st.integers(-5, 200) | st.floats(allow_nan=False) | texts
junk = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(texts, inner, max_size=2), max_leaves=4
)
SELECTORS = [
    'requests_total{job="api"}',
    'requests_total{job="api",code=~"5.."}',
    "requests_total",
    'latency_seconds_count{job="api"}',
    'latency_seconds_bucket{job="api",le="0.25"}',
    'latency_seconds_bucket{job="api",le="+Inf"}',
    'latency_ms_bucket{le="250"}',
    'm{a="\\"\\n\'"}',
    'm{a=~"(?i)x"}',
]
ODD_SELECTORS = ["sum", "{a='b'}", 'm{a=~"("}', "sum(m)", "m offset 5m"]


def _rarely(odd: st.SearchStrategy[Any], usual: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Hardly ever the odd one: an SLO has dozens of parts, and one that is wrong condemns it."""
    return st.integers(0, 59).flatmap(lambda number: odd if number == 59 else usual)


selectors = _rarely(texts | st.sampled_from(ODD_SELECTORS), st.sampled_from(SELECTORS))
rates = _rarely(selectors, st.builds("sum(rate({}[{{{{.window}}}}]))".format, selectors))
counts = _rarely(st.builds("{} - {}".format, rates, rates), rates | st.builds("({}) or vector(0)".format, rates))
ratios = st.builds("{} / {}".format, rates, rates) | st.builds("1 - ({} / {})".format, rates, rates)
words = _rarely(texts, st.text("abXY 1-_Ü", min_size=1, max_size=9) | st.sampled_from(["1e3", "on", "null", "17"]))
labels = st.dictionaries(texts | st.sampled_from(["owner", "team", "severity"]), texts, max_size=3)
objectives = _rarely(scalars, st.sampled_from([99.9, 99, 95]))


def _mapping(**values: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """These keys, each of which may rarely be something else altogether, and rarely one is missing or one more."""
    usual = st.fixed_dictionaries({key: _rarely(junk, value) for key, value in values.items()})
    fewer = st.fixed_dictionaries({}, optional=values)
    further = _rarely(st.dictionaries(texts, junk, max_size=1), st.just({}))
    return st.builds(lambda one, more: {**one, **more}, _rarely(fewer, usual), further)


sloth = _mapping(
    version=st.just("prometheus/v1"),
    service=words,
    labels=labels,
    slos=st.lists(
        _mapping(
            name=words,
            objective=objectives,
            description=texts,
            labels=labels,
            sli=_mapping(events=_mapping(error_query=counts, total_query=rates))
            | _mapping(raw=_mapping(error_ratio_query=ratios)),
            alerting=_mapping(
                name=texts,
                labels=labels,
                page_alert=_mapping(disable=st.booleans()),
                ticket_alert=_mapping(labels=labels),
            ),
        ),
        min_size=1,
        max_size=3,
    ),
)
metric = _mapping(metric=selectors)
pyrra = _mapping(
    apiVersion=st.just("pyrra.dev/v1alpha1"),
    kind=st.just("ServiceLevelObjective"),
    metadata=_mapping(name=words, namespace=texts, labels=labels),
    spec=_mapping(
        target=objectives.map(str),
        window=_rarely(st.sampled_from(["1h", "x"]), st.sampled_from(["4w", "30d"])),
        indicator=_mapping(ratio=_mapping(errors=metric, total=metric, grouping=st.lists(texts, max_size=2)))
        | _mapping(latency=_mapping(success=metric, total=metric))
        | _mapping(latencyNative=_mapping(latency=st.sampled_from(["1s", "0s", "fast"]), total=metric))
        | _mapping(bool_gauge=metric),
        alerting=_mapping(disabled=st.booleans(), name=texts),
    ),
)


def _source(queries: st.SearchStrategy[str]) -> st.SearchStrategy[dict[str, Any]]:
    kind = _rarely(st.just("Datadog"), st.just("Prometheus"))
    return _mapping(metricSource=_mapping(type=kind, spec=_mapping(query=queries)))


names = st.sampled_from(["one", "two"])
conditions = st.lists(
    _mapping(
        kind=st.just("AlertCondition"),
        spec=_mapping(
            severity=st.sampled_from(["page", "ticket", "odd"]),
            condition=_mapping(
                kind=st.just("burnrate"),
                threshold=st.sampled_from([2, 14.4, 0, -1, 1e9, 1e-9, "nan"]),
                lookbackWindow=st.sampled_from(["1h", "7m", "400m", "3d", "1m", "0h", "1M"]),
                alertAfter=st.just("5m"),
            ),
        ),
    ),
    max_size=2,
)
openslo = _mapping(
    apiVersion=st.just("openslo/v1"),
    kind=st.just("SLO"),
    metadata=_mapping(name=words, displayName=texts, labels=labels),
    spec=_mapping(
        service=names,
        description=texts,
        indicator=_mapping(
            spec=_mapping(ratioMetric=_mapping(counter=st.booleans(), good=_source(counts), total=_source(rates)))
            | _mapping(thresholdMetric=_source(selectors))
        ),
        timeWindow=st.lists(
            _mapping(
                duration=_rarely(st.sampled_from(["9Y", "1h"]), st.sampled_from(["28d", "1M", "1Q"])),
                isRolling=st.booleans(),
            ),
            min_size=1,
            max_size=1,
        ),
        budgetingMethod=_rarely(st.just("Timeslices"), st.just("Occurrences")),
        objectives=st.lists(
            _mapping(
                target=_rarely(scalars, st.just(0.99)),
                op=st.sampled_from(["lt", "gte"]),
                value=scalars,
                displayName=texts,
            ),
            min_size=1,
            max_size=3,
        ),
        alertPolicies=_rarely(
            st.just(["one"]),
            st.lists(_mapping(spec=_mapping(alertWhenBreaching=st.booleans(), conditions=conditions)), max_size=2),
        ),
    ),
)


def _marked(document: dict[str, Any], kind: str) -> dict[str, Any]:
    """The document with the head that its tool is known by, whatever chance made of it."""
    heads: dict[str, dict[str, Any]] = {
        "sloth": {"version": "prometheus/v1"},
        "pyrra": {"apiVersion": "pyrra.dev/v1alpha1", "kind": "ServiceLevelObjective"},
        "openslo": {"apiVersion": "openslo/v1", "kind": "SLO"},
    }
    return {**document, **heads[kind]}


documents = (
    st.builds(_marked, sloth, st.just("sloth"))
    | st.builds(_marked, pyrra, st.just("pyrra"))
    | st.builds(_marked, openslo, st.just("openslo"))
)


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(st.lists(documents, min_size=1, max_size=2), st.booleans())
def test_what_is_written_is_always_valid(found: list[dict[str, Any]], is_shadow: bool) -> None:
    """No spec that is made of another tool's has a mistake, and where an SLO is missing an error says so."""
    text = yaml.safe_dump_all(found, sort_keys=False, allow_unicode=True)
    read = readable([SourceFile("spec.yaml", text)])
    if has_errors(read.diagnostics):
        return
    conversion = convert(read.documents, is_shadow=is_shadow)
    validation = validate_specs([spec.source for spec in conversion.specs], Settings())
    assert not has_errors(validation.diagnostics), (text, conversion.specs, validation.diagnostics)
    assert conversion.specs or has_errors(conversion.diagnostics), text
    if is_shadow:
        assert all(slo.alerting.shadow for service in validation.services for slo in service.slos)
    for diagnostic in conversion.diagnostics:
        assert diagnostic.code in CODES
        assert diagnostic.hint
        assert diagnostic.span.path == "spec.yaml"
        assert 1 <= diagnostic.span.line <= len(text.splitlines()) + 1
