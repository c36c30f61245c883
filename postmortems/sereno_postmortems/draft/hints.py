"""What the measurements suggest for the questions of the analysis. Hints, no answers: people answer."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sereno_postmortems.draft.deployment_evidence import SUSPECT_WITHIN, deployment_in_words
from sereno_postmortems.draft.evidence import Evidence
from sereno_postmortems.draft.facts import Hint, Measured, NotMeasured, quotient
from sereno_postmortems.draft.log_evidence import DEEDS, error_in_words
from sereno_postmortems.draft.signs import signs, unmeasured_signs
from sereno_postmortems.draft.slo_evidence import Figures, SloEvidence
from sereno_postmortems.draft.timeline import deed_in_words
from sereno_postmortems.draft.words import count, duration, moment, percent, plural
from sereno_postmortems.questions import AFFECTED, ATTACK, CAUSE, CHANGE, RESTORATION

MUCH_MORE_TRAFFIC, MUCH_LESS_TRAFFIC = 2.0, 0.5
MOST_HINTED_ERRORS = 3
_NAMES = {AFFECTED: "affected", CAUSE: "cause", ATTACK: "signs", RESTORATION: "restoration"}


@dataclass(frozen=True, slots=True)
class AnalysisQuestion:
    """One question of the analysis, with what was measured about it."""

    text: str
    name: str
    """Of the block of its hints; empty where nothing could ever be measured."""
    hints: tuple[Hint, ...]
    unmeasured: tuple[str, ...]
    """Why something that would bear on it is missing."""


def analysis(evidence: Evidence) -> tuple[AnalysisQuestion, ...]:
    """The questions that a postmortem answers, in their order."""
    metrics_missing = _reason(evidence.affected)
    logs_missing = _reason(evidence.logs.deeds)
    return (
        _question(AFFECTED, _affected(evidence), metrics_missing),
        _question(CAUSE, _causes(evidence), logs_missing),
        _question(
            ATTACK,
            (*(hint for slo in evidence.slos for hint in _traffic(slo)), *signs(evidence)),
            *unmeasured_signs(evidence),
        ),
        _question(RESTORATION, _restoration(evidence), logs_missing),
        _question(CHANGE, ()),
    )


def _question(text: str, hints: Iterator[Hint] | tuple[Hint, ...], *missing: str | None) -> AnalysisQuestion:
    return AnalysisQuestion(
        text, _NAMES.get(text, ""), tuple(hints), tuple(dict.fromkeys(reason for reason in missing if reason))
    )


def _reason(fact: object) -> str | None:
    return fact.reason if isinstance(fact, NotMeasured) else None


def _affected(evidence: Evidence) -> Iterator[Hint]:
    for slo in evidence.slos:
        failed = slo.evidence.failed
        if isinstance(failed, Measured):
            yield Hint(f"{slo.service}/{slo.slo}: {count(failed.value)} failed in the evidence window", failed.sources)
    if not isinstance(evidence.affected, Measured):
        return
    sure = [one for one in evidence.affected.value if one.is_beyond_chance]
    for one in sure:
        text = (
            f"{one.service}/{one.slo} got worse beyond chance: {percent(one.error_ratio)} of {count(one.total)} failed"
        )
        yield Hint(text, evidence.affected.sources)
    if not sure:
        yield Hint("No other SLO got worse beyond chance", evidence.affected.sources)


def _causes(evidence: Evidence) -> Iterator[Hint]:
    """What went out and was done before, and what the logs say that they didn't say before."""
    yield from _suspects(evidence)
    deeds = evidence.logs.deeds
    if isinstance(deeds, Measured):
        before = [deed for deed in deeds.value if deed.timestamp <= evidence.incident.opened_at]
        for deed in before:
            yield Hint(
                f"Before the first alert fired, at {moment(deed.timestamp)}: {deed_in_words(deed)}", deeds.sources
            )
        if not before:
            yield Hint(f"No deed ({', '.join(DEEDS)}) was logged before the first alert fired", deeds.sources)
    errors = evidence.logs.errors
    if isinstance(errors, Measured):
        for error in [one for one in errors.value if one.is_new][:MOST_HINTED_ERRORS]:
            told = error.told
            text = f"New in the logs, {plural(told.count, 'time')} from {moment(told.first)}: {error_in_words(told)}"
            yield Hint(text, errors.sources)


