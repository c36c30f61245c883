"""What is to be made of the specs, and where it goes."""

from dataclasses import dataclass
from pathlib import Path

from sereno_slo.model import Service, Settings
from sereno_slo.render.artefact import ALL_KINDS, POSTMORTEM_TEMPLATE, Artefact, Kind, Ownership, runbook_name
from sereno_slo.render.layout import Layout
from sereno_slo.render.rule_format import RuleFormat


@dataclass(frozen=True, slots=True)
class Order:
    """Files of these kinds, below `root`."""

    settings: Settings
    layout: Layout
    root: Path
    kinds: frozenset[Kind] = ALL_KINDS
    is_complete: bool = True
    """Whether the specs are all that the root has: what spans all services, and strays, can't be told otherwise."""
    are_all: bool = True
    """Whether there are no other specs anywhere: a service that isn't among them doesn't exist."""
    rule_format: RuleFormat = RuleFormat.PROMETHEUS

    def has_overview(self) -> bool:
        """Whether the dashboard of all services is asked for."""
        return self.is_complete and Kind.DASHBOARDS in self.kinds

    def has_datasources(self) -> bool:
        """Whether Grafana's data sources are asked for."""
        return self.is_complete and Kind.DATASOURCES in self.kinds

    def has_inhibitions(self) -> bool:
        """Whether Alertmanager's part of the dependencies between services is asked for."""
        return self.is_complete and Kind.ALERTMANAGER in self.kinds

    def has_template(self) -> bool:
        """Whether the form of postmortems is asked for."""
        return self.is_complete and Kind.POSTMORTEM_TEMPLATE in self.kinds

    def runbooks_there(self, service: Service) -> tuple[str, ...]:
        """The runbooks of a service, if all are written: then they are people's, and nobody has to print them again."""
        names = (runbook_name(service.name, slo.name) for slo in service.objectives)
        blanks = (Artefact(Kind.RUNBOOKS, name, "", Ownership.SCAFFOLDED) for name in names)
        paths = tuple(map(self.layout.path, blanks)) if Kind.RUNBOOKS in self.kinds else ()
        return paths if all((self.root / path).is_file() for path in paths) else ()

    def template_path(self) -> str:
        """Where the form lies, below the root."""
        return self.layout.path(Artefact(Kind.POSTMORTEM_TEMPLATE, POSTMORTEM_TEMPLATE, "", Ownership.SCAFFOLDED))

    def lacks_template(self) -> bool:
        """Whether it is to be written: a form that is there belongs to people."""
        return self.has_template() and not (self.root / self.template_path()).exists()
