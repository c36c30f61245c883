"""What became of a case's alert, against what its author expects."""

from collections.abc import Iterator
from dataclasses import dataclass

from sereno_slo.diagnostics import Span, on_one_line

from sereno_alerting.routing.model import Case, Labels, Observation
from sereno_alerting.routing.staging import CASE, MOMENT
from sereno_alerting.routing.tree import Configuration


@dataclass(frozen=True, slots=True)
class Failure:
    """One expectation that doesn't hold."""

    span: Span
    case: str
    expected: str
    got: str

    def __str__(self) -> str:
        return on_one_line(f"{self.span}: {self.case}: expected {self.expected}, got {self.got}")


def failures(case: Case, seen: Observation, configuration: Configuration) -> Iterator[Failure]:
    """All of them."""

    def failure(expected: str, got: str) -> Failure:
        return Failure(case.span, case.name, expected, got)

    receivers = {configuration.routes[number].receiver for number in seen.routes}
    told = {configuration.routes[number].receiver for number in seen.told}
    if case.receivers is not None and case.receivers != receivers:
        yield failure(f"receivers {_listed(case.receivers)}", _listed(receivers))
    if case.inhibited != bool(seen.inhibited_by):
        by = f"inhibited by {_labels(seen.inhibited_by[0])}" if seen.inhibited_by else "not inhibited"
        yield failure("inhibited" if case.inhibited else "not inhibited", by)
    if not case.inhibited and not seen.inhibited_by:
        muted = (receivers if case.muted else set()) if isinstance(case.muted, bool) else case.muted
        if muted != receivers - told:
            when = f" at {case.at.isoformat()}" if case.at else ""
            yield failure(
                f"muted{when}: {_listed(muted)}", f"muted: {_listed(receivers - told)}; told: {_listed(told)}"
            )


def _listed(names: set[str] | frozenset[str]) -> str:
    return ", ".join(sorted(names)) or "nobody"


def _labels(labels: Labels) -> str:
    own = {name: value for name, value in labels.items() if name not in {CASE, MOMENT}}
    return "{" + ", ".join(f'{name}="{value}"' for name, value in sorted(own.items())) + "}"
