"""What Sloth's queries count, the converted spec counts: judged by promtool, on one set of series."""

import shutil
from pathlib import Path
from typing import Any

import yaml
from sereno_cli.main import run
from support.slo_specs import promtool

SLOTH = Path(__file__).parent / "cases/sloth/checkout.yml"
# A minute's growth of the series of each SLO, as (series, growth): all events, and what tells the bad ones.
SERIES = {
    'http_requests_total{job="checkout",instance="a",code="200"}': 93,
    'http_requests_total{job="checkout",instance="a",code="429"}': 4,
    'http_requests_total{job="checkout",instance="a",code="503"}': 3,
    'http_requests_total{job="other",instance="a",code="503"}': 50,
    'http_request_duration_seconds_count{job="checkout",instance="a",path="/pay"}': 100,
    'http_request_duration_seconds_bucket{job="checkout",instance="a",path="/pay",le="0.4"}': 88,
    'http_request_duration_seconds_bucket{job="checkout",instance="a",path="/pay",le="+Inf"}': 100,
    'http_request_duration_seconds_count{job="checkout",instance="a",path="/health"}': 60,
    'http_request_duration_seconds_bucket{job="checkout",instance="a",path="/health",le="0.4"}': 10,
    'payments_sent_total{job="checkout",instance="a"}': 40,
    'payments_lost_total{job="checkout",instance="a"}': 1,
    'istio_request_duration_milliseconds_count{app="checkout",instance="a"}': 20,
    'istio_request_duration_milliseconds_bucket{app="checkout",instance="a",le="250"}': 17,
    'istio_request_duration_milliseconds_bucket{app="checkout",instance="a",le="+Inf"}': 20,
    'mesh_calls_total{instance="a"}': 10,
    'mesh_good_total{instance="a"}': 9,
}
# Events and bad events of an hour, by hand from the series above.
EXPECTED = {
    "requests-availability": (6000, 420),
    "requests-latency": (6000, 720),
    "payments-delivered": (2400, 60),
    "istio-latency": (1200, 180),
    "ratio-of-the-mesh": (600, 60),
}


def _of_sloth() -> dict[str, tuple[str, str]]:
    """Sloth's own queries over an hour; rates a second become counts."""
    found: dict[str, tuple[str, str]] = {}
    for slo in yaml.safe_load(SLOTH.read_text(encoding="utf-8"))["slos"]:
        events = slo["sli"].get("events")
        if events:
            total, bad = (events[key].replace("{{.window}}", "1h") for key in ("total_query", "error_query"))
            factor = 1 if "increase(" in total else 3600
            found[slo["name"]] = (f"({total}) * {factor}", f"({bad}) * {factor}")
    return found


def _wanted(expr: str, value: float) -> dict[str, Any]:
    return {"expr": f"round(sum({expr}))", "eval_time": "70m", "exp_samples": [{"labels": "{}", "value": value}]}


def test_the_same_events_are_counted(tmp_path: Path) -> None:
    """Over the same hour Sloth's queries and the compiled rules see as many events, and as many bad ones."""
    shutil.copy(SLOTH, tmp_path)
    assert run(["convert", str(tmp_path / SLOTH.name), "--out", str(tmp_path / "specs")]) == 1
    assert run(["compile", str(tmp_path / "specs"), "--out", str(tmp_path), "--only", "rules"]) == 0
    cases = []
    for slo, (events, bad_events) in EXPECTED.items():
        ours = f'{{service="checkout", slo="{slo}"}}'
        cases += [_wanted(f"sereno:events:1h{ours}", events), _wanted(f"sereno:bad_events:1h{ours}", bad_events)]
    for slo, (total, bad) in _of_sloth().items():
        cases += [_wanted(total, EXPECTED[slo][0]), _wanted(bad, EXPECTED[slo][1])]
    assert len(cases) == 18
    up = {'up{job="checkout",instance="a"}': 0}
    series = [{"series": name, "values": f"1+{growth}x75"} for name, growth in (SERIES | up).items()]
    document = {
        "rule_files": ["rules/checkout.rules.yaml"],
        "evaluation_interval": "1m",
        "tests": [{"interval": "1m", "input_series": series, "promql_expr_test": cases}],
    }
    (tmp_path / "test.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")
    answer = promtool("test", "rules", tmp_path / "test.yaml")
    assert answer.returncode == 0, answer.stdout + answer.stderr
