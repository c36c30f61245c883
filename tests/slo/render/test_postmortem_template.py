"""The postmortem's form."""

import re

import pytest
from sereno_slo.render.artefact import Kind, Ownership
from sereno_slo.render.postmortem_template import render_postmortem_template
from support.recorded import BAD_EVENTS, EVENTS, Ask
from support.slo_services import SETTINGS, all_services

TEMPLATE = render_postmortem_template(all_services(), SETTINGS)


def test_it_is_scaffolded_beside_the_folders() -> None:
    """The template lies at the top of the output and is written once."""
    assert (TEMPLATE.kind, TEMPLATE.name) == (Kind.POSTMORTEM_TEMPLATE, "postmortem-template.md")
    assert TEMPLATE.ownership is Ownership.SCAFFOLDED


def test_sections_of_a_postmortem() -> None:
    """The usual sections stand in reading order."""
    assert re.findall(r"^## (.+)$", TEMPLATE.content, flags=re.MULTILINE) == [
        "Summary",
        "Impact",
        "Timeline",
        "Evidence of that period",
        "Analysis",
        "Detection and response",
        "Lessons",
        "Action items",
    ]


@pytest.mark.parametrize(
    "question",
    [
        "Which services were affected?",
        "What caused it?",
        "Do logs, traces and metrics show degradation or an attack?",
        "How was service restored?",
        "What must change so that it does not happen again?",
    ],
)
def test_the_analysis_questions_are_asked(question: str) -> None:
    """Each question of the analysis has a heading of its own."""
    assert f"\n### {question}\n" in TEMPLATE.content


def test_facts_are_marked_measured_or_told() -> None:
    """Every row of impact and timeline, and every answer about the past, asks for its source."""
    rows = [line for line in TEMPLATE.content.splitlines() if line.endswith("| *measured* · *told*, source: |")]
    assert len(rows) == 11
    answers = TEMPLATE.content.partition("## Analysis")[2].partition("## Detection")[0]
    assert answers.count("(*measured* · *told*, source: )") == 4


def test_every_objective_is_listed() -> None:
    """The table names each SLO with its objective in words and its service's dashboard."""
    dashboard = "https://grafana.example.org/d/sereno-etl-worker"
    assert (
        f"| [etl-worker]({dashboard}) | rows | 97.5 %: of 40 events at most 1 may be bad | 30 days |"
        in TEMPLATE.content
    )


def test_a_repository_without_services_still_gets_a_form() -> None:
    """Without SLOs there is no empty table."""
    empty = render_postmortem_template((), SETTINGS).content
    assert "No service has objectives yet" in empty
    assert "| service | SLO | objective |" not in empty


def test_the_budget_spent_is_right(ask: Ask) -> None:
    """An hour's bad events against those that the window allows: checked against the recorded numbers."""
    query = next(
        fence
        for fence in re.findall(r"```promql\n(.*?)\n```", TEMPLATE.content, flags=re.DOTALL)
        if "sereno_slo_objective_ratio" in fence
    )
    spent = {(s["metric"]["service"], s["metric"]["slo"]): float(s["value"][1]) for s in ask(query)}
    minutes = 21  # entries of the recorded past, both ends included
    assert spent["transactions-api", "latency"] == pytest.approx(minutes * BAD_EVENTS / (0.01 * EVENTS))
