"""What a change does to an SLO's past: recorded series go on, mix two meanings, or end."""

from collections.abc import Iterator

from sereno_slo.model import (
    BadEventsRatio,
    GoodEventsRatio,
    GroupBy,
    Journey,
    Latency,
    NativeLatency,
    ServiceLevelObjective,
    TimeSlices,
)

FORMER_NAMES = "formerly"
"""The key of an SLO that names what it was called before."""


def notes_on_past(old: ServiceLevelObjective | Journey, new: ServiceLevelObjective | Journey) -> Iterator[str]:
    """In sentences; nothing where the past stays what it was."""
    yield from _measure(old, new)
    if old.objective_percent != new.objective_percent:
        factor = new.error_budget_ratio / old.error_budget_ratio
        yield (
            f"The budget of the whole window is {factor:.3g} times what it was, from the first evaluation on: past "
            "failures are judged by the new objective."
        )
    if (old.calendar, new.calendar) != (None, None) and old.calendar != new.calendar:
        yield (
            "The ledger goes on; from the first evaluation on budgets are counted over the new window, by the entries "
            "that are there. Graphs of the budget jump."
        )
    elif old.window != new.window:
        longer = " What is older than the server keeps samples lacks in it." if old.window < new.window else ""
        yield (
            f"The ledger goes on; budgets are counted over {new.window} from the first evaluation on, by the entries "
            f"that are there.{longer} Graphs of the budget jump."
        )
    if old.exclusions != new.exclusions:
        yield (
            "What is excluded, or isn't any more, leaves or enters the whole window with the first evaluation, its "
            "past, too; what alerts said isn't unsaid."
        )
    if isinstance(new, ServiceLevelObjective) and new.group_by is not None:
        yield from _groups(None if isinstance(old, Journey) else old.group_by, new.group_by)


def _groups(old: GroupBy | None, new: GroupBy) -> Iterator[str]:
    if old is None:
        yield "Ledgers of groups begin when the rules are loaded; `sereno backfill` counts their past."
    elif old.labels != new.labels:
        yield "Ledgers of groups begin anew: series with other labels are other series. The whole goes on."


def _measure(old: ServiceLevelObjective | Journey, new: ServiceLevelObjective | Journey) -> Iterator[str]:
    """What the entries before the change were made of, where that was something else."""
    match old, new:
        case ServiceLevelObjective(), ServiceLevelObjective():
            if old.indicator != new.indicator:
                yield _indicator(old, new)
        case Journey(), Journey():
            if old.steps != new.steps:
                yield (
                    "The ledger goes on: entries before the change were made of the old steps, and for a whole window "
                    f"({new.window}) the budget is made of both."
                )
        case _:
            kinds = ("a journey", "an SLO") if isinstance(old, Journey) else ("an SLO", "a journey")
            yield (
                f"It was {kinds[0]} and becomes {kinds[1]}: for a whole window ({new.window}) the budget adds both, "
                "which means nothing. Give it another name."
            )


def _indicator(old: ServiceLevelObjective, new: ServiceLevelObjective) -> str:
    if isinstance(old.indicator, TimeSlices) != isinstance(new.indicator, TimeSlices):
        kinds = ("minutes", "requests") if isinstance(old.indicator, TimeSlices) else ("requests", "minutes")
        return (
            f"Events were {kinds[0]} and become {kinds[1]}: for a whole window ({new.window}) the budget adds both, "
            "which means nothing. Give the SLO another name."
        )
    what = _what_counted(old, new)
    return (
        f"The ledger goes on: entries before the change were counted with {what}, and for a whole window "
        f"({new.window}) the budget is made of both."
    )


def _what_counted(old: ServiceLevelObjective, new: ServiceLevelObjective) -> str:
    match old.indicator, new.indicator:
        case ((Latency() | NativeLatency()), (Latency() | NativeLatency())):
            if old.indicator.total.metric == new.indicator.total.metric and old.indicator.total == new.indicator.total:
                return "the old threshold"
            return "the old histogram"
        case ((BadEventsRatio() | GoodEventsRatio()), (BadEventsRatio() | GoodEventsRatio())):
            return (
                "the old selector of all events"
                if old.indicator.total != new.indicator.total
                else ("the old selector of what is bad")
            )
        case _ if isinstance(new.indicator, TimeSlices):
            same = old.indicator.total == new.indicator.total
            return "the old bounds" if same and type(old.indicator) is type(new.indicator) else "the old gauge"
        case _:
            return "the old indicator"


NOTE_ON_NEW = (
    "Its ledger begins when the rules are loaded: until then nothing of its budget is spent. `sereno backfill` counts "
    "its past from raw samples, as far as the server keeps them."
)
NOTE_ON_GONE = "Its alerts end with its rules; what was recorded stays until the server forgets it."


NOTE_ON_NEW_JOURNEY = (
    "Its ledger begins when the rules are loaded: until then nothing of its budget is spent. It is made of what its "
    "steps' rules record from then on; no raw samples tell its past."
)


def note_on_new(new: ServiceLevelObjective | Journey) -> str:
    """Since when it counts."""
    return NOTE_ON_NEW_JOURNEY if isinstance(new, Journey) else NOTE_ON_NEW


def note_on_renamed(old: str, new: ServiceLevelObjective | Journey) -> str:
    """Whether its past goes on under the new name."""
    if isinstance(new, Journey):
        return f"It has the steps of {old}, which is removed: a journey's past doesn't follow it to another name."
    service, _, name = old.partition("/")
    if (service, name) in new.formerly:
        return f"It was {old}, and names it in `{FORMER_NAMES}`: what was counted then still counts."
    return (
        f"It counts what {old} counted, which is removed: if this is its new name, it loses its past unless it names "
        f"the old one in `{FORMER_NAMES}`."
    )
