"""`sereno handover`: the shift's summary for the next person."""

from sereno_cli.commands.incident_reports import handover as command

__all__ = ["command"]
