"""Which other SLOs burned while the incident lasted, compared with what was usual for them right before."""

import math
from dataclasses import dataclass

from sereno_backends.prometheus import Sample

from sereno_postmortems.draft.facts import Fact, Measured, NotMeasured, joined
from sereno_postmortems.draft.metrics_source import Metrics, SloName
from sereno_postmortems.draft.queries import Selector, total_within
from sereno_postmortems.draft.windows import Windows

STANDARD_DEVIATIONS = 2.58
"""As the alerts' evidence guard: what differs by less may be chance."""


@dataclass(frozen=True, slots=True)
class AffectedSlo:
    """An SLO whose error ratio was higher in the incident's window than before it."""

    service: str
    slo: str
    failed: float
    total: float
    usual_error_ratio: float | None
    """In the baseline window; None when the ledger has nothing of it there."""
    is_beyond_chance: bool

    @property
    def error_ratio(self) -> float:
        """In the evidence window."""
        return self.failed / self.total


def ask_affected(metrics: Metrics, windows: Windows, own: frozenset[SloName]) -> Fact[tuple[AffectedSlo, ...]]:
    """All other SLOs that got worse, the surest and worst first; empty when none did."""
    answers = [
        metrics.samples(total_within(Selector(f"sereno:{name}:delta1m"), window), window.end)
        for window in (windows.evidence, windows.baseline)
        for name in ("bad_events", "events")
    ]
    counts: list[dict[SloName, float]] = []
    for answer in answers:
        if isinstance(answer, NotMeasured):
            return answer
        counts.append(_by_slo(answer.value))
    sources = joined(*(answer.sources for answer in answers))
    failed, total, usual_failed, usual_total = counts
    if not total:
        return NotMeasured("Prometheus holds no ledger entries of any SLO in this window", sources)
    found = [
        affected
        for name in sorted(failed.keys() & total.keys() - own)
        if (affected := _affected(name, failed[name], total[name], usual_failed.get(name), usual_total.get(name)))
    ]
    found.sort(key=lambda one: (not one.is_beyond_chance, -one.error_ratio))
    return Measured(tuple(found), sources)


def _affected(
    name: SloName, failed: float, total: float, usual_failed: float | None, usual_total: float | None
) -> AffectedSlo | None:
    if failed <= 0 or total <= 0:
        return None
    usual = usual_failed / usual_total if usual_failed is not None and usual_total else None
    if usual is not None and failed / total <= usual:
        return None
    is_beyond_chance = (
        usual_failed is not None
        and bool(usual_total)
        and standard_deviations(failed, usual_failed, total / (usual_total or 1)) > STANDARD_DEVIATIONS
    )
    return AffectedSlo(name[0], name[1], failed, total, usual, is_beyond_chance)


def standard_deviations(count: float, usual_count: float, exposure_ratio: float) -> float:
    """How surely one Poisson count is higher than another that was seen over 1/`exposure_ratio` as many requests.

    Both counts are uncertain, also a count of none: two failures after an hour without any are no evidence. The
    variance-stabilising form with Anscombe's 3/8 (Huffman 1984) holds for such small counts. Less than none is none:
    what a ledger counts as all less good is below it where the two were read a moment apart.
    """
    known, usual = max(count, 0.0), max(usual_count, 0.0)
    difference = math.sqrt(known + 3 / 8) - math.sqrt(exposure_ratio * (usual + 3 / 8))
    return 2 * difference / math.sqrt(1 + exposure_ratio)


def _by_slo(samples: tuple[Sample, ...]) -> dict[SloName, float]:
    return {(sample.labels.get("service", ""), sample.labels.get("slo", "")): sample.value for sample in samples}


def services_to_search(incident_service: str, affected: Fact[tuple[AffectedSlo, ...]]) -> tuple[str, ...]:
    """Whose logs may tell something: the incident's service and those that surely got worse; empty if unknown."""
    others = affected.value if isinstance(affected, Measured) else ()
    if not incident_service:
        return ()
    return tuple(dict.fromkeys((incident_service, *(one.service for one in others if one.is_beyond_chance))))
