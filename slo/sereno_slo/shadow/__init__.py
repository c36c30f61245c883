"""Sereno's alerts beside those of the rules that a team has (docs/shadow.md): what both would have told, and why not.

Everything is read from what a server recorded: `ALERTS` of both, and the ledger's figures for the reasons.
"""

from sereno_slo.shadow.conditions import Condition
from sereno_slo.shadow.documents import as_document
from sereno_slo.shadow.reporting import Difference, Report, report
from sereno_slo.shadow.rivals import RIVALS, Rival

__all__ = ["RIVALS", "Condition", "Difference", "Report", "Rival", "as_document", "report"]
