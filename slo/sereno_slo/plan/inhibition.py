"""Whose page takes whose place: one broken database pages once, whatever stands on it.

A page of an SLO inhibits the burn alerts of all that depend on it, directly or by way of others; and the page of the
cause below it, which its own page tells of. docs/alertmanager.md ("Dependencies", "Causes below an SLO") gives the
reasons for each matcher.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sereno_slo.model import AlertSeverity, Dependency, OtherAlert, SloReference, Standing
from sereno_slo.plan import burn, no_data, traffic
from sereno_slo.promql import Matcher, MatchOp

_BROKEN = f"{burn.ALERT}|{no_data.ALERT}"
_SUFFERING = f"{burn.ALERT}|{traffic.ALERT}"
# Compiled shadow alerts have another severity; what people wrote by hand may have kept it.
_HEARD = Matcher("shadow", MatchOp.NOT_REGEX, "critical|warning|true")
# A slow burn is a few failures for hours: it explains others' burns, but neither an outage nor a server that is gone.
# Whoever has acknowledged it and sleeps again has to be woken for those. No data has no such label, and is acute.
_ACUTE, _SLOW = Matcher("burn", MatchOp.NOT_EQUAL, "slow"), Matcher("burn", MatchOp.EQUAL, "slow")
_BURNING = Matcher("burn", MatchOp.REGEX, "fast|slow")


@dataclass(frozen=True, slots=True)
class Inhibition:
    """While an alert of `source` fires, nobody is told of alerts of `target`."""

    source: tuple[Matcher, ...]
    target: tuple[Matcher, ...]


def silenced(dependencies: Sequence[Dependency]) -> frozenset[Dependency]:
    """Whose burn alerts nobody is told of while another pages, directly or by way of others."""
    direct = _direct(dependencies)
    return frozenset(Dependency(slo, on=cause) for cause in direct for slo in _all_dependants(cause, direct))


def inhibitions(dependencies: Sequence[Dependency], elsewhere: frozenset[str] = frozenset()) -> tuple[Inhibition, ...]:
    """Two rules for each SLO that others depend on and each service that these belong to, sorted by name.

    None for services `elsewhere`: their ways are followed, but their alerts are another repository's.
    """
    direct = _direct(dependencies)
    return tuple(rule for cause in sorted(direct) for rule in _caused_by(cause, direct, elsewhere))


def inhibitions_of_causes(standings: Sequence[Standing]) -> tuple[Inhibition, ...]:
    """A rule for each alert that an SLO stands on, sorted by SLO: whoever is up already needn't be woken for the cause.

    In this direction only: rules in both would silence both.
    """
    return tuple(
        Inhibition((*pages_of(standing.slo), _ACUTE), _pages_of_cause(standing.on))
        for standing in sorted(standings, key=lambda standing: (standing.slo, str(standing.on)))
    )


def _pages_of_cause(cause: OtherAlert) -> tuple[Matcher, ...]:
    return (
        Matcher("alertname", MatchOp.EQUAL, cause.alert),
        Matcher("severity", MatchOp.EQUAL, str(AlertSeverity.CRITICAL)),
        *cause.matchers,
    )


def _direct(dependencies: Sequence[Dependency]) -> dict[SloReference, list[SloReference]]:
    """By cause."""
    direct: dict[SloReference, list[SloReference]] = {}
    for dependency in dependencies:
        direct.setdefault(dependency.on, []).append(dependency.slo)
    return direct


def _caused_by(
    cause: SloReference, direct: dict[SloReference, list[SloReference]], elsewhere: frozenset[str]
) -> Iterator[Inhibition]:
    suffering: dict[str, list[str]] = {}
    for dependant in sorted(_all_dependants(cause, direct)):
        if dependant.service in elsewhere:
            continue
        suffering.setdefault(dependant.service, []).append(dependant.slo)
    for service, slos in suffering.items():
        yield Inhibition((*pages_of(cause), _ACUTE), _alerts_of(service, slos))
        yield Inhibition((*pages_of(cause), _SLOW), (*_alerts_of(service, slos), _BURNING))


def _all_dependants(cause: SloReference, direct: dict[SloReference, list[SloReference]]) -> set[SloReference]:
    """Those that depend on others that depend on it, too: these may fail less than it takes for an alert."""
    found: set[SloReference] = set()
    waiting = [cause]
    while waiting:
        for dependant in direct.get(waiting.pop(), ()):
            if dependant not in found:
                found.add(dependant)
                waiting.append(dependant)
    return found - {cause}


def pages_of(cause: SloReference) -> tuple[Matcher, ...]:
    """Its pages about the whole: one of its groups that fails explains nobody's failures."""
    return (
        Matcher("alertname", MatchOp.REGEX, _BROKEN),
        Matcher("severity", MatchOp.EQUAL, str(AlertSeverity.CRITICAL)),
        Matcher("service", MatchOp.EQUAL, cause.service),
        Matcher("slo", MatchOp.EQUAL, cause.slo),
        Matcher("grouped_by", MatchOp.EQUAL, ""),
        _HEARD,
    )


def _alerts_of(service: str, slos: Sequence[str]) -> tuple[Matcher, ...]:
    names = Matcher("slo", MatchOp.EQUAL, slos[0]) if len(slos) == 1 else Matcher("slo", MatchOp.REGEX, "|".join(slos))
    return (
        Matcher("alertname", MatchOp.REGEX, _SUFFERING),
        Matcher("severity", MatchOp.REGEX, "|".join(AlertSeverity)),
        Matcher("service", MatchOp.EQUAL, service),
        names,
        _HEARD,
    )
