"""What is to be made of the specs, and where it goes."""

from dataclasses import dataclass
from pathlib import Path

from sereno_slo.model import Settings
from sereno_slo.render.artefact import ALL_KINDS, POSTMORTEM_TEMPLATE, Artefact, Kind, Ownership
from sereno_slo.render.layout import Layout


@dataclass(frozen=True, slots=True)
class Order:
    """Files of these kinds, below `root`."""

    settings: Settings
    layout: Layout
    root: Path
    kinds: frozenset[Kind] = ALL_KINDS
    is_complete: bool = True
    """Whether the specs are all that the root has: what spans all services, and strays, can't be told otherwise."""

    def has_overview(self) -> bool:
        """Whether the dashboard of all services is asked for."""
        return self.is_complete and Kind.DASHBOARDS in self.kinds

    def has_template(self) -> bool:
        """Whether the form of postmortems is asked for."""
        return self.is_complete and Kind.POSTMORTEM_TEMPLATE in self.kinds

    def template_path(self) -> str:
        """Where the form lies, below the root."""
        return self.layout.path(Artefact(Kind.POSTMORTEM_TEMPLATE, POSTMORTEM_TEMPLATE, "", Ownership.SCAFFOLDED))

    def lacks_template(self) -> bool:
        """Whether it is to be written: a form that is there belongs to people."""
        return self.has_template() and not (self.root / self.template_path()).exists()
