"""Sources and settings: what is read, what the defaults are, and what can't be read."""

from pathlib import Path

import pytest
from sereno_slo import (
    Diagnostic,
    Settings,
    Severity,
    SourceFile,
    has_errors,
    read_settings,
    read_source,
    validate_specs,
)
from sereno_slo.diagnostics import Span, in_reading_order
from sereno_slo.duration import Duration
from sereno_slo.model import (
    AlertingMode,
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
    Tier,
)
from sereno_slo.promql import Matcher, MatchOp, Selector
from support.slo_specs import GOOD_RATIO, LATENCY, REPOSITORY, TWO_METRICS, spec_text


def _only(text: str, settings: Settings | None = None) -> ServiceLevelObjective:
    validation = validate_specs([SourceFile("api.slo.yaml", text)], settings or Settings())
    assert not has_errors(validation.diagnostics), validation.diagnostics
    ((slo,),) = (service.slos for service in validation.services)
    return slo


def test_a_file_is_its_path_and_text(tmp_path: Path) -> None:
    """UTF-8 is read as it is, a byte order mark included."""
    path = tmp_path / "ü.slo.yaml"
    path.write_text("größe: 1\n", encoding="utf-8")
    assert read_source(path) == SourceFile(path.as_posix(), "größe: 1\n")


@pytest.mark.parametrize(
    ("name", "code", "said"),
    [
        ("missing", "SLO040", "no such file"),
        ("folder", "SLO001", "Is a directory"),
        ("latin", "SLO001", "byte 2 is not UTF-8"),
        ("latin/below", "SLO001", "Not a directory"),
        ("n" * 300, "SLO001", "name too long"),
    ],
)
def test_what_can_not_be_read_is_a_diagnostic(name: str, code: str, said: str, tmp_path: Path) -> None:
    """No path brings an exception."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "latin").write_bytes("grün".encode("latin-1"))
    problem = read_source(tmp_path / name)
    assert isinstance(problem, Diagnostic)
    assert problem.code == code
    assert said in problem.message
    assert problem.hint


def test_a_byte_order_mark_is_no_mistake() -> None:
    """Editors of another system begin a file with one."""
    assert _only("\ufeff" + spec_text()).name == "calls"


def test_settings_have_defaults() -> None:
    """Without a sereno.yaml, with an empty mapping and with this repository's own, the same holds."""
    assert read_settings(None) == (Settings(), ())
    assert read_settings(SourceFile("sereno.yaml", "{}")) == (Settings(), ())
    text = (REPOSITORY / "sereno.yaml").read_text(encoding="utf-8")
    assert read_settings(SourceFile("sereno.yaml", text)) == (Settings(), ())


def test_settings_replace_defaults() -> None:
    """Each setting is taken as it is written; a base loses its last slash, an empty one leaves the link out."""
    text = """
window: 28d
owner_label: team
identity_labels: [cluster, pod]
process_start_metric: null
evaluation_delay: 90s
links: {runbooks: "https://r.example.org/x/", dashboards: "", logs: "https://l.example.org/{service}",
  trace: "https://t.example.org/?id={trace_id}"}
"""
    settings, mistakes = read_settings(SourceFile("sereno.yaml", text))
    assert mistakes == ()
    links = Links(
        "https://r.example.org/x",
        "",
        "https://l.example.org/{service}",
        trace="https://t.example.org/?id={trace_id}",
    )
    assert settings == Settings(Duration.parse("28d"), "team", ("cluster", "pod"), None, Duration.parse("90s"), links)


@pytest.mark.parametrize(
    ("indicator", "model"),
    [
        ("{threshold: {metric: age, max: 15m}}", Threshold(Selector("age"), None, 900)),
        ("{threshold: {metric: room, min: -5.5, max: 30}}", Threshold(Selector("room"), -5.5, 30)),
        ("{probe: {metric: up, match: 'job=\"x\"'}}", Probe(Selector("up").where(job="x"))),
        (
            "{latency: {metric: seconds, threshold: 320ms, histogram: native}}",
            NativeLatency(Selector("seconds"), 0.32),
        ),
    ],
)
def test_each_kind_is_what_it_says(indicator: str, model: Indicator) -> None:
    """Durations are bounds in seconds, numbers bounds as they are; a native histogram is one series."""
    assert _only(spec_text(indicator=indicator)).indicator == model


def test_groups_are_limited_by_default() -> None:
    """A label nobody thought about must not bring down Prometheus."""
    assert _only(spec_text(slo="    group_by: {labels: [http_route]}\n")).group_by == GroupBy(("http_route",), 50)


def test_the_window_comes_from_the_slo_or_the_settings() -> None:
    """An SLO's own window wins."""
    weekly = Settings(window=Duration.parse("7d"))
    assert str(_only(spec_text(), weekly).window) == "7d"
    assert str(_only(spec_text(slo="    window: 14d\n"), weekly).window) == "14d"


