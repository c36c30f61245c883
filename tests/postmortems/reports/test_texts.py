"""Reports and handovers: complete, and nothing that a label or a person said is markup in them."""

import re
from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree as ET

from sereno_backends.alertmanager import Silence
from sereno_backends.incidents import AlertStatus, EntryKind, Incident, IncidentAlert, IncidentEntry, Notification
from sereno_postmortems.reports import (
    BudgetLeft,
    Rules,
    Unasked,
    charts_of,
    handover_of,
    month_of,
    render_handover,
    render_report,
    summary_of,
)
from sereno_postmortems.reports.monthly import chart_files
from support.incidents import at

RULES = Rules(UTC)
HOSTILE = "<script>alert(1)</script> ![x](http://evil.invalid/x.png) | {{7*7}} {% raw %}\n# heading \x1b[2J"


def entry(kind: EntryKind, minute: int, text: str = HOSTILE, helped: bool | None = None) -> IncidentEntry:
    """What somebody with a hostile name wrote."""
    return IncidentEntry(f"e{minute}", kind, HOSTILE, at(2, minute), at(2, minute), text, helped)


def hostile(ends_at: datetime | None = None) -> Incident:
    """A page whose every text is hostile."""
    labels = {"alertname": HOSTILE, "severity": "critical", "owner": HOSTILE}
    annotations = {"summary": HOSTILE, "runbook_url": "https://r.example/burn", "dashboard_url": HOSTILE}
    return Incident(
        incident_id="2026-11-22-shop-availability",
        service=HOSTILE,
        slo="availability",
        group_labels={"service": HOSTILE, "slo": "availability"},
        opened_at=at(2),
        resolved_at=ends_at,
        alerts=(IncidentAlert("f", labels, annotations, at(2), ends_at),),
        notifications=(Notification(at(2, 0, 9), AlertStatus.FIRING, "page", "k", ("f",), ()),),
        entries=(
            entry(EntryKind.ACKNOWLEDGEMENT, 3, ""),
            entry(EntryKind.MITIGATION, 5, helped=False),
            entry(EntryKind.MITIGATION, 9, "rolled back", helped=True),
            entry(EntryKind.IMPACT, 12),
        ),
    )


def assert_inert(text: str) -> None:
    """No tag, no image that isn't ours, no heading or cell of theirs, nothing that steers a terminal."""
    assert "<" not in text
    assert "\x1b" not in text
    assert not re.search(r"(?<!\\)\[x|(?<!\\)\]\(http", text)
    assert not re.search(r"^# heading", text, re.MULTILINE)
    for table in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE):
        cells = {len(re.findall(r"(?<!\\)\|", row)) for row in table.splitlines()}
        assert len(cells) == 1, table


def test_a_report_is_complete_and_inert() -> None:
    """Charts are named, every figure is in it, and hostile texts are only texts."""
    summary = summary_of([hostile(at(2, 40))], month_of("2026-11", UTC), RULES, at(12))
    charts = charts_of(summary)
    files = chart_files(charts, "Nov (1)")
    text = render_report(summary, RULES, at(12), files)
    assert_inert(text)
    for words in (
        "| Incidents | 1 | 1 page, 0 tickets |",
        "| Time to page, median | 9 s |",
        "| MTTA, median | 3 min |",
        "| MTTR, median | 40 min |",
        "| Pages by night | 1 |",
        "![Pages by night](Nov%20%281%29-pages-by-night.svg)",
    ):
        assert words in text
    assert [chart.name for chart in charts] == ["incidents-by-week", "medians-by-week", "pages-by-night"]
    for chart in charts:
        drawing = ET.fromstring(chart.svg)  # noqa: S314 - ours
        assert drawing.find("{http://www.w3.org/2000/svg}title") is not None
        assert "NaN" not in chart.svg
    assert ".svg" not in render_report(summary, RULES, at(12))


def test_a_quiet_month_is_a_report_too() -> None:
    """Nothing opened: said, without charts and without dividing by nothing."""
    summary = summary_of([], month_of("2026-11", UTC), RULES, at(12))
    assert "No incident was opened." in render_report(summary, RULES, at(12))
    assert charts_of(summary) == ()


def test_a_handover_tells_open_incidents_first_with_what_was_tried() -> None:
    """Who took it on, what helped and what didn't, links; then what ended, silences, and budgets."""
    older = hostile(at(1) - timedelta(days=2))
    silence = Silence("s", '{service="shop|<b>"}', at(1), at(9), HOSTILE, HOSTILE)
    handover = handover_of(
        [older, hostile()],
        since=at(0),
        now=at(3),
        silences=(silence,),
        budgets=(BudgetLeft(HOSTILE, "availability", 0.031),),
    )
    text = render_handover(handover, UTC)
    assert_inert(text)
    assert "1 open, 0 ended" in text
    order = [text.index(words) for words in ("Acknowledged: by", "Impact (", "didn't help", "rolled back", "Runbook:")]
    assert order == sorted(order)
    for words in ("- Runbook: `https://r.example/burn`", "(02:09, ", ", helped): rolled back", "09:00", "| 3.1 % |"):
        assert words in text
    ended = handover_of([hostile(at(2, 40))], since=at(0), now=at(3), silences=Unasked("nobody"), budgets=())
    told = render_handover(ended, UTC)
    assert_inert(told)
    assert "helped: rolled back |" in told
    assert "Not known: nobody." in told


def test_open_pages_come_before_open_tickets() -> None:
    """Whatever their age."""
    page = hostile()
    (alert,) = page.alerts
    old = IncidentAlert("t", {**alert.labels, "severity": "warning"}, {}, at(1), None)
    ticket = Incident("2026-11-22-a", "a", "b", {}, at(1), None, (old,), ())
    handover = handover_of([ticket, page], since=at(0), now=at(3), silences=(), budgets=())
    assert [one.incident_id for one in handover.still_open] == [page.incident_id, "2026-11-22-a"]
    assert "Acknowledged: **by nobody**" in render_handover(handover, UTC)
