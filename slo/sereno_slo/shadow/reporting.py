"""What both sets of rules told in a period, matched; each difference with the figures of its time and a reason."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from sereno_slo.backtest.arrays import Array
from sereno_slo.backtest.asking import Asker, Minutes, asking
from sereno_slo.backtest.notices import Kind
from sereno_slo.backtest.raw import any_present, stretches
from sereno_slo.duration import MINUTE
from sereno_slo.history import Reader
from sereno_slo.model import AlertSeverity, ServiceLevelObjective, Settings
from sereno_slo.plan import AlertingRule, plan_slo, series
from sereno_slo.plan.burn import ALERT
from sereno_slo.plan.series import Ledger, patient
from sereno_slo.promql import Call, Expr, Number, Selector
from sereno_slo.shadow.conditions import Comparison, Condition, asked, unmet, ways
from sereno_slo.shadow.rivals import Pair, Rival

_APART_MINUTES = 5
_AFTERGLOW_MINUTES = 15
"""Told so soon after the other one ended is the same."""
_Rules = dict[str, tuple[Kind, tuple[tuple[Comparison, ...], ...]]]
_KINDS = {AlertSeverity.CRITICAL: Kind.PAGE, AlertSeverity.WARNING: Kind.TICKET}


@dataclass(frozen=True, slots=True)
class Told:
    """One page or ticket of one set of rules."""

    kind: Kind
    begin_ms: int
    end_ms: int


@dataclass(frozen=True, slots=True)
class Figures:
    """What happened while something was told; None where nothing is recorded."""

    events: float | None
    bad_events: float | None
    budget_spent_ratio: float | None

    @property
    def error_ratio(self) -> float | None:
        """Bad events per event."""
        return self.bad_events / self.events if self.events and self.bad_events is not None else None


@dataclass(frozen=True, slots=True)
class Difference:
    """What only one of them told."""

    told: Told
    is_ours: bool
    other_kind: bool
    """The other one told something of the other kind meanwhile."""
    figures: Figures
    reasons: Mapping[str, tuple[Condition, ...]]
    """By the other one's rules of this kind: what wasn't met when it came nearest."""


@dataclass(frozen=True, slots=True)
class Report:
    """Both sets of rules over a period. Moments are milliseconds since 1970."""

    slo: ServiceLevelObjective
    rival: str
    begin_ms: int
    end_ms: int
    ledger_minutes: int
    """Minutes of the period of which Sereno's ledger has an entry."""
    ours: int
    theirs: int
    pairs: tuple[tuple[Told, Told], ...]
    """Ours and theirs."""
    differences: tuple[Difference, ...]


def report(
    slo: ServiceLevelObjective,
    settings: Settings,
    reader: Reader,
    minutes: Minutes,
    *,
    rival: Rival,
    names: tuple[str | None, str | None] = (None, None),
    progress: Callable[[float], None],
) -> Report:
    """Compare what was recorded of an SLO; `names` are those of its service and of itself in the other's rules.

    Raises:
        HistoryNotRead: a stretch couldn't be read.
    """
    service, name = names
    with asking(reader) as asker:
        ours = _told(asker, _our_alerts(slo), minutes, _kind_of_ours)
        theirs = _told(
            asker,
            rival.alerts(slo, service=service, name=name),
            minutes,
            lambda labels: rival.kinds.get(labels.get(rival.severity_label, "")),
        )
        return _compared(slo, settings, asker, minutes, rival=rival, ours=ours, theirs=theirs, progress=progress)


def _our_alerts(slo: ServiceLevelObjective) -> Selector:
    return Selector("ALERTS").where(
        alertname=ALERT, alertstate="firing", service=slo.service, slo=slo.name, grouped_by=""
    )


def _kind_of_ours(labels: Mapping[str, str]) -> Kind | None:
    severity = labels.get("shadow") or labels.get("severity", "")
    return next((kind for known, kind in _KINDS.items() if known == severity), None)


def _told(
    asker: Asker, alerts: Selector, minutes: Minutes, kind_of: Callable[[Mapping[str, str]], Kind | None]
) -> tuple[Told, ...]:
    by_kind: dict[Kind, list[Array]] = {}
    for labels, values in asker.whole(alerts, minutes).items():
        kind = kind_of(dict(labels))
        if kind is not None:
            by_kind.setdefault(kind, []).append(values)
    told = (
        Told(kind, minutes.part(begin, end).first_ms, minutes.part(begin, end).last_ms + MINUTE.milliseconds)
        for kind, arrays in by_kind.items()
        for begin, end in stretches(any_present(arrays, minutes.count), _APART_MINUTES)
    )
    return tuple(sorted(told, key=lambda each: (each.begin_ms, each.kind)))


