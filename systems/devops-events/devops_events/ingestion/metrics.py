"""What an ingestion node counts beside its HTTP requests."""

from prometheus_client import CollectorRegistry, Counter, Gauge
from sereno_collectors.devops.metrics import Outcome

from devops_events.ingestion.claims import Claim, Claimed, Doubt, Published, Unclaimed
from devops_events.platforms import PROVIDERS, UNKNOWN

_REFUSALS = (
    Outcome.UNAUTHENTICATED,
    Outcome.STALE,
    Outcome.INVALID,
    Outcome.TOO_LARGE,
    Outcome.UNAVAILABLE,
)
_CLAIMS = ("claimed", "published", *Doubt)


class IngestionMetrics:
    """Counters by platform; all are there from the start, at 0."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._accepted = Counter(
            "devops_events_accepted_total",
            "Webhook deliveries that the broker has confirmed.",
            ["platform"],
            registry=registry,
        )
        self._refused = Counter(
            "devops_events_refused_total",
            "Webhook deliveries that were not taken, by reason.",
            ["platform", "reason"],
            registry=registry,
        )
        self._duplicates = Counter(
            "devops_events_duplicates_total",
            "Deliveries that were there already, by what removed them: the filter at ingestion, or the store.",
            ["stage", "platform"],
            registry=registry,
        )
        self._claims = Counter(
            "devops_events_claims_total",
            "What claiming a delivery came to; no_answer and held are published without a claim.",
            ["outcome"],
            registry=registry,
        )
        self._fault_active = Gauge(
            "devops_events_fault_active", "1 while a fault is switched on.", ["fault"], registry=registry
        )
        for platform in PROVIDERS:
            self._accepted.labels(platform)
            self._duplicates.labels("ingestion", platform)
            for reason in _REFUSALS:
                self._refused.labels(platform, reason.value)
        self._refused.labels(UNKNOWN, Outcome.UNKNOWN_SOURCE.value)
        for outcome in _CLAIMS:
            self._claims.labels(outcome)

    def accepted(self, platform: str) -> None:
        """The broker has it."""
        self._accepted.labels(platform).inc()

    def refused(self, platform: str, reason: Outcome) -> None:
        """It wasn't taken."""
        self._refused.labels(platform, reason.value).inc()

    def duplicate(self, platform: str) -> None:
        """It was published before, and isn't again."""
        self._duplicates.labels("ingestion", platform).inc()

    def claim(self, claim: Claim) -> None:
        """What claiming came to."""
        match claim:
            case Claimed():
                self._claims.labels("claimed").inc()
            case Published():
                self._claims.labels("published").inc()
            case Unclaimed(doubt):
                self._claims.labels(doubt.value).inc()

    def fault(self, name: str, on: bool) -> None:
        """A fault was switched."""
        self._fault_active.labels(name).set(on)
