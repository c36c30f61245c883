"""What is told of versions that a server was asked about, by a replay of any kind."""

from sereno_slo import Settings, SourceFile, validate_specs
from sereno_slo.changes import (
    Comparison,
    Consequences,
    Edition,
    SeriesCounts,
    Side,
    as_markdown,
    as_text,
    compare,
    cost_of,
    with_consequences,
    with_counts,
)
from sereno_slo.changes.cost import Linear
from sereno_slo.model import ServiceLevelObjective
from sereno_slo.plan import RecordingRule, plan_slo, series
from support.slo_specs import spec_text

KNOWN = Consequences(days=30, remaining_ratio=-0.5, pages=3, tickets=1, coverage_ratio=1)


def side(objective: str) -> Side:
    """One SLO."""
    validation = validate_specs([SourceFile("api.slo.yaml", spec_text(objective=objective))], Settings())
    return Side(validation.services, Settings())


def asked(before: Consequences | None, after: Consequences | None) -> Comparison:
    """A change of the objective, with these answers."""
    counted = with_counts(compare(side("99"), side("98")), lambda *_: SeriesCounts(1200, 30, 40))
    begun: list[str] = []

    def replay(was: Edition | None, now: Edition | None) -> tuple[Consequences | None, Consequences | None]:
        assert was is not None
        assert now is not None
        assert (was.slo.objective_percent, now.slo.objective_percent, begun) == (99, 98, ["api/calls"])
        return before, after

    return with_consequences(counted, replay, begun.append)


def test_numbers_stand_where_series_were_counted() -> None:
    """One number for the samples, instead of a sum by kinds of series."""
    text = as_text(asked(KNOWN, KNOWN), "main")
    assert "  raw series: 1,200 series, 30 of bad or good events, 40 targets\n" in text
    assert "a series" not in text.replace("recorded series", "")
    assert "  last 30 days: budget -50.0 %, pages 3, tickets 1\n" in text


def test_a_version_that_cannot_be_replayed_is_no_zero() -> None:
    """It is told beside the one that can."""
    comparison = asked(KNOWN, None)
    assert "budget -50.0 % → not replayed, pages 3 → not replayed, tickets 1 → not replayed" in as_text(comparison, "")
    assert "| -50.0 % → not replayed | 3 → not replayed | 1 → not replayed |" in as_markdown(comparison, "main")


def test_where_nothing_can_be_replayed_it_is_said_once() -> None:
    """Instead of columns without figures."""
    comparison = asked(None, None)
    assert as_text(comparison, "main").count("budget, pages, tickets: not replayed") == 1
    assert as_markdown(comparison, "main").count("- Budget, pages, tickets: not replayed") == 1
    assert "| pages |" not in as_markdown(comparison, "main")


JOURNEY = "journeys:\n  - {{name: trip, objective: {objective}, steps: [api/calls]}}\n"


def side_with_journey(objective: str, journey: str) -> Side:
    """An SLO and a journey over it."""
    text = spec_text(objective=objective) + JOURNEY.format(objective=journey)
    validation = validate_specs([SourceFile("api.slo.yaml", text)], Settings())
    assert not validation.diagnostics
    return Side(validation.services, Settings(), validation.dependencies)


def test_a_journey_is_counted_and_not_replayed() -> None:
    """It reads no raw series: neither question is asked about it, and its figures are no zeros."""
    comparison = compare(side_with_journey("99", "98"), side_with_journey("98", "97"))
    asked_about: list[str] = []

    def count(slo: ServiceLevelObjective, _: Settings) -> SeriesCounts:
        asked_about.append(slo.name)
        return SeriesCounts(1200, 30, 40)

    counted = with_counts(comparison, count)
    told = as_text(with_consequences(counted, lambda *_: (KNOWN, KNOWN), asked_about.append), "main")
    assert asked_about == ["calls", "api/calls"]
    of_the_journey = told.partition("api/trip, a journey, changes\n")[2]
    assert "raw series: none" in of_the_journey
    assert "budget, pages, tickets: not replayed" in of_the_journey
    assert "budget -50.0 %, pages 3, tickets 1" not in of_the_journey


def test_a_journey_costs_the_recorded_series_that_it_reads() -> None:
    """A number without any part for raw series."""
    (service,) = side_with_journey("99", "98").services
    journey = service.journeys[0]
    cost = cost_of(journey, Settings())
    rules = [rule for group in plan_slo(journey, Settings()) for rule in group.rules]
    # How long the budget lasts is recorded in trouble only.
    names = {rule.record for rule in rules if isinstance(rule, RecordingRule)} - {series.EXHAUSTED_IN}
    assert cost.read.fixed > 0
    assert cost.read == Linear(fixed=cost.read.fixed)
    assert cost.recorded.fixed == len(names)
