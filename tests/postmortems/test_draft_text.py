"""The text of a draft: complete, marked, reproducible, and inert whatever labels and logs say."""

import re
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token
from sereno_backends.incidents import EntryKind, IncidentEntry
from sereno_backends.logs import LogRecord, open_log_store
from sereno_backends.prometheus import PrometheusClient
from sereno_postmortems.draft import Evidence, draw_charts, gather, open_logs, open_metrics, render_draft
from sereno_postmortems.store import IncidentStore
from support.incident_story import ALERT, entry_time, history, minute, record, write_incident, write_logs
from support.incidents import reported, webhook
from support.prometheus import HistorySample, running_prometheus

NOW = minute(150)
HOSTILE = (
    "x\n\n# pwned\n<script>alert(1)</script>\n```\n[a](javascript:b) ![i](http://evil.invalid/i.png) | c | `d` "
    '<img src=x onerror=y> {{ 7*7 }} {% raw %} "quoted" \\ \u202e &lt;b&gt; https://evil.invalid www.evil.invalid'
)
SECTIONS = [
    "Summary",
    "Impact",
    "Timeline",
    "Detection and response",
    "Log evidence",
    "Analysis",
    "Lessons",
    "Action items",
    "Sources",
]
QUESTIONS = [
    "Which services were affected?",
    "What caused it?",
    "Do logs, traces and metrics show degradation or an attack?",
    "How was service restored?",
    "What must change so that it does not happen again?",
]


@pytest.fixture(scope="module")
def evidence(tmp_path_factory: pytest.TempPathFactory) -> Evidence:
    """The story's evidence from real sources."""
    directory = tmp_path_factory.mktemp("text")
    write_incident(directory / "i.sqlite")
    write_logs(directory / "l.sqlite")
    return gathered(directory, list(history()))


def gathered(directory: Path, samples: list[HistorySample]) -> Evidence:
    """The evidence of the one incident in a directory's database and log store."""
    store = open_log_store(str(directory / "l.sqlite"))
    (incident,) = IncidentStore(directory / "i.sqlite").incidents()
    with (
        running_prometheus(directory / "p", history=samples) as server,
        PrometheusClient(server.url) as client,
    ):
        metrics, logs = open_metrics(client, NOW), open_logs(store, NOW)
        found = gather(incident, "the record", metrics, logs, now=NOW, progress=lambda _: None)
    store.close()
    return found


def tokens(text: str) -> list[Token]:
    """Every token of a rendered text, the inline ones included."""
    reader = MarkdownIt("commonmark").enable(["table", "strikethrough"])
    return [token for block in reader.parse(text) for token in [block, *(block.children or [])]]


def headings(text: str, level: str) -> list[str]:
    """The texts of the headings of a level, as a reader finds them."""
    found = tokens(text)
    return [
        following.content for token, following in pairwise(found) if token.type == "heading_open" and token.tag == level
    ]


def test_the_draft_has_its_sections_and_questions(evidence: Evidence) -> None:
    """Every section and every question of the analysis is there, each question with a place to tell."""
    text = render_draft(evidence)
    assert headings(text, "h2") == SECTIONS
    asked = headings(text, "h3")
    assert [heading for heading in asked if heading in QUESTIONS] == QUESTIONS
    analysis = text.split("## Analysis")[1].split("## Lessons")[0]
    assert analysis.count("*told:* …") == len(QUESTIONS)
    assert "| action | kind (prevent, detect, mitigate, learn) | owner | due | done |" in text


def test_every_mark_leads_to_a_source_and_every_source_is_used(evidence: Evidence) -> None:
    """Marks and sources are the same set, and each source names its place, its time and its query."""
    text = render_draft(evidence)
    body, sources = text.split("\n## Sources\n")
    marks = set(re.findall(r"\]\(#([pli]\d+)\)", body))
    assert marks == {heading.lower() for heading in headings(text, "h3") if re.fullmatch(r"[PLI]\d+", heading)}
    assert sources.count("```promql") == sum(mark.startswith("p") for mark in marks)
    assert "SQLite" in sources
    assert "Prometheus http://127.0.0.1" in sources


def test_each_timeline_row_is_measured_or_told(evidence: Evidence) -> None:
    """No row of the timeline stands without how it is known."""
    timeline = render_draft(evidence).split("\n## Timeline\n")[1].split("\n## ")[0]
    rows = [line for line in timeline.splitlines() if line.startswith("| ")][1:]
    assert len(rows) == 13
    assert all(row.startswith("| | | …") or (" · *measured* [" in row and row.endswith("| |")) for row in rows)


def test_the_same_evidence_gives_the_same_text(evidence: Evidence) -> None:
    """Rendering is pure: byte for byte the same, one line feed at the end, no trailing spaces."""
    text = render_draft(evidence)
    assert render_draft(evidence) == text
    assert text.endswith("\n")
    assert not text.endswith("\n\n")
    assert not [line for line in text.splitlines() if line != line.rstrip()]


