"""The ledger's own expressions, asked about the past: they read raw samples only, since entries are what is missing."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import assert_never

from sereno_slo.duration import MINUTE, Duration
from sereno_slo.history.slots import MINUTE_MS
from sereno_slo.model import Indicator, Probe, ServiceLevelObjective, Settings, Threshold
from sereno_slo.plan import series
from sereno_slo.plan.counting import CLOCK_WOBBLE_SECONDS, GAP, Raw, counted
from sereno_slo.plan.entries import bad_events_entry, events_entry, targets_seen
from sereno_slo.plan.series import Ledger
from sereno_slo.promql import Aggregation, Binary, Call, Expr, Number, Selector, String, Subquery, any_of


def entry_expressions(slo: ServiceLevelObjective, ledger: Ledger, settings: Settings) -> Mapping[str, Expr]:
    """The expression of every entry, by the name of its series; those of groups aren't limited to admitted ones."""
    raw = Raw(settings)
    events = events_entry(slo.indicator, raw, ledger.group_labels)
    expressions = {
        series.EVENTS_ENTRY: events,
        series.BAD_EVENTS_ENTRY: bad_events_entry(slo.indicator, ledger, raw),
    }
    if not ledger.group_labels:
        expressions[series.COVERAGE_ENTRY] = targets_seen(slo, raw)
    recorded = ledger.series(series.EVENTS_ENTRY).metric
    return {name: _computed(expr, recorded, events) for name, expr in expressions.items()}


def _computed(expr: Expr, recorded: str, events: Expr) -> Expr:
    """The expression with the events themselves in place of the entry of events that it reads."""

    def compute(part: Expr) -> Expr | None:
        match part:
            case Selector(metric=metric) if metric == recorded:
                return events
            case Call(arguments=(Selector(metric=metric),)) if metric == recorded:
                return events
            case Selector(metric=metric) if metric.startswith("sereno:"):
                raise ValueError(f"an entry reads {metric}: what it was in the past isn't known")  # our mistake
            case _:
                return None

    return rewritten(expr, compute)


def rewritten(expr: Expr, change: Callable[[Expr], Expr | None]) -> Expr:
    """The expression with every part replaced for which `change` has something else; what it gives is kept as it is."""
    changed = change(expr)
    if changed is not None:
        return changed
    match expr:
        case Selector() | Number() | String():
            return expr
        case Call(arguments=arguments):
            return replace(expr, arguments=tuple(rewritten(argument, change) for argument in arguments))
        case Aggregation(body=body) | Subquery(body=body):
            return replace(expr, body=rewritten(body, change))
        case Binary(left=left, right=right):
            return replace(expr, left=rewritten(left, change), right=rewritten(right, change))
        case _:
            assert_never(expr)


def shortened(expr: Expr, length_ms: int, settings: Settings) -> Expr:
    """An entry's expression for the last part of its minute only: where the phase of evaluations changed."""
    length, raw = Duration(length_ms), Raw(settings)
    minute_ago = raw.earlier(Selector(""), MINUTE).offset
    length_ago = raw.earlier(Selector(""), length).offset

    def shorten(part: Expr) -> Expr | None:
        if not isinstance(part, Selector):
            return None
        window = length if part.window == MINUTE else part.window
        return replace(part, window=window, offset=length_ago if part.offset == minute_ago else part.offset)

    return rewritten(expr, shorten)


@dataclass(frozen=True, slots=True)
class Returns:
    """Targets that answered a scrape in the minute, not in the gap that entries look over, but within `longest_gap`."""

    settings: Settings
    longest_gap: Duration

    def targets(self, counter: Selector) -> Expr:
        """Those of the counter's targets that have just come back."""
        near, far = Raw(self.settings), Raw(self.settings, self.longest_gap)
        up = near.target(counter, "up")
        before_near, before_far = near.earlier(up, MINUTE).over(GAP), far.earlier(up, MINUTE).over(far.gap)
        answered = _was_up(near.minute(up)).unless(_was_up(before_near))
        return answered.and_(_was_up(before_far))

    def count(self, counter: Selector) -> Expr:
        """How many of them there are; no value where there are none."""
        return Aggregation("count", self.targets(counter))

    def seen_by_entry(self, counter: Selector, by: tuple[str, ...]) -> Expr:
        """What the minute's entry counts on these targets."""

        def restricted(part: Expr) -> Expr | None:
            return self._on_them(part, counter) if isinstance(part, Aggregation) else None

        return rewritten(counted(counter, Raw(self.settings), by), restricted)

    def caught_up(self, counter: Selector, by: tuple[str, ...]) -> Expr:
        """What was counted on them since they were seen last.

        A process that began meanwhile counts in full; what one before it counted after its last scrape is lost. Without
        a metric of process starts, a counter that is higher than it was is taken for the same: never too many.
        """
        raw = Raw(self.settings, self.longest_gap)
        now, before = raw.now(counter), raw.before(counter)
        branches: list[Expr] = [now - (before <= now), now]
        if self.settings.process_start_metric is not None:
            start = raw.target(counter, self.settings.process_start_metric)
            began = (raw.now(start) - raw.before(start)) > CLOCK_WOBBLE_SECONDS
            branches.insert(0, now.and_(began, on=self.settings.identity_labels))
        counted_since = Aggregation("sum", any_of(*branches), by)
        return self._on_them(counted_since, counter)

    def _on_them(self, counts: Aggregation, counter: Selector) -> Aggregation:
        # `and` binds no tighter than `or` where it is printed: trees carry their own parentheses.
        body = Binary("and", counts.body, self.targets(counter), on=self.settings.identity_labels)
        return replace(counts, body=body)


def _was_up(up: Selector) -> Expr:
    return Call("max_over_time", (up,)).equals(1)


def is_sliced(indicator: Indicator) -> bool:
    """Whether every minute is one event: half a minute is none."""
    return isinstance(indicator, Threshold | Probe)


def minute_part(length_ms: int) -> float:
    """How much of a minute a slot is."""
    return min(1.0, length_ms / MINUTE_MS)
