"""Grafana's dashboards, looked at: by rules (`lint`), and whether every panel has data (`look`).

Beside the compiler, not of it: it reads any dashboard, generated or not.
"""

from sereno_slo.dashboards_check.asking import Documents, Servers
from sereno_slo.dashboards_check.emptiness import Empty, Looked, look
from sereno_slo.dashboards_check.finding import RULES, Finding
from sereno_slo.dashboards_check.linting import Document, lint
from sereno_slo.dashboards_check.reasons import NO_REASONS, Reasons, fits, read_reasons, without_panel

__all__ = [
    "NO_REASONS",
    "RULES",
    "Document",
    "Documents",
    "Empty",
    "Finding",
    "Looked",
    "Reasons",
    "Servers",
    "fits",
    "lint",
    "look",
    "read_reasons",
    "without_panel",
]
