"""Where each kind of artefact lives: in the repository, or below `--out`."""

import posixpath
from collections.abc import Mapping
from dataclasses import dataclass, replace

from sereno_slo.render.artefact import Artefact, Kind
from sereno_slo.render.rule_format import RuleFormat


@dataclass(frozen=True, slots=True)
class Layout:
    """A folder for each kind, relative to one root, with forward slashes."""

    folders: Mapping[Kind, str]
    is_exclusive: bool
    """Whether the folders of generated kinds belong to the compiler alone, so that strays in them are removed."""

    def path(self, artefact: Artefact) -> str:
        """The artefact's path below the root."""
        return posixpath.normpath(posixpath.join(self.folders[artefact.kind], artefact.name))

    def relative(self, kind: Kind, to: Kind) -> str:
        """The way from one kind's folder to another's, for files that name each other."""
        return posixpath.relpath(self.folders[to], self.folders[kind])


REPOSITORY = Layout(
    {
        Kind.RULES: "alerting/rules/generated",
        Kind.TESTS: "alerting/tests/generated",
        Kind.DASHBOARDS: "dashboards/grafana/generated",
        Kind.DATASOURCES: "dashboards/grafana/provisioning/datasources",
        Kind.RUNBOOKS: "runbooks",
        Kind.POSTMORTEM_TEMPLATE: "postmortems",
        Kind.BUCKETS: "slo/buckets/generated",
        Kind.ALERTMANAGER: "alerting/alertmanager/generated",
    },
    is_exclusive=True,
)


def repository_layout(rule_format: RuleFormat) -> Layout:
    """The repository's folders; rules that aren't Prometheus' own have one beside those that are."""
    if rule_format is RuleFormat.PROMETHEUS:
        return REPOSITORY
    return replace(REPOSITORY, folders={**REPOSITORY.folders, Kind.RULES: f"alerting/{rule_format}/generated"})


FOLDER = Layout({kind: str(kind) for kind in Kind}, is_exclusive=False)

# The folders in which every file comes from the compiler; runbooks, templates and data sources are shared with people.
GENERATED_KINDS = (Kind.RULES, Kind.TESTS, Kind.DASHBOARDS, Kind.BUCKETS, Kind.ALERTMANAGER)
