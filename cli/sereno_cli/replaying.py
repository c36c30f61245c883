"""Both editions of an SLO over a server's past: what `sereno plan --prometheus` tells of a change."""

from collections.abc import Callable
from dataclasses import dataclass

from sereno_slo.backtest import Asked, Backtest, OtherSpec, run_backtest
from sereno_slo.backtest.replaying import Outcome
from sereno_slo.changes import Consequences, Edition
from sereno_slo.history import Reader


@dataclass(frozen=True, slots=True)
class Replayer:
    """Replays by `sereno backtest`'s own means; may raise `HistoryNotRead`."""

    reader: Reader
    asked: Asked
    progress: Callable[[float], None]

    def __call__(
        self, before: Edition | None, after: Edition | None
    ) -> tuple[Consequences | None, Consequences | None]:
        """What each would have done; raw series are read once where both count the same."""
        if before is None or after is None or not _count_the_same(before, after):
            return self._alone(before), self._alone(after)
        rival = OtherSpec("before", before.slo, before.settings)
        backtest = self._backtest(after, rival)
        return self._consequences(backtest, backtest.policies[-1]), self._consequences(backtest, backtest.outcome)

    def _alone(self, edition: Edition | None) -> Consequences | None:
        if edition is None:
            return None
        backtest = self._backtest(edition)
        return self._consequences(backtest, backtest.outcome)

    def _backtest(self, edition: Edition, *rivals: OtherSpec) -> Backtest:
        return run_backtest(
            edition.slo, edition.settings, self.reader, self.asked, others=rivals, progress=self.progress
        )

    def _consequences(self, backtest: Backtest, outcome: Outcome) -> Consequences:
        return Consequences(
            days=self.asked.days,
            remaining_ratio=outcome.budget_remaining_ratio,
            pages=outcome.pages,
            tickets=outcome.tickets,
            coverage_ratio=backtest.minutes_seen / backtest.minutes,
        )


def _count_the_same(one: Edition, other: Edition) -> bool:
    return one.slo.indicator == other.slo.indicator and one.settings == other.settings