def test_what_a_spec_leaves_out_has_a_meaning() -> None:
    """Standard services alert on budget really spent, critical ones on the ratio as well; an impact is never empty."""
    slo = _only(spec_text())
    assert (slo.tier, slo.alerting.mode) == (Tier.STANDARD, AlertingMode.BUDGET)
    assert (slo.alerting.min_bad_events, slo.alerting.keep_firing_for) == (12, None)
    minutes = _only(spec_text(indicator="{threshold: {metric: age, max: 15m}}"))
    assert minutes.alerting.min_bad_events == 5
    assert (slo.description, slo.impact) == ("", "Users of api are affected")
    assert _only(spec_text(spec="tier: critical\n")).alerting.mode is AlertingMode.BOTH
    assert (
        _only(spec_text(spec="tier: critical\n", slo="    alerting: {mode: ratio}\n")).alerting.mode
        is AlertingMode.RATIO
    )
    assert _only(spec_text(slo="    alerting: {keep_firing_for: 10m}\n")).alerting.keep_firing_for == Duration.parse(
        "10m"
    )


def test_objectives_are_percent_and_ratios_are_exact() -> None:
    """99.9 % is 0.999 and leaves 0.001, not what binary floating point makes of it."""
    slo = _only(spec_text(objective="99.9"))
    assert (slo.objective_percent, slo.objective_ratio, slo.error_budget_ratio) == (99.9, 0.999, 0.001)


def test_bad_events_of_one_metric_are_part_of_all_events() -> None:
    """The matchers of bad events are added to those of all events."""
    job = Matcher("job", MatchOp.EQUAL, "api")
    total = Selector("requests_total", (job,))
    assert _only(spec_text()).indicator == BadEventsRatio(total, total.where(Matcher("code", MatchOp.REGEX, "5..")))
    assert _only(spec_text(indicator=GOOD_RATIO)).indicator == GoodEventsRatio(total, total.where(code="200"))
    assert _only(spec_text(indicator=TWO_METRICS)).indicator == BadEventsRatio(
        total, Selector("failures_total", (job,))
    )


@pytest.mark.parametrize(
    ("threshold", "bound"),
    [
        ("300ms", Matcher("le", MatchOp.EQUAL, "0.3")),
        ("2500ms", Matcher("le", MatchOp.EQUAL, "2.5")),
        ("1s", Matcher("le", MatchOp.REGEX, r"1(\.0)?")),
        ("1m", Matcher("le", MatchOp.REGEX, r"60(\.0)?")),
        ("1ms", Matcher("le", MatchOp.EQUAL, "0.001")),
    ],
)
def test_bounds_are_matched_as_clients_write_them(threshold: str, bound: Matcher) -> None:
    """One client library writes the bound of a second as 1, another as 1.0: both are the bucket."""
    indicator = _only(spec_text(indicator=LATENCY.replace("300ms", threshold))).indicator
    assert isinstance(indicator, Latency)
    assert indicator.fast.matchers[-1] == bound
    assert indicator.total.metric == "duration_seconds_count"


def test_aliases_mean_what_they_stand_for() -> None:
    """An anchor saves typing, also twice in one file."""
    text = spec_text(indicator="&same " + LATENCY) + "  - name: other\n    objective: 99\n    indicator: *same\n"
    (service,) = validate_specs([SourceFile("api.slo.yaml", text)], Settings()).services
    assert service.slos[0].indicator == service.slos[1].indicator


def test_words_of_yaml_1_1_are_words() -> None:
    """`on`, `no`, `1_000` and `12:30` are text, as in YAML 1.2: a service called `on` needs no quotes."""
    assert _only(spec_text().replace("owner: team", "owner: on")).owner == "on"
    assert _only(spec_text(slo="    impact: no\n")).impact == "no"
    assert _only(spec_text(slo="    impact: 12:30\n")).impact == "12:30"


def test_diagnostics_read_from_top_to_bottom() -> None:
    """File by file, line by line, then by code."""
    places = [("b", 1, 1), ("a", 10, 1), ("a", 9, 7), ("a", 9, 2)]
    found = in_reading_order(Diagnostic("SLO001", Span(*place), "x") for place in places)
    assert [(d.span.path, d.span.line, d.span.column) for d in found] == sorted(places)


def test_diagnostics_print_as_editors_read_them() -> None:
    """Place, severity, code, what and the cure; a file as a whole is its first character, and a line is one line."""
    mistake = Diagnostic("SLO012", Span("x.slo.yaml", 7, 14), "objective 0.999 is a ratio", "write 99.9")
    assert str(mistake) == "x.slo.yaml:7:14: error[SLO012]: objective 0.999 is a ratio (write 99.9)"
    warning = Diagnostic("SLO030", Span("a\nb"), "said\x1b[31m", severity=Severity.WARNING)
    assert str(warning) == r"a\nb:1:1: warning[SLO030]: said\x1b[31m"
