"""What nobody is told of while an SLO pages: what `depends_on`, `stands_on` and steps of journeys change in that."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sereno_slo.changes.rules import Status
from sereno_slo.model import Dependency, OtherAlert, Service, SloReference
from sereno_slo.plan.inhibition import silenced


@dataclass(frozen=True, slots=True)
class InhibitionChange:
    """While `paging` pages, nobody is told of `silenced`; from now on, or no longer."""

    status: Status
    paging: SloReference
    silenced: SloReference | OtherAlert
    """Burn alerts of an SLO, or pages about a cause below the one that pages."""


Inhibited = tuple[SloReference, SloReference | OtherAlert]


def changed_inhibitions(
    old: Sequence[Dependency],
    new: Sequence[Dependency],
    old_services: Sequence[Service],
    new_services: Sequence[Service],
) -> tuple[InhibitionChange, ...]:
    """What is added and removed, sorted by what pages; other SLOs' alerts first."""
    before, after = _inhibited(old, old_services), _inhibited(new, new_services)
    changes = (
        *(InhibitionChange(Status.ADDED, *each) for each in after - before),
        *(InhibitionChange(Status.REMOVED, *each) for each in before - after),
    )
    return tuple(sorted(changes, key=_place))


def _place(change: InhibitionChange) -> tuple[SloReference, bool, str]:
    return change.paging, isinstance(change.silenced, OtherAlert), str(change.silenced)


def _inhibited(dependencies: Sequence[Dependency], services: Sequence[Service]) -> set[Inhibited]:
    return {(each.on, each.slo) for each in silenced(dependencies)} | set(_causes(services))


def _causes(services: Sequence[Service]) -> Iterator[Inhibited]:
    for service in services:
        for slo in service.slos:
            yield from ((SloReference(slo.service, slo.name), cause) for cause in slo.stands_on)
