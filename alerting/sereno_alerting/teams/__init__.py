"""`teams.yaml`: who is told what, read with every mistake at once."""

from sereno_alerting.teams.model import Owner, Teams
from sereno_alerting.teams.reading import ReadTeams, read_teams, strangers, unknown_waiting

__all__ = ["Owner", "ReadTeams", "Teams", "read_teams", "strangers", "unknown_waiting"]
