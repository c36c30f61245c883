"""Whose alerts nobody is told of while another SLO pages: what `depends_on` and steps of journeys change in that."""

from collections.abc import Sequence
from dataclasses import dataclass

from sereno_slo.changes.rules import Status
from sereno_slo.model import Dependency, SloReference
from sereno_slo.plan.inhibition import silenced


@dataclass(frozen=True, slots=True)
class InhibitionChange:
    """While `paging` pages, nobody is told of burn alerts of `silenced`; from now on, or no longer."""

    status: Status
    paging: SloReference
    silenced: SloReference


def changed_inhibitions(old: Sequence[Dependency], new: Sequence[Dependency]) -> tuple[InhibitionChange, ...]:
    """What is added and removed, sorted by what pages."""
    before, after = silenced(old), silenced(new)
    changes = (
        *(InhibitionChange(Status.ADDED, each.on, each.slo) for each in after - before),
        *(InhibitionChange(Status.REMOVED, each.on, each.slo) for each in before - after),
    )
    return tuple(sorted(changes, key=lambda change: (change.paging, change.silenced)))
