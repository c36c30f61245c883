"""What a page says once it fires, expanded by a real Prometheus: budget, time left, spenders, links of its window."""

import re
import time
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from sereno_slo import Settings
from sereno_slo.model import Links
from support.ports import free_port
from support.slo_specs import compiled, rules_of, spec_text
from support.waiting import wait_for

from benchmarks.simulation import MINUTE, Series, write
from benchmarks.simulation.server import serving

SLO = {"service": "api", "slo": "calls"}
LINKS = Links(
    runbooks="https://runbooks.example.org",
    dashboards="https://grafana.example.org",
    logs="https://logs.example.org/{service}/{slo}?last={window}&from={from}&to={to}&iso={from_iso}/{to_iso}",
)
SPEC = spec_text(
    slo="    impact: People can't pay\n    group_by: {labels: [region], limit: 9, alert: true}\n"
    "    depends_on: [postgres/reads, kafka/delivery]\n"
    "    stands_on: [{alert: PostgreSQLDown, match: 'job=\"pg\"'}, {alert: DiskGone, match: 'job=\"pg\"'}]\n"
)
WINDOWS = {"5m": 5, "30m": 30, "1h": 60, "2h": 120, "6h": 360, "1d": 1440, "3d": 4320}
Alerts = Mapping[tuple[str, str, str], Mapping[str, Any]]


def _alerting_rules_alone(folder: Path) -> Path:
    """Judged every second, on series that the test writes instead of recording rules."""
    groups = yaml.safe_load(rules_of(compiled(SPEC, Settings(links=LINKS), are_all=False)).content)["groups"]
    rules = [rule for group in groups for rule in group["rules"] if rule.get("alert") == "SLOErrorBudgetBurn"]
    rules += [rule for group in groups for rule in group["rules"] if rule.get("alert") == "SLOBudgetExhausted"]
    path = folder / "alerts.rules.yaml"
    path.write_text(yaml.safe_dump({"groups": [{"name": "alerts", "interval": "1s", "rules": rules}]}))
    return path


def _series(now_ms: int) -> Iterator[Series]:
    """Half of the events of the last hour failed, most of them in one region; a fifth of the budget is left."""
    times_ms = now_ms - MINUTE * np.arange(119, -2, -1, dtype=np.int64)  # a minute ahead: the server goes on

    def flat(name: str, value: float, **labels: str) -> Series:
        return Series(SLO | {"__name__": name} | labels, times_ms, np.full(len(times_ms), float(value)))

    of_postgres = {"service": "postgres", "slo": "reads"}
    yield Series(of_postgres | {"__name__": "sereno:error_ratio:1h"}, times_ms, np.full(len(times_ms), 0.025))
    yield Series(of_postgres | {"__name__": "sereno_slo_objective_ratio"}, times_ms, np.full(len(times_ms), 0.99))
    gone = {"__name__": "ALERTS", "alertname": "PostgreSQLDown", "alertstate": "pending", "job": "pg"}
    yield Series(gone | {"instance": "db:9187"}, times_ms, np.ones(len(times_ms)))
    yield Series(gone | {"instance": "other:9187", "job": "other"}, times_ms, np.ones(len(times_ms)))
    for prefix, labels, bad in (("", {}, 60), ("group_", {"region": 'eu "west"'}, 50)):
        yield flat(f"sereno:{prefix}events:delta1m", 120, **labels)
        yield flat(f"sereno:{prefix}bad_events:delta1m", bad, **labels)
        yield flat(f"sereno:{prefix}events:expected5m", 600, **labels)
        yield flat(f"sereno:{prefix}events:window", 6_000_000, **labels)
        yield flat(f"sereno:{prefix}error_budget_remaining:ratio", 0.2, **labels)
        for window, minutes in WINDOWS.items():
            yield flat(f"sereno:{prefix}events:{window}", 120 * minutes, **labels)
            yield flat(f"sereno:{prefix}bad_events:{window}", bad * minutes, **labels)
            yield flat(f"sereno:{prefix}error_ratio:{window}", bad / 120, **labels)
    deployed = {"service": "api", "environment": "production", "production": "true", "sha": "f95f852bd8fca8fcc58a9a2d"}
    for environment, production, hours in (
        ("production", "true", 1.5),
        ("prod-us", "true", 3),
        ("staging", "false", 1),
    ):
        labels = deployed | {"environment": environment, "production": production, "version": "v2" if hours < 2 else ""}
        moment = np.full(len(times_ms), now_ms / 1000 - 3600 * hours)
        yield Series({"__name__": "sereno_dora_deployed_timestamp_seconds"} | labels, times_ms, moment)
    for region, a_minute in (('eu "west"', 50), ("us", 7), ("asia", 2), ("africa", 1)):
        counted = a_minute * np.arange(len(times_ms), dtype=float)
        labels = {"job": "api", "instance": f"{region}:80", "region": region, "code": "500"}
        yield Series({"__name__": "requests_total"} | labels, times_ms, counted)


