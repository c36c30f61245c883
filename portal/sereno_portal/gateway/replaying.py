"""A backtest as the portal's pages tell it; runs in the process that `history` starts."""

from datetime import UTC, datetime

from sereno_backends.prometheus import PrometheusClient, PrometheusError
from sereno_slo.backtest import (
    Asked,
    Backtest,
    HistoryNotRead,
    OtherSpec,
    collected,
    recorded_entries,
    run_backtest,
)
from sereno_slo.backtest.notices import Notice
from sereno_slo.backtest.objectives import with_objective
from sereno_slo.backtest.replaying import USUAL
from sereno_slo.backtest.replaying import Outcome as Policy
from sereno_slo.backtest.wording import names
from sereno_slo.duration import MINUTE, Duration
from sereno_slo.history import Asker, Reader, series_counts

from sereno_portal.gateway.gateway import NotAnswered, TooMuch
from sereno_portal.gateway.history import MOST_RAW_POINTS, Curve, Outcome, Replay, Replayed, Source, Told

_ANSWER_SECONDS = 60.0
_DAY = Duration.parse("1d")
_PRESENT = "as written"


def replayed(prometheus: str, question: Replay, end_ms: int) -> Replayed:
    """Read and replay.

    Raises:
        NotAnswered: the past couldn't be read.
        TooMuch: there are too many series.
    """
    try:
        with PrometheusClient(prometheus, timeout_seconds=_ANSWER_SECONDS) as client:
            reader = Reader(client, lambda: None)
            if question.source is Source.RECORDED:
                found = _run(question, reader, end_ms, Source.RECORDED)
                if found.history_begin_ms is not None:
                    return _answer(found, question, Source.RECORDED)
            _check_size(question, reader, end_ms)
            return _answer(_run(question, reader, end_ms, Source.RAW), question, Source.RAW)
    except (HistoryNotRead, PrometheusError) as error:
        raise NotAnswered(str(error)) from error


def _run(question: Replay, reader: Reader, end_ms: int, source: Source) -> Backtest:
    """Of the asked objective; the present one is its rival, unless they are the same."""
    slo, settings = question.slo, question.settings
    asked = with_objective(slo, question.objective_percent)
    others = () if asked == slo else (OtherSpec(_PRESENT, slo, settings),)
    collect = recorded_entries if source is Source.RECORDED else collected
    return run_backtest(
        asked,
        settings,
        reader,
        Asked(end_ms, question.days),
        others=others,
        progress=lambda _: None,
        collect=collect,
    )


def _check_size(question: Replay, reader: Reader, end_ms: int) -> None:
    counts = series_counts(Asker(reader, datetime.fromtimestamp(end_ms / 1000, UTC)), question.slo, question.settings)
    read = _DAY * question.days + question.slo.longest_window + USUAL
    points = (counts.total + counts.part) * round(read / MINUTE)
    if points > MOST_RAW_POINTS:
        raise TooMuch(
            f"{counts.total + counts.part:,} raw series over {read} are too many for a page; "
            "ask about fewer days, about what is recorded, or call `sereno backtest`"
        )


def _answer(one: Backtest, question: Replay, source: Source) -> Replayed:
    present = next((each for each in one.policies if each.name == _PRESENT), one.outcome)
    whole_from_ms = one.whole_from_ms(question.slo.longest_window)
    return Replayed(
        begin=one.begin_ms / 1000,
        end=one.end_ms / 1000,
        source=source,
        history_begin=None if one.history_begin_ms is None else one.history_begin_ms / 1000,
        budget_whole_from=None if whole_from_ms is None else whole_from_ms / 1000,
        minutes=one.minutes,
        minutes_seen=one.minutes_seen,
        events=one.events,
        bad_events=one.bad_events,
        attained_ratio=one.attained_ratio,
        asked=_outcome(one.outcome),
        present=_outcome(present),
        others=tuple(map(_outcome, one.what_if)),
        told=tuple(map(_told, one.outcome.notices)),
        told_at_present=tuple(map(_told, present.notices)),
        suggested_objective_percent=one.suggestion.objective_percent,
        curve=_curve(one),
    )


def _outcome(policy: Policy) -> Outcome:
    return Outcome(
        policy.objective_percent,
        policy.pages,
        policy.tickets,
        policy.budget_remaining_ratio,
        policy.lowest_budget_remaining_ratio,
    )


def _told(notice: Notice) -> Told:
    return Told(
        kind=str(notice.kind),
        begin=notice.begin_ms / 1000,
        end=notice.end_ms / 1000,
        is_open=notice.is_open,
        alerts=names(notice),
        peak_burn_rate=notice.peak_burn_rate,
        events=notice.events,
        bad_events=notice.bad_events,
        budget_spent_ratio=notice.budget_spent_ratio,
    )


def _curve(one: Backtest) -> Curve:
    points = one.curve.points
    return Curve(
        tuple(point.begin_ms / 1000 for point in points),
        tuple(point.budget_remaining_ratio for point in points),
        tuple((point.bad_events or 0.0) / point.events if point.events else None for point in points),
    )
