"""Long stretches of a Prometheus, asked in pieces that no server refuses."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sereno_backends.prometheus import Columns, PrometheusClient, Sample, Series

from sereno_slo.duration import Duration
from sereno_slo.history.slots import MINUTE_MS
from sereno_slo.plan.series import MISSED_LABELS, Ledger
from sereno_slo.promql import Expr

Labels = tuple[tuple[str, str], ...]
"""Labels in order of their names, without the metric's name and what all series of a ledger share."""
Table = dict[Labels, dict[int, float]]
"""Values by series and by moment."""

DAY_MS = 24 * 60 * MINUTE_MS
_MOST_STEPS = 240
"""Steps of one question: Prometheus refuses more than 11,000, and gives up after two minutes. With 200 raw series these
four hours take it a second (measured), and thousands still fit in."""


class ForeignLabels(Exception):  # noqa: N818 - reads as what happened
    """The server's ledger has labels that its rules don't give: repairs would become series of their own."""


@dataclass(frozen=True, slots=True)
class Reader:
    """Asks one server. Every question may raise the errors of `sereno_backends.prometheus`."""

    client: PrometheusClient
    asked: Callable[[], None]
    """Called after every question, for those who show progress."""

    def recorded(self, ledger: Ledger, name: str, start_ms: int, end_ms: int) -> Table:
        """The samples of a recorded series as they are stored.

        Raises:
            ForeignLabels: they carry labels that are not the ledger's.
        """
        table: Table = defaultdict(dict)
        for begin_ms in range(start_ms, end_ms, DAY_MS):
            stop_ms = min(begin_ms + DAY_MS, end_ms)
            selector = ledger.series(name).over(Duration(stop_ms - begin_ms))
            _add(table, self.client.stored(str(selector), _moment(stop_ms)))
            self.asked()
        for labels in table:
            foreign = {label for label, _ in labels} - set(ledger.group_labels)
            if foreign:
                raise ForeignLabels(
                    f"{self.client.name} has {ledger.series(name)} with the label {min(foreign)}, which the rules "
                    "don't give it: ask the very Prometheus that evaluates the rules, not one that gathers several"
                )
        return dict(table)

    def evaluated(self, expr: Expr, moments: Iterable[int]) -> Table:
        """What the expression yields at these moments, which may have several phases; numbers only."""
        table: Table = defaultdict(dict)
        step = timedelta(milliseconds=MINUTE_MS)
        for piece in _pieces(moments):
            _add(table, self.client.range(str(expr), _moment(piece[0]), _moment(piece[-1]), step), only=set(piece))
            self.asked()
        return dict(table)

    def stepped(self, expr: Expr, start: datetime, end: datetime, step: timedelta) -> tuple[Series, ...]:
        """What the expression yields at `start`, `start + step`, … up to `end`."""
        answer = self.client.range(str(expr), start, end, step)
        self.asked()
        return answer

    def columns(self, expr: Expr, start_ms: int, end_ms: int) -> tuple[Columns, ...]:
        """What the expression yields at every minute from `start_ms` up to `end_ms`, both included.

        May be called from several threads at once; `asked` isn't called.
        """
        step = timedelta(milliseconds=MINUTE_MS)
        return self.client.columns(str(expr), _moment(start_ms), _moment(end_ms), step)

    def instant(self, expr: Expr, at: datetime) -> tuple[Sample, ...]:
        """What the expression yields at a moment."""
        answer = self.client.instant(str(expr), at)
        self.asked()
        return answer


def _pieces(moments: Iterable[int]) -> Iterator[Sequence[int]]:
    """Moments of one phase, near enough to each other for one question."""
    by_phase: dict[int, list[int]] = defaultdict(list)
    for moment in moments:
        by_phase[moment % MINUTE_MS].append(moment)
    for phase in by_phase.values():
        piece: list[int] = []
        for moment in sorted(phase):
            if piece and moment - piece[0] >= _MOST_STEPS * MINUTE_MS:
                yield piece
                piece = []
            piece.append(moment)
        yield piece


def _add(table: Table, answer: Iterable[Series], only: set[int] | None = None) -> None:
    for series in answer:
        values = table[_labels(series.labels)]
        for point in series.points:
            moment = round(point.timestamp.timestamp() * 1000)
            if point.is_finite and (only is None or moment in only):
                values[moment] = point.value


def _labels(labels: Mapping[str, str]) -> Labels:
    return tuple(sorted((name, value) for name, value in labels.items() if name not in ("__name__", *MISSED_LABELS)))


def _moment(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=milliseconds)


def moments_of(table: Table) -> list[int]:
    """When any series of the table has a value, in order of time."""
    return sorted({moment for values in table.values() for moment in values})
