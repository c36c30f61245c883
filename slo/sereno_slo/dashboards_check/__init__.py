"""Grafana's dashboards, looked at: by rules (`lint`), and whether every panel has data (`emptiness`).

Beside the compiler, not of it: it reads any dashboard, generated or not.
"""

from sereno_slo.dashboards_check.finding import RULES, Finding
from sereno_slo.dashboards_check.linting import Document, lint

__all__ = ["RULES", "Document", "Finding", "lint"]