def _suspects(evidence: Evidence) -> Iterator[Hint]:
    """Deployments to production that went out shortly before users were hit, the latest first."""
    deployments, (began, what) = evidence.deployments, _burn_began(evidence)
    if not isinstance(deployments, Measured) or not deployments.sources:
        return
    before = [each for each in deployments.value if began - SUSPECT_WITHIN <= each.at <= began]
    for each in reversed(before):
        text = f"{deployment_in_words(each)}, {duration(began - each.at)} before {what}"
        yield Hint(text, deployments.sources)
    if not before:
        yield Hint(
            f"Nothing was deployed to production in the {duration(SUSPECT_WITHIN)} before {what}", deployments.sources
        )


def _burn_began(evidence: Evidence) -> tuple[datetime, str]:
    """The first minute that was surely worse than an objective; where the ledger is missing, what alerts saw first."""
    found = [slo.bad_minutes.value for slo in evidence.slos if isinstance(slo.bad_minutes, Measured)]
    first = min((bad.first for bad in found if bad is not None), default=None)
    return (
        (evidence.windows.alerting.start, "the first sign by an alert") if first is None else (first, "the burn began")
    )


def _traffic(slo: SloEvidence) -> Iterator[Hint]:
    """More requests than usual speak for an attack or a rush, as many as usual for a failure of our own."""
    during, usual = _a_minute(slo.evidence), _a_minute(slo.usual)
    change = quotient(during, usual, if_zero="there was no traffic before")
    if not isinstance(change, Measured) or not isinstance(during, Measured) or not isinstance(usual, Measured):
        return
    if change.value >= MUCH_MORE_TRAFFIC:
        meaning = "look at who called: a rush or an attack would look like this"
    elif change.value <= MUCH_LESS_TRAFFIC:
        meaning = "requests didn't arrive: look in front of the service as well"
    else:
        meaning = "as usual, so a flood of requests wasn't the cause; other kinds of attack aren't seen by this"
    rates = f"{during.value:,.1f} requests a minute, {usual.value:,.1f} before"
    yield Hint(f"Traffic of {slo.service}/{slo.slo}: {rates}: {meaning}", change.sources)


def _a_minute(figures: Figures) -> Measured[float] | NotMeasured:
    """Requests a minute, over the minutes that the ledger really has."""
    return quotient(figures.total, figures.entries, if_zero="the ledger has no entries there")


def _restoration(evidence: Evidence) -> Iterator[Hint]:
    """What was done between the first alert and the end, and when requests stopped failing."""
    incident, deeds = evidence.incident, evidence.logs.deeds
    deployments, (began, what) = evidence.deployments, _burn_began(evidence)
    if isinstance(deployments, Measured):
        for each in deployments.value:
            if each.at > began:
                text = f"{deployment_in_words(each)}, {duration(each.at - began)} after {what}"
                yield Hint(text, deployments.sources)
    if isinstance(deeds, Measured):
        during = [deed for deed in deeds.value if incident.opened_at < deed.timestamp]
        for deed in during:
            yield Hint(f"After the first alert, at {moment(deed.timestamp)}: {deed_in_words(deed)}", deeds.sources)
        if not during:
            yield Hint(f"No deed ({', '.join(DEEDS)}) was logged after the first alert fired", deeds.sources)
    for slo in evidence.slos:
        bad = slo.bad_minutes
        if isinstance(bad, Measured) and bad.value is not None:
            text = (
                f"The last minute of {slo.service}/{slo.slo} worse than its objective ended at {moment(bad.value.last)}"
            )
            yield Hint(text, bad.sources)
