"""Where commands that speak of an incident read it: the receiver's file, or a running receiver."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from sereno_postmortems.sources import IncidentSource

DEFAULT_DATABASE = Path("var/incidents.sqlite")


def incident_source(database: Path | None, url: str | None) -> "IncidentSource":
    """The source that --database or --incidents names; nothing is read yet.

    Raises:
        click.UsageError: Both are named, or the address is none.
    """
    from sereno_postmortems.sources import DatabaseIncidents, HttpIncidents
    from sereno_postmortems.store import IncidentStore

    if url is not None and database is not None:
        raise click.UsageError("--database and --incidents name two places; give one")
    if url is not None and not url.startswith(("http://", "https://")):
        raise click.UsageError(f"--incidents {url} is no address; write for example http://127.0.0.1:19093")
    return HttpIncidents(url) if url is not None else DatabaseIncidents(IncidentStore(database or DEFAULT_DATABASE))
