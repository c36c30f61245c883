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


def reference_mistakes(
    descriptions: Sequence[Description], known: Known, others: Sequence[Description] = ()
) -> Iterator[Diagnostic]:
    """Every mention of an SLO that isn't there, and every one that closes a circle; none of the `others`' own."""
    services = {description.name: description for description in (*others, *descriptions)}
    graph: dict[SloReference, list[SloReference]] = {}
    for dependency in dependencies((*descriptions, *others)):
        graph.setdefault(dependency.slo, []).append(dependency.on)
    is_circular = _is_circular(graph)
    for description in descriptions:
        for mention in description.mentions:
            yield from _unknown(mention, services, known)
            if is_circular:
                yield from _circular(SloReference(description.name, mention.slo), mention, graph)
        if not is_circular:
            yield from _counted_twice(description, graph)


def former_name_mistakes(
    descriptions: Sequence[Description], others: Sequence[Description] = ()
) -> Iterator[Diagnostic]:
    """A former name that an SLO or a journey still has, or another one's: its events would count twice."""
    everywhere = (*descriptions, *others)
    taken = {SloReference(one.name, name) for one in everywhere for name in one.objective_names}
    for description in descriptions:
        for mention in description.formerly:
            if mention.of in taken:
                message = f"{mention.of} is a name of today, or another one's former name: its events would count twice"
                yield Diagnostic("SLO047", mention.span, message, "remove it")
            taken.add(mention.of)


def _unknown(mention: Mention, services: Mapping[str, Description], known: Known) -> Iterator[Diagnostic]:
    service, name = mention.of.service, mention.of.slo
    if service in services:
        yield from _unknown_in(services[service], name, mention)
        return
    if known is Known.BROKEN:
        return
    near = _nearest(str(mention.of), (f"{one.name}/{slo}" for one in services.values() for slo in one.slos))
    proposal = f"did you mean {near}?" if near else ""
    if known is Known.ALL:
        cure = proposal or "describe it by a spec, import another repository's (sereno.yaml: imports), or remove it"
        yield Diagnostic("SLO071", mention.span, f"no spec describes {service}", cure)
    else:
        message = f"{mention.of} wasn't checked: {service} isn't among these specs"
        cure = proposal or "compile all specs together"
        yield Diagnostic("SLO071", mention.span, message, cure, Severity.WARNING)


def _unknown_in(service: Description, name: str, mention: Mention) -> Iterator[Diagnostic]:
    if name in service.journeys:
        what = "a step" if mention.is_step else "what an SLO depends on"
        message = f"{mention.of} is a journey, and {what} has to be an SLO"
        yield Diagnostic("SLO074", mention.span, message, "name the journey's own steps instead")
    elif name not in service.slos:
        near = _nearest(name, service.slos)
        cure = f"write {service.name}/{near}" if near else f"{service.name} has {_listed(service.slos)}"
        yield Diagnostic("SLO071", mention.span, f"{service.name} has no SLO {name}", cure)


def _counted_twice(description: Description, graph: Graph) -> Iterator[Diagnostic]:
    """Whoever fails because another step did is counted for both."""
    steps = [mention for mention in description.mentions if mention.is_step]
    for step in steps:
        others = (other.of for other in steps if other.slo == step.slo and other.of != step.of)
        failing = next((other for other in others if _way(other, step.of, graph)), None)
        if failing is not None:
            message = f"failures of {step.of} are counted twice: {failing}, another step, depends on it"
            cure = f"remove the step: what {failing} loses by it is in its own failures"
            yield Diagnostic("SLO073", step.span, message, cure, Severity.WARNING)


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
