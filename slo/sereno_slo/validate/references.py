"""Mistakes between specs: SLOs that don't exist, and SLOs that depend on themselves."""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from enum import StrEnum
from graphlib import CycleError, TopologicalSorter

from sereno_slo.diagnostics import Diagnostic, Severity
from sereno_slo.model import SloReference
from sereno_slo.validate.description import Description, Mention, dependencies

Graph = Mapping[SloReference, Sequence[SloReference]]
"""What each SLO names directly."""


class Known(StrEnum):
    """How much is known of the services that no spec describes."""

    ALL = "all"
    """All specs are there: such a service doesn't exist."""
    SOME = "some"
    """Others may describe it."""
    BROKEN = "broken"
    """A spec has mistakes, so that nobody knows yet what it describes."""


def reference_mistakes(descriptions: Sequence[Description], known: Known) -> Iterator[Diagnostic]:
    """Every mention of an SLO that isn't there, and every one that closes a circle."""
    slos = {description.name: description.slos for description in descriptions}
    graph: dict[SloReference, list[SloReference]] = {}
    for dependency in dependencies(descriptions):
        graph.setdefault(dependency.slo, []).append(dependency.on)
    is_circular = _is_circular(graph)
    for description in descriptions:
        for mention in description.mentions:
            yield from _unknown(mention, slos, known)
            if is_circular:
                yield from _circular(SloReference(description.name, mention.slo), mention, graph)


def _unknown(mention: Mention, slos: dict[str, tuple[str, ...]], known: Known) -> Iterator[Diagnostic]:
    service, slo = mention.of.service, mention.of.slo
    if service in slos:
        if slo not in slos[service]:
            near = _nearest(slo, slos[service])
            cure = f"write {service}/{near}" if near else f"{service} has {_listed(slos[service])}"
            yield Diagnostic("SLO071", mention.span, f"{service} has no SLO {slo}", cure)
        return
    if known is Known.BROKEN:
        return
    near = _nearest(str(mention.of), (f"{name}/{one}" for name, ones in slos.items() for one in ones))
    proposal = f"did you mean {near}?" if near else ""
    if known is Known.ALL:
        cure = proposal or "describe it by a spec, or remove it"
        yield Diagnostic("SLO071", mention.span, f"no spec describes {service}", cure)
    else:
        message = f"{mention.of} wasn't checked: {service} isn't among these specs"
        cure = proposal or "compile all specs together"
        yield Diagnostic("SLO071", mention.span, message, cure, Severity.WARNING)


def _nearest(wrong: str, right: Iterable[str]) -> str | None:
    found = get_close_matches(wrong, list(right), n=1)
    return found[0] if found else None


def _listed(slos: Sequence[str]) -> str:
    most = 5
    return ", ".join(slos[:most]) + (", …" if len(slos) > most else "")


def _is_circular(graph: Graph) -> bool:
    try:
        TopologicalSorter(graph).prepare()
    except CycleError:
        return True
    return False


def _circular(slo: SloReference, mention: Mention, graph: Graph) -> Iterator[Diagnostic]:
    way = _way(mention.of, slo, graph)
    if not way:
        return
    if len(way) == 1:
        yield Diagnostic("SLO072", mention.span, f"{slo} depends on itself", "remove it")
    else:
        shown = " → ".join(map(str, (slo, *way)))
        cure = "remove the one that isn't true: who fails first is the cause"
        yield Diagnostic("SLO072", mention.span, f"{slo} depends on itself: {shown}", cure)


def _way(start: SloReference, end: SloReference, graph: Graph) -> tuple[SloReference, ...]:
    """The shortest way from one SLO to the other, both included; nothing where there is none."""
    ways: deque[tuple[SloReference, ...]] = deque([(start,)])
    seen = {start}
    while ways:
        way = ways.popleft()
        if way[-1] == end:
            return way
        for following in graph.get(way[-1], ()):
            if following not in seen:
                seen.add(following)
                ways.append((*way, following))
    return ()
