"""What the backtest page shows, from the question to the answer."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sereno_slo.model import ServiceLevelObjective

from sereno_portal.catalogue import Catalogue
from sereno_portal.charts import Bound, Chart, Hue, Line, Mark
from sereno_portal.gateway import Replayed, Source
from sereno_portal.pages.backtest.jobs import Job, State

Say = Callable[[str], str]
"""A text in the language of who asks."""
STEPS = (90.0, 95.0, 98.0, 99.0, 99.5, 99.8, 99.9, 99.95, 99.98, 99.99, 99.995, 99.999)
"""Where the slider stops: each step allows about half as many bad events."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One SLO that can be replayed."""

    name: str
    """`service/slo`."""
    objective_percent: float


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked for."""

    service: str
    slo: str
    days: int
    objective_percent: float
    source: Source


@dataclass(frozen=True, slots=True)
class Answer:
    """How far it is, and what came of it."""

    id: str
    state: State
    before: int
    """How many are worked on first."""
    asked: Asked
    trouble: str
    """Why there is no answer."""
    replayed: Replayed | None


def choices(catalogue: Catalogue) -> tuple[Choice, ...]:
    """Every SLO; journeys read no raw series, and can't be replayed."""
    return tuple(
        Choice(f"{slo.service}/{slo.name}", slo.objective_percent)
        for service in catalogue.services
        for slo in service.slos
    )


def chosen(catalogue: Catalogue, name: str) -> ServiceLevelObjective | None:
    """The SLO `service/slo`."""
    service, _, slo = name.partition("/")
    found = catalogue.objective(service, slo)
    return found if isinstance(found, ServiceLevelObjective) else None


def answer_of(job: Job) -> Answer:
    """The job as people and machines are told."""
    question = job.question
    return Answer(
        job.id,
        job.state,
        job.before,
        Asked(question.slo.service, question.slo.name, question.days, question.objective_percent, question.source),
        job.trouble,
        job.answer,
    )


def budget_chart(found: Replayed, say: Say) -> Chart:
    """The budget with both objectives, and what the asked one would have told."""
    curve = found.curve
    asked, present = found.asked.objective_percent, found.present.objective_percent
    lines = [Line(f"{asked:g} %", curve.budget_remaining_ratio, Hue.PLAIN)]
    if asked != present:
        # What is spent of a budget is the error ratio over it: the same errors, another budget.
        scale = (100 - asked) / (100 - present)
        others = (None if left is None else 1 - (1 - left) * scale for left in curve.budget_remaining_ratio)
        lines.append(Line(f"{present:g} %", tuple(others), Hue.OTHER, dashed=True))
    return Chart(
        title=say("Budget remaining"),
        unit="percentunit",
        times=curve.times,
        lines=tuple(lines),
        bounds=(Bound(0.0, "0 %"),),
        marks=tuple(_marks(found, say)),
        minimum=0.0,
        maximum=1.0,
    )


def errors_chart(found: Replayed, say: Say) -> Chart:
    """The part of the events that was bad, and what both objectives allow."""
    percents = dict.fromkeys((found.asked.objective_percent, found.present.objective_percent))
    return Chart(
        title=say("Bad events"),
        unit="percentunit",
        times=found.curve.times,
        lines=(Line(say("Bad events"), found.curve.error_ratio, Hue.PLAIN),),
        bounds=tuple(
            Bound((100 - percent) / 100, f"{percent:g} %", hue)
            for percent, hue in zip(percents, (Hue.BAD, Hue.OTHER), strict=False)
        ),
        marks=tuple(_marks(found, say)),
        minimum=0.0,
    )


CHARTS: dict[str, Callable[[Replayed, Say], Chart]] = {"budget": budget_chart, "errors": errors_chart}


_KINDS = {"page": "Page", "ticket": "Ticket"}


def _marks(found: Replayed, say: Say) -> Iterator[Mark]:
    for each in found.told:
        hue = Hue.BAD if each.kind == "page" else Hue.WARNING
        yield Mark(max(each.begin, found.begin), f"{say(_KINDS[each.kind])}: {each.alerts}", hue, until=each.end)
