"""The account of connections to servers: how many are open, and what went wrong with them."""

from prometheus_client import CollectorRegistry, Counter, Gauge
from reference_system.program import Unavailable

POSTGRESQL, RABBITMQ, S3, UPSTREAM, EXTRACT = "postgresql", "rabbitmq", "s3", "upstream", "extract"


class ServerUnavailable(Unavailable):
    """A server could not do what it was asked; it may be asked again. The message names server and cause."""

    def __init__(self, server: str, cause: object) -> None:
        # The first line: PostgreSQL's client adds hints on lines of their own, and one failure is one message.
        lines = str(cause).strip().splitlines() or [type(cause).__name__]
        super().__init__(f"{server} can't be used: {lines[0]}")
        self.server = server


class Connections:
    """Counts what every program opens and closes."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._open = Gauge("etl_connections_open", "Connections that are open.", ["server"], registry=registry)
        self._errors = Counter(
            "etl_connection_errors", "Errors of connections and what was asked on them.", ["server", "error"],
            registry=registry,
        )  # fmt: skip

    def known(self, server: str) -> None:
        """Its figures are there before anything happens."""
        self._open.labels(server)

    def opened(self, server: str) -> None:
        """One more is open."""
        self._open.labels(server).inc()

    def closed(self, server: str) -> None:
        """One less is open."""
        self._open.labels(server).dec()

    def failed(self, server: str, error: BaseException | str) -> None:
        """Something went wrong with one; classes of errors are few, so that the label stays bounded."""
        self._errors.labels(server, error if isinstance(error, str) else type(error).__name__).inc()
