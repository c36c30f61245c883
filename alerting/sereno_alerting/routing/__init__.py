"""Cases of who is told what, tried on a real Alertmanager: routes, inhibition, hours; and what no case touches."""

from sereno_alerting.routing.coverage import Coverage, coverage_of
from sereno_alerting.routing.judging import Failure, failures
from sereno_alerting.routing.model import Case, CaseFile, Observation
from sereno_alerting.routing.reading import ReadCases, read_cases, unknown_receivers
from sereno_alerting.routing.running import Refused, Silent, alertmanager_program, observed
from sereno_alerting.routing.tree import Configuration, read_configuration

__all__ = [
    "Case",
    "CaseFile",
    "Configuration",
    "Coverage",
    "Failure",
    "Observation",
    "ReadCases",
    "Refused",
    "Silent",
    "alertmanager_program",
    "coverage_of",
    "failures",
    "observed",
    "read_cases",
    "read_configuration",
    "unknown_receivers",
]