@pytest.fixture(scope="module")
def alerts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Alerts]:
    """The firing alerts by name, burn and group."""
    folder = tmp_path_factory.mktemp("prometheus")
    config = folder / "prometheus.yml"
    config.write_text(yaml.safe_dump({"rule_files": [str(_alerting_rules_alone(folder))]}))
    address = f"127.0.0.1:{free_port()}"
    command = ["prometheus", f"--config.file={config}", f"--storage.tsdb.path={folder / 'data'}"]
    command += [f"--web.listen-address={address}", "--web.enable-remote-write-receiver", "--log.level=warn"]
    # The head takes two hours at once, in any order of series.
    command += ["--storage.tsdb.min-block-duration=2000d", "--storage.tsdb.max-block-duration=2000d"]
    with serving(command, address, folder / "prometheus.log") as server:
        write(server, _series(int(time.time() * 1000)))

        def firing() -> Alerts:
            found = server.http.get(f"{server.url}/api/v1/alerts").json()["data"]["alerts"]
            return {
                (one["labels"]["burn"], one["labels"]["long_window"], one["labels"].get("region", "")): one
                for one in found
                if one["state"] == "firing" and "burn" in one["labels"]
            }

        wait_for(lambda: len(firing()) >= 6, what="alerts of the whole and of a group")
        yield firing()


def test_every_template_is_expanded(alerts: Alerts) -> None:
    """No braces and no error of a template reach anybody."""
    for alert in alerts.values():
        for name, text in alert["annotations"].items():
            assert "{{" not in text, name
            assert "error expanding" not in text, text


def test_page_says_what_burns_what_is_left_and_who_spends_it(alerts: Alerts) -> None:
    """In the spec's words, then in numbers that were asked for as it fired."""
    page = alerts["fast", "1h", ""]["annotations"]
    assert page["summary"].startswith("People can't pay: api/calls")
    assert "errors came 500.0 times as fast as the objective of 99.9% allows" in page["description"]
    assert "Error budget left: -49900.0%" in page["description"]  # half of all entries there are were bad
    # A fifth of 6,000 allowed failures, at 3,600 an hour: 20 minutes.
    assert "at the pace of the last 1h gone in 20m 0s." in page["description"]
    assert re.search(r'Most by region: eu "west" \(\d+\), us \(\d+\), asia \(\d+\)\.', page["description"])
    assert "africa" not in page["description"]


def test_page_says_how_its_dependencies_do(alerts: Alerts) -> None:
    """By their own objectives, and which of them nothing is known of."""
    text = alerts["fast", "1h", ""]["annotations"]["description"]
    assert "Depends on postgres/reads: over the last hour 2.5 times as many failures as its objective allows." in text
    assert "Depends on kafka/delivery, of which nothing is known." in text


def test_page_tells_whether_the_cause_below_is_gone(alerts: Alerts) -> None:
    """Already while that alert waits to fire; of others with the same name nothing is said."""
    text = alerts["fast", "1h", ""]["annotations"]["description"]
    assert "\nStands on PostgreSQLDown, which is pending on db:9187.\nStands on DiskGone, which is calm." in text


def test_page_names_what_was_deployed_shortly_before(alerts: Alerts) -> None:
    """To production, within the alert's window or an hour before: not what went out long ago, or elsewhere."""
    deployed = {
        window: re.findall(r"\nDeployed to (.*?\))\.", alerts[burn, window, ""]["annotations"]["description"])
        for burn, window in (("fast", "1h"), ("slow", "6h"))
    }
    (fast,), (slow,) = deployed["1h"], deployed["6h"]
    assert re.fullmatch(r"production 1h 30m \d+s ago \(v2 f95f852bd8\)", fast)
    assert sorted(re.findall(r"([a-z-]+) \dh .*? ago (\(.*?\))", slow)) == [
        ("prod-us", "(f95f852bd8)"),
        ("production", "(v2 f95f852bd8)"),
    ]


def test_links_show_the_window_of_the_alert(alerts: Alerts) -> None:
    """At any later time, too: absolute moments, an hour before the window for the dashboard."""
    page, now_ms = alerts["fast", "1h", ""], time.time() * 1000
    notes = page["annotations"]
    assert notes["runbook_url"] == "https://runbooks.example.org/SLOErrorBudgetBurn.md"
    (begin,) = re.findall(r"^https://grafana.example.org/d/[a-z-]+\?from=(\d+)&to=now$", notes["dashboard_url"])
    assert now_ms - int(begin) == pytest.approx(2 * 60 * MINUTE, abs=MINUTE)
    link = r"^https://logs.example.org/api/calls\?last=1h&from=(\d+)&to=(\d+)&iso=(.+)/(.+)$"
    ((first, last, first_iso, last_iso),) = re.findall(link, notes["logs_url"])
    assert int(last) - int(first) == 60 * MINUTE
    for moment_ms, iso in ((first, first_iso), (last, last_iso)):
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", iso)
        assert datetime.fromisoformat(iso).timestamp() == int(moment_ms) // 1000
    assert f"@timestamp:[{first} TO {last}]" in notes["logs_query"]
    assert 'service.name:"api"' in notes["logs_query"]


def test_alert_of_a_group_is_about_that_group(alerts: Alerts) -> None:
    """Its odd name is quoted as it has to be, and its own budget is asked for."""
    page = alerts["fast", "1h", 'eu "west"']
    assert page["labels"]["grouped_by"] == "region"
    assert 'api/calls eu "west" burns' in page["annotations"]["summary"]
    assert "errors came 416.7 times as fast" in page["annotations"]["description"]
    assert "gone in 24m 0s." in page["annotations"]["description"]
    assert "Most by" not in page["annotations"]["description"]
