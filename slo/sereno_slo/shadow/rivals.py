"""Whose rules Sereno's are compared with, and how their alerts are found.

Sources: the rules that Sloth generates for its examples (github.com/slok/sloth, examples/_gen: alerts carry
`sloth_service`, `sloth_slo` and `sloth_severity`, page or ticket), and Pyrra's slo/rules.go (alerts carry `slo`,
`short`, `long`, `exhaustion` and `severity`, critical or warning). Their default windows are those of
benchmarks/alert_quality.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from sereno_slo.backtest.notices import Kind
from sereno_slo.duration import Duration
from sereno_slo.model import ServiceLevelObjective
from sereno_slo.promql import Matcher, MatchOp, Selector


@dataclass(frozen=True, slots=True)
class Pair:
    """A rule of theirs by default: the error ratio over both windows is more than `factor` times the budget ratio."""

    kind: Kind
    factor: float
    long: Duration
    short: Duration


def _pairs(*rows: tuple[Kind, float, str, str]) -> tuple[Pair, ...]:
    return tuple(Pair(kind, factor, Duration.parse(long), Duration.parse(short)) for kind, factor, long, short in rows)


@dataclass(frozen=True, slots=True)
class Rival:
    """A generator of rules."""

    name: str
    severity_label: str
    kinds: Mapping[str, Kind]
    """By the values of that label."""
    pairs: tuple[Pair, ...]
    slo_label: str
    service_label: str | None
    marks: tuple[Matcher, ...] = ()
    """What only its alerts have."""

    def alerts(self, slo: ServiceLevelObjective, *, service: str | None, name: str | None) -> Selector:
        """Its firing alerts of an SLO, which may have other names there."""
        labels = {self.slo_label: name or slo.name, "alertstate": "firing"}
        if self.service_label is not None:
            labels[self.service_label] = service or slo.service
        return Selector("ALERTS", self.marks).where(**labels)


RIVALS: Mapping[str, Rival] = {
    "sloth": Rival(
        "sloth",
        "sloth_severity",
        {"page": Kind.PAGE, "ticket": Kind.TICKET},
        _pairs(
            (Kind.PAGE, 14.4, "1h", "5m"),
            (Kind.PAGE, 6, "6h", "30m"),
            (Kind.TICKET, 3, "1d", "2h"),
            (Kind.TICKET, 1, "3d", "6h"),
        ),
        slo_label="sloth_slo",
        service_label="sloth_service",
    ),
    "pyrra": Rival(
        "pyrra",
        "severity",
        {"critical": Kind.PAGE, "warning": Kind.TICKET},
        _pairs(
            (Kind.PAGE, 14, "1h", "5m"),
            (Kind.PAGE, 7, "6h", "30m"),
            (Kind.TICKET, 2, "1d", "2h"),
            (Kind.TICKET, 1, "4d", "6h"),
        ),
        slo_label="slo",
        service_label=None,
        marks=(Matcher("exhaustion", MatchOp.NOT_EQUAL, ""),),
    ),
}
