"""What a drill says of what it measured."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sereno_cli.demo.chapter import Ending
from sereno_cli.demo.drill_report import Drill, checks, is_as_expected, report
from sereno_cli.demo.systems import Expectation

ON = datetime(2026, 11, 27, 2, 0, tzinfo=UTC)
LABELS = {"alertname": "SLOErrorBudgetBurn", "severity": "critical", "service": "etl", "slo": "database"}


def after(seconds: float) -> str:
    """A moment of the drill, as the receiver writes it."""
    return (ON + timedelta(seconds=seconds)).isoformat()


def told(
    seconds: float, status: str = "firing", receiver: str = "default-page", fingerprint: str = "f1"
) -> dict[str, Any]:
    """A notification."""
    firing = [fingerprint] if status == "firing" else []
    return {"received_at": after(seconds), "status": status, "receiver": receiver, "firing": firing}


INCIDENT = {
    "incident_id": "2026-11-27-etl-database",
    "status": "resolved",
    "alerts": [
        {
            "name": "SLOErrorBudgetBurn",
            "labels": LABELS,
            "annotations": {"summary": "Nothing | is <b>stored</b>"},
            "fingerprint": "f1",
            "starts_at": after(24),
            "ends_at": after(400),
        }
    ],
    "notifications": [told(25), told(26, receiver="incidents"), told(401, "resolved")],
}
DRILL = Drill(
    name="etl/database-stopped",
    what="the database is gone",
    expects=Expectation("SLOErrorBudgetBurn", "critical", {"service": "etl", "slo": "database"}),
    on_at=ON,
    off_at=ON + timedelta(seconds=360),
    incident=INCIDENT,
    ending=Ending("etl/database-stopped", 0.9, 0.8, 120, None, 25.0, 41.0, Path("drafts/x.md"), 1.2),
    failure="",
    page_seconds=180,
    hold_seconds=360,
)


def test_all_well_is_said_with_figures_and_times() -> None:
    """Expected beside measured, then what happened, in order; texts of alerts are text."""
    text = report(DRILL)
    assert is_as_expected(DRILL)
    assert text.startswith("# Drill: etl/database-stopped\n\nAs expected. The fault: the database is gone.\n")
    assert "| fires after the fault |  | 24 s | yes |" in text
    assert "| told after the fault | at most 180 s | 25 s | yes |" in text
    assert "| messages of this page while it was on |  | 1 | yes |" in text
    assert "| resolved after the cure | at most 2430 s | 41 s | yes |" in text
    assert "| 02:00:24 | critical fires: Nothing \\| is &lt;b>stored&lt;/b> |" in text
    assert text.index("etl/database-stopped on") < text.index("critical fires") < text.index("database-stopped off")
    assert "It cost 10.00% of the error budget, 120 bad events." in text


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"page_seconds": 20.0}, "| told after the fault | at most 20 s | 25 s | no |"),
        (
            {"incident": INCIDENT | {"notifications": [told(20, fingerprint="a-ticket"), told(200)]}},
            "| told after the fault | at most 180 s | 200 s | no |",
        ),
        ({"incident": {}, "ending": None, "failure": "not observed in time"}, "(critical) | didn't come | no |"),
        (
            {"ending": replace(DRILL.ending, seconds_to_draft=7.0) if DRILL.ending else None},
            "| the postmortem's draft | at most 5 s | 7 s | no |",
        ),
    ],
    ids=["late", "a ticket in time", "nothing came", "slow draft"],
)
def test_what_is_not_as_expected_is_said(change: dict[str, Any], line: str) -> None:
    """In the verdict, and in its line."""
    drill = replace(DRILL, **change)
    text = report(drill)
    assert not is_as_expected(drill)
    assert "**Not as expected.**" in text
    assert line in text


def test_another_page_is_a_failure_whatever_the_figures_say() -> None:
    """The story ends with it, so no later line is there to say so."""
    drill = replace(DRILL, ending=None, failure="there is also: alertname=PostgreSQLDown")
    assert not is_as_expected(drill)
    assert "PostgreSQLDown" in report(drill)


def test_a_fault_that_only_logs_tell() -> None:
    """The record has to come, and no page."""
    ending = Ending("etl/connection-left-open", None, None, None, None, 2.0, None, None)
    drill = replace(DRILL, expects=Expectation("", "", {}, "never closed"), incident={}, ending=ending)
    assert [check.holds for check in checks(drill)] == [True, True]
    late = replace(drill, ending=replace(ending, seconds_to_page=300.0))
    assert not is_as_expected(late)
    assert '| "never closed" in the log after the fault | at most 180 s | 2.0 s | yes |' in report(drill)