def _compared(
    slo: ServiceLevelObjective,
    settings: Settings,
    asker: Asker,
    minutes: Minutes,
    *,
    rival: Rival,
    ours: Sequence[Told],
    theirs: Sequence[Told],
    progress: Callable[[float], None],
) -> Report:
    pairs = tuple(_pairs(ours, theirs))
    alone = [
        *((told, True) for told in ours if not any(_meets(told, each) for each in theirs)),
        *((told, False) for told in theirs if not any(_meets(told, each) for each in ours)),
    ]
    # What Sereno told alone is explained by the others' rules, and the other way round.
    rules = {True: _their_rules(slo, rival.pairs), False: _our_rules(slo, settings)}
    counts = _Counts.of(slo)
    exprs: set[Expr] = {counts.events, counts.bad_events, counts.of_window}
    for is_ours in {is_ours for _, is_ours in alone}:
        exprs |= {expr for _, found in rules[is_ours].values() for expr in asked(found)}
    values = _values(asker, exprs, minutes, progress)
    differences = (
        Difference(
            told,
            is_ours,
            any(_overlap(told, each) for each in (theirs if is_ours else ours)),
            counts.figures(slo, values, _places(told, minutes)),
            _reasons(told, rules[is_ours], values, _places(told, minutes)),
        )
        for told, is_ours in sorted(alone, key=lambda pair: pair[0].begin_ms)
    )
    return Report(
        slo,
        rival.name,
        minutes.first_ms,
        minutes.last_ms + MINUTE.milliseconds,
        int(np.count_nonzero(~np.isnan(values[counts.events]))),
        len(ours),
        len(theirs),
        pairs,
        tuple(differences),
    )


def _pairs(ours: Iterable[Told], theirs: Sequence[Told]) -> Iterator[tuple[Told, Told]]:
    for told in ours:
        partner = next((each for each in theirs if _meets(told, each)), None)
        if partner is not None:
            yield told, partner


def _meets(one: Told, other: Told) -> bool:
    return one.kind is other.kind and _overlap(one, other)


def _overlap(one: Told, other: Told) -> bool:
    afterglow = _AFTERGLOW_MINUTES * MINUTE.milliseconds
    return one.begin_ms < other.end_ms + afterglow and other.begin_ms < one.end_ms + afterglow


def _places(told: Told, minutes: Minutes) -> tuple[int, int]:
    begin, end = ((each - minutes.first_ms) // MINUTE.milliseconds for each in (told.begin_ms, told.end_ms))
    return int(begin), int(max(begin + 1, end))


def _our_rules(slo: ServiceLevelObjective, settings: Settings) -> _Rules:
    """The rules as they would be if they weren't in the shadow."""
    own = replace(slo, group_by=None, alerting=replace(slo.alerting, shadow=False))
    every_minute, _ = plan_slo(own, settings)
    return {
        f"{rule.labels['burn']} ({rule.labels['long_window']})": (
            _KINDS[AlertSeverity(rule.labels["severity"])],
            ways(rule),
        )
        for rule in every_minute.rules
        if isinstance(rule, AlertingRule) and rule.alert == ALERT
    }


def _their_rules(slo: ServiceLevelObjective, pairs: Iterable[Pair]) -> _Rules:
    """Their default conditions, on Sereno's exact counts as far as it records their windows."""
    ledger, budget = Ledger.of(slo), slo.error_budget_ratio
    return {
        f"{pair.factor:g}x ({pair.long})": (
            pair.kind,
            (
                tuple(
                    Comparison(ledger.figure("error_ratio", window), ">", Number(round(pair.factor * budget, 12)))
                    for window in (pair.long, pair.short)
                ),
            ),
        )
        for pair in pairs
    }


def _values(
    asker: Asker, exprs: Iterable[Expr], minutes: Minutes, progress: Callable[[float], None]
) -> Mapping[Expr, Array]:
    values: dict[Expr, Array] = {}
    wanted = list(exprs)
    for place, expr in enumerate(wanted):
        if isinstance(expr, Number):
            values[expr] = np.full(minutes.count, expr.value)
        else:
            found = list(asker.whole(expr, minutes).values())
            values[expr] = found[0] if found else np.full(minutes.count, np.nan)
        progress((place + 1) / len(wanted))
    return values


def _reasons(
    told: Told, rules: _Rules, values: Mapping[Expr, Array], places: tuple[int, int]
) -> Mapping[str, tuple[Condition, ...]]:
    return {name: unmet(found, values, *places) for name, (kind, found) in rules.items() if kind is told.kind}


@dataclass(frozen=True, slots=True)
class _Counts:
    """The ledger's counts: of this very minute, since a plain look-up would find the last entry before a stop again."""

    events: Expr
    bad_events: Expr
    of_window: Expr

    @classmethod
    def of(cls, slo: ServiceLevelObjective) -> "_Counts":
        ledger, minute = Ledger.of(slo), MINUTE.just_under()
        events, bad_events = (
            Call("last_over_time", (ledger.series(name).over(minute),))
            for name in (series.EVENTS_ENTRY, series.BAD_EVENTS_ENTRY)
        )
        return cls(events, bad_events, patient(ledger.series("sereno:events:window")))

    def figures(self, slo: ServiceLevelObjective, values: Mapping[Expr, Array], places: tuple[int, int]) -> Figures:
        begin, end = places
        events, bad_events = values[self.events][begin:end], values[self.bad_events][begin:end]
        if np.isnan(events).all():
            return Figures(None, None, None)
        of_window = values[self.of_window]
        bad, budget = (
            float(np.nansum(bad_events)),
            float(of_window[min(end, len(of_window)) - 1]) * slo.error_budget_ratio,
        )
        return Figures(float(np.nansum(events)), bad, bad / budget if budget > 0 else None)
