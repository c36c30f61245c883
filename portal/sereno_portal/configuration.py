"""What a portal is told when it starts."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from sereno_backends.kibana import Kibana
from sereno_postmortems.sources import IncidentPlace


@dataclass(frozen=True, slots=True)
class PortalConfiguration:
    """Where everything is that the pages show."""

    prometheus: str
    """The address of the server that evaluates the rules; credentials in it are never shown."""
    root: Path
    """The repository: slo/specs, sereno.yaml, dashboards/grafana, runbooks."""
    incidents: IncidentPlace | None = None
    """None: there are no pages about incidents."""
    user_header: str | None = None
    """The request header in which a reverse proxy on this machine names who asks."""
    public_names: tuple[str, ...] = ()
    """The host names, in small letters, by which people reach the portal through a proxy."""
    listens_locally: bool = True
    """Only this machine reaches the port: whoever asks under a foreign name without a password is refused."""
    log_store: str | None = None
    """Where drafts of postmortems look for errors: an address of Elasticsearch or an SQLite file."""
    kibana: Kibana | None = None
    """Where people look at the same logs."""
    devops_store: Path | None = None
    """The file of `sereno collect devops`: what was deployed, for drafts."""
    clock: Callable[[], datetime] = field(default=lambda: datetime.now(UTC))
    """Aware, UTC."""

    @property
    def specs(self) -> Path:
        """The specs, a file each."""
        return self.root / "slo" / "specs"

    @property
    def settings_file(self) -> Path:
        """The defaults for all specs; it need not exist."""
        return self.root / "sereno.yaml"

    @property
    def dashboards(self) -> Path:
        """Compiled and written dashboards, in folders below."""
        return self.root / "dashboards" / "grafana"

    @property
    def runbooks(self) -> Path:
        """One file an alert, and one for each SLO in its service's folder."""
        return self.root / "runbooks"
