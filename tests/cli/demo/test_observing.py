"""What a story asks of what people are told."""

from pathlib import Path
from typing import Any

import pytest
from sereno_cli.demo.observing import told_badly

REPOSITORY = Path(__file__).parents[3]
GOOD = {
    "summary": "Payments fail",
    "impact": "People can't pay",
    "description": "60% of the last minutes' events were bad.",
    "runbook_url": "https://example.org/sereno/runbooks/SLOErrorBudgetBurn.md",
    "dashboard_url": "http://grafana.example.org/d/x",
    "logs_query": "service.name: payments",
}
SLO = {"service": "payments", "slo": "availability"}


def _incident(labels: dict[str, str], **annotations: str) -> dict[str, Any]:
    return {"alerts": [{"labels": labels, "annotations": GOOD | annotations}]}


def test_a_page_with_everything_is_told_well() -> None:
    """A server's own page needs no query of logs."""
    assert told_badly(_incident(SLO), REPOSITORY) == ()
    assert told_badly(_incident({"service": "redis"}, logs_query="", dashboard_url=""), REPOSITORY) == ()


@pytest.mark.parametrize(
    ("annotations", "mistake"),
    [
        ({"summary": " "}, "summary is empty"),
        ({"logs_query": ""}, "logs_query is empty"),
        ({"description": "<error expanding template: x>"}, "description holds a template that failed: <error"),
        ({"impact": "{{ $labels.job }}"}, "impact holds a template that failed: {{ $labels.job }}"),
        ({"runbook_url": "https://example.org/sereno/runbooks/Nothing.md"}, "there is no runbook Nothing.md"),
        ({"runbook_url": ""}, "runbook_url is empty"),
    ],
)
def test_what_is_missing_is_named(annotations: dict[str, str], mistake: str) -> None:
    """Each by itself."""
    assert told_badly(_incident(SLO, **annotations), REPOSITORY)[0].startswith(mistake)
