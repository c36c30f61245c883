"""The pictures beside a draft: how many requests failed, how many there were, how fast they were answered."""

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from statistics import fmean

from sereno_postmortems.draft.evidence import Evidence
from sereno_postmortems.draft.facts import Measured, Question, joined
from sereno_postmortems.draft.metrics_source import SloName
from sereno_postmortems.draft.request_evidence import MOST_POINTS, Curve
from sereno_postmortems.draft.slo_evidence import Minute, SloEvidence
from sereno_postmortems.draft.svg import BAD, GOOD, SECOND, Bars, Limit, Line, Picture, draw
from sereno_postmortems.draft.windows import MINUTE
from sereno_postmortems.draft.words import count, percent
from sereno_postmortems.naming import slug

_SIGNATURE = re.compile(r"<!-- drawn by sereno postmortem draft ([0-9a-f]{12}) -->\n\Z")


@dataclass(frozen=True, slots=True)
class Chart:
    """One file beside the draft."""

    slo: SloName
    file: str
    """Path from the draft's folder, such as `2026-11-22-api-availability/api-availability-errors.svg`."""
    alt: str
    """What somebody reads who doesn't see it."""
    svg: str
    sources: tuple[Question, ...]


def draw_charts(evidence: Evidence) -> tuple[Chart, ...]:
    """The charts of all SLOs of the incident, as far as there is something to draw."""
    names = _file_names(evidence)
    return tuple(
        Chart(
            slo=(slo.service, slo.slo),
            file=f"{evidence.incident.incident_id}/{names[slo.service, slo.slo]}-{kind}.svg",
            alt=picture.title,
            svg=_signed(draw(picture)),
            sources=sources,
        )
        for slo in evidence.slos
        for kind, picture, sources in _pictures(evidence, slo)
    )


def is_untouched(svg: str) -> bool:
    """Whether a file is as it was drawn: one that people have put there or changed isn't."""
    signature = _SIGNATURE.search(svg)
    return signature is not None and signature[1] == _digest(svg[: signature.start()])


def _signed(svg: str) -> str:
    return f"{svg}<!-- drawn by sereno postmortem draft {_digest(svg)} -->\n"


def _digest(svg: str) -> str:
    return hashlib.sha256(svg.encode()).hexdigest()[:12]


def _file_names(evidence: Evidence) -> Mapping[SloName, str]:
    """Each SLO's own, also where names differ only in what a file name can't hold."""
    names: dict[SloName, str] = {}
    for slo in evidence.slos:
        plain = slug((slo.service, slo.slo))
        taken = sum(name == plain or name.startswith(f"{plain}.") for name in names.values())
        names[slo.service, slo.slo] = f"{plain}.{taken + 1}" if taken else plain
    return names


def _pictures(evidence: Evidence, slo: SloEvidence) -> Iterator[tuple[str, Picture, tuple[Question, ...]]]:
    minutes, objective = slo.minutes, slo.objective
    if isinstance(minutes, Measured) and minutes.value:
        entries, width = _gathered(minutes.value)
        allowed = 1 - objective.value if isinstance(objective, Measured) else None
        sources = joined(minutes.sources, objective.sources if isinstance(objective, Measured) else ())
        yield "errors", _errors(evidence, slo, entries, width, allowed), sources
        yield "events", _events(evidence, slo, entries, width), minutes.sources
    latency = evidence.latency.get((slo.service, slo.slo))
    if isinstance(latency, Measured):
        gap = 2 * _step(latency.value)
        colours = (GOOD, SECOND)
        lines = tuple(
            Line(curve.name, colour, tuple((point.timestamp, point.value) for point in curve.points), gap)
            for curve, colour in zip(latency.value, colours, strict=True)
        )
        threshold = evidence.thresholds.get((slo.service, slo.slo))
        limit = None if threshold is None else Limit(f"within {_seconds(threshold)} by the SLO", threshold)
        title = f"{slo.service} / {slo.slo}: how long requests took"
        yield "latency", _picture(evidence, title, _seconds, lines, limit), latency.sources


def _errors(
    evidence: Evidence, slo: SloEvidence, entries: tuple[Minute, ...], width: timedelta, allowed: float | None
) -> Picture:
    points = tuple((entry.at, entry.failed / entry.total) for entry in entries if entry.total > 0)
    limit = None if allowed is None else Limit(f"{percent(allowed)} allowed by the objective", allowed)
    title = f"{slo.service} / {slo.slo}: error ratio a minute"
    return _picture(evidence, title, percent, (Line("failed, of all", BAD, points, 2 * width),), limit)


def _events(evidence: Evidence, slo: SloEvidence, entries: tuple[Minute, ...], width: timedelta) -> Picture:
    bars = tuple((entry.at, (entry.failed, max(entry.total - entry.failed, 0.0))) for entry in entries)
    title = f"{slo.service} / {slo.slo}: requests (events) a minute"
    return _picture(evidence, title, count, (Bars(("failed", "well"), (BAD, GOOD), bars, width),), None)


def _picture(
    evidence: Evidence, title: str, unit: Callable[[float], str], series: tuple[Line | Bars, ...], limit: Limit | None
) -> Picture:
    windows = evidence.windows
    return Picture(
        title=title,
        start=windows.evidence.start,
        end=windows.evidence.end,
        shaded=(windows.alerting.start, windows.alerting.end),
        unit=unit,
        series=series,
        limit=limit,
    )


def _gathered(minutes: tuple[Minute, ...]) -> tuple[tuple[Minute, ...], timedelta]:
    """So few entries that each can be seen: means of neighbours, and the length of time that each stands for."""
    span = (minutes[-1].at - minutes[0].at) // MINUTE + 1
    size = -(-span // MOST_POINTS)
    if size <= 1:
        return minutes, MINUTE
    width = size * MINUTE
    groups: dict[int, list[Minute]] = {}
    for minute in minutes:
        groups.setdefault((minute.at - minutes[0].at) // width, []).append(minute)
    return tuple(
        Minute(group[-1].at, fmean(one.failed for one in group), fmean(one.total for one in group))
        for group in groups.values()
    ), width


def _step(curves: tuple[Curve, ...]) -> timedelta:
    """How far apart the points are where none is missing."""
    stamps = [[point.timestamp for point in curve.points] for curve in curves]
    return min((after - before for one in stamps for before, after in pairwise(one)), default=MINUTE)


def _seconds(value: float) -> str:
    return f"{value * 1000:.3g} ms" if 0 < value < 1 else f"{value:.3g} s"
