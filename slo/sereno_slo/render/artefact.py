"""A file to be written, and who owns it."""

from dataclasses import dataclass
from enum import StrEnum


class Ownership(StrEnum):
    """Who may change the file after it was written."""

    GENERATED = "generated"
    """Always overwritten; `sereno compile --check` fails when it differs from the specs."""
    SCAFFOLDED = "scaffolded"
    """Written once when missing, then a human's."""


class Kind(StrEnum):
    """The kinds of artefacts; the values are their folders below `--out`."""

    RULES = "rules"
    TESTS = "tests"
    DASHBOARDS = "dashboards"
    DATASOURCES = "datasources"
    RUNBOOKS = "runbooks"
    POSTMORTEM_TEMPLATE = "."
    BUCKETS = "buckets"
    ALERTMANAGER = "alertmanager"

    @property
    def label(self) -> str:
        """The kind's name on the command line."""
        return self.name.lower().replace("_", "-")


ALL_KINDS = frozenset(Kind)
POSTMORTEM_TEMPLATE = "postmortem-template.md"


@dataclass(frozen=True, slots=True)
class Artefact:
    """One file: `name` is its path below the folder of its kind, with forward slashes."""

    kind: Kind
    name: str
    content: str
    ownership: Ownership = Ownership.GENERATED


def runbook_name(service: str, slo: str) -> str:
    """An SLO's own runbook."""
    return f"{service}/{slo}.md"
