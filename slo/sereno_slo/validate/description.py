"""One spec as far as others care: which service and SLOs it describes, and which SLOs it names."""

from collections.abc import Sequence
from dataclasses import dataclass

from sereno_slo.diagnostics import Span
from sereno_slo.model import Dependency, Neighbour, OtherAlert, SloReference, Standing


@dataclass(frozen=True, slots=True)
class Mention:
    """A place where an SLO or a journey says that it can't hold without another SLO."""

    slo: str
    """The SLO or journey, of the spec's own service, that says so."""
    of: SloReference
    span: Span
    is_step: bool = False
    """Whether this is a step of a journey."""


@dataclass(frozen=True, slots=True)
class Description:
    """Which service and SLOs a spec describes, and where it says so."""

    name: str
    source: str
    """The spec's path in headers of generated files."""
    path: str
    """The spec's path as it was given."""
    span: Span
    slos: tuple[str, ...] = ()
    journeys: tuple[str, ...] = ()
    mentions: tuple[Mention, ...] = ()
    formerly: tuple[Mention, ...] = ()
    """Where an SLO says which names it had before."""
    stands_on: tuple[tuple[str, OtherAlert], ...] = ()
    """By name of the SLO: the alerts of causes below it."""
    group_labels: tuple[str, ...] = ()
    """The labels by which any of the SLOs is grouped."""

    @property
    def objective_names(self) -> tuple[str, ...]:
        """The SLOs', then the journeys'."""
        return (*self.slos, *self.journeys)

    @property
    def dependencies(self) -> tuple[Dependency, ...]:
        """What the SLOs say that they depend on, and what the journeys pass through."""
        return tuple(Dependency(SloReference(self.name, mention.slo), mention.of) for mention in self.mentions)


def described(neighbour: Neighbour) -> Description:
    """A service of another repository, as others care; no mistake is ever told of its own places."""
    span = Span(neighbour.path)
    mentions = tuple(Mention(slo, of, span, is_step=slo in neighbour.journeys) for slo, of in neighbour.needs)
    return Description(
        *(neighbour.service, neighbour.path, neighbour.path, span),
        slos=neighbour.slos,
        journeys=neighbour.journeys,
        mentions=mentions,
    )


def dependencies(descriptions: Sequence[Description]) -> tuple[Dependency, ...]:
    """What the SLOs of all specs say that they depend on, in the specs' order."""
    return tuple(dependency for description in descriptions for dependency in description.dependencies)


def standings(descriptions: Sequence[Description]) -> tuple[Standing, ...]:
    """On which alerts' causes the SLOs of all specs say that they stand, in the specs' order."""
    return tuple(
        Standing(SloReference(description.name, slo), on)
        for description in descriptions
        for slo, on in description.stands_on
    )