def test_tables_are_tables(evidence: Evidence) -> None:
    """Every line that looks like a row of a table is one for a reader, with as many cells as its header."""
    text = render_draft(evidence)
    lines = [line for line in text.splitlines() if line.startswith("|") and not line.startswith("|---")]
    assert [token.type for token in tokens(text)].count("tr_open") == len(lines)


def test_hostile_labels_and_messages_are_inert(tmp_path: Path) -> None:
    """Markup in every label, annotation, receiver, log message and deed is only text, and figures are still found."""
    labels = {**ALERT, "service": HOSTILE, "slo": f"slo {HOSTILE}", "owner": HOSTILE, "alertname": f"A{HOSTILE}"}
    annotations = {"runbook_url": HOSTILE, "logs_url": "javascript:alert(1)"}
    own = {"service": labels["service"], "slo": labels["slo"]}
    samples = [
        HistorySample(sample.name, {**sample.labels, **own}, sample.timestamp, sample.value)
        for sample in history()
        if sample.labels.get("service") == ALERT["service"] and sample.name != "ALERTS"
    ]
    others = [
        HistorySample(sample.name, {"service": f"n{HOSTILE}", "slo": HOSTILE}, sample.timestamp, sample.value)
        for sample in history()
        if sample.labels.get("service") == "checkout"
    ]
    store = IncidentStore(tmp_path / "i.sqlite")
    store.prepare()
    changes = {"receiver": HOSTILE, "groupKey": HOSTILE, "groupLabels": own}
    record(store, webhook([reported(labels, entry_time(65), annotations=annotations)], **changes), entry_time(66))
    record(store, webhook([reported(labels, entry_time(65), entry_time(80))], **changes), entry_time(81))
    _write_hostile_logs(tmp_path / "l.sqlite", labels["service"])
    evidence = gathered(tmp_path, [*samples, *others])
    text = render_draft(evidence)
    html = [token.content.strip() for token in tokens(text) if token.type in {"html_inline", "html_block"}]
    assert all(re.fullmatch(r"<!-- /?measured:[a-z]+( [0-9a-f]{12})? -->", comment) for comment in html)
    assert text.count("<") == len(html)
    pictures = [str(token.attrs["src"]) for token in tokens(text) if token.type == "image"]
    assert pictures == [chart.file for chart in draw_charts(evidence)]
    assert all(re.fullmatch(r"[a-z0-9-]+/[a-z0-9.-]+\.svg", source) for source in pictures)
    assert all(str(token.attrs["href"]).startswith("#") for token in tokens(text) if token.type == "link_open")
    assert headings(text, "h1")[0].startswith("Postmortem: x ↵")
    assert headings(text, "h2") == SECTIONS
    assert "49" not in headings(text, "h1")[0]
    assert text.count("```") == 2 * text.count("```promql")
    assert "481" in text  # the SLO of that name was really asked for
    assert "160" in text
    assert len(evidence.incident.incident_id) < 150


def _write_hostile_logs(path: Path, service: str) -> None:
    store = open_log_store(str(path))
    records = [
        LogRecord(
            record_id=str(number),
            timestamp=minute(61) + timedelta(seconds=number),
            service=service,
            level="error",
            message=HOSTILE,
            error_type=HOSTILE,
            action="deployment" if number == 0 else None,
            trace_id=HOSTILE,
            document={"labels": {HOSTILE: HOSTILE, "nested": {"a": [1]}}},
        )
        for number in range(3)
    ]
    assert store.write(records).indexed == len(records)
    store.close()


def test_what_people_wrote_down_is_told_where_it_belongs(evidence: Evidence) -> None:
    """In the timeline with its moment, in the summary and the impact; what was corrected isn't; and inert."""

    def entry(number: int, kind: EntryKind, text: str, at: float, **more: Any) -> IncidentEntry:
        return IncidentEntry(f"e{number}", kind, "Ana", minute(at), minute(at), text, **more)

    entries = (
        entry(1, EntryKind.ACKNOWLEDGEMENT, "", 67),
        entry(2, EntryKind.MITIGATION, "rolled 2.40 back", 70, helped=False),
        entry(3, EntryKind.MITIGATION, f"rolled 2.41 back {HOSTILE}", 74, helped=True, corrects="e2"),
        entry(4, EntryKind.IMPACT, "about 400 customers couldn't pay", 75),
    )
    draft = render_draft(replace(evidence, incident=replace(evidence.incident, entries=entries)))
    row = next(line for line in draft.splitlines() if "Ana tried: it helped" in line)
    assert row.startswith(f"| {minute(74):%Y-%m-%d %H:%M:%S} | Ana tried: it helped · *measured*")
    assert "rolled 2.41 back x" in row
    assert "2.40" not in draft
    assert re.search(r"\| acknowledged \| .* by Ana \(1 min 48 s after the alert fired\)", draft)
    assert "*told:* about 400 customers couldn't pay (Ana, " in draft
    assert "what users, partners and the business felt" not in draft
    assert "<script" not in MarkdownIt().render(draft)
