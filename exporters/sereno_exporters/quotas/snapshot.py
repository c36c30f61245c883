"""What was read of a quota: frozen."""

from dataclasses import dataclass

from sereno_exporters.quotas.periods import Span
from sereno_exporters.quotas.settings import Quota


@dataclass(frozen=True, slots=True)
class Usage:
    """How much of a quota is used at a moment."""

    quota: Quota
    used: float
    at: float
    """Seconds since the epoch."""
    span: Span | None
    """None for a level, which never begins anew."""

    @property
    def used_ratio(self) -> float:
        """1 is all of it."""
        return self.used / self.quota.limit

    @property
    def runs_out_at(self) -> float | None:
        """If it goes on as since the period's start; None where nothing was used yet, or there is no period."""
        if self.span is None or self.used <= 0:
            return None
        elapsed_seconds = max(self.at - self.span.start, 1.0)
        return self.span.start + elapsed_seconds * self.quota.limit / self.used
