"""What dashboards of all services tell of each one: of services themselves, or of what is remembered of them."""

from typing import Protocol

from sereno_slo.model import Dependency


class Watched(Protocol):
    """A service as the dashboards of all services see it."""

    @property
    def name(self) -> str:
        """The service's."""

    @property
    def source(self) -> str:
        """Its spec."""

    @property
    def objective_names(self) -> tuple[str, ...]:
        """Its SLOs', then its journeys'."""

    @property
    def group_labels(self) -> tuple[str, ...]:
        """The labels that budgets of its groups have."""

    @property
    def dependencies(self) -> tuple[Dependency, ...]:
        """What its SLOs can't hold without, and what its journeys pass through."""
