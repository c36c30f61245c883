"""An SLO's settings as words, key by key as a spec writes them, so that two versions can be compared."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, fields
from typing import Any, assert_never

from sereno_slo.duration import Duration
from sereno_slo.model import (
    BadEventsRatio,
    BurnTier,
    GoodEventsRatio,
    Indicator,
    Latency,
    NativeLatency,
    Probe,
    ServiceLevelObjective,
    Settings,
    Threshold,
    Tier,
)
from sereno_slo.render.words import percent

_SEVERITY = {"critical": "page", "warning": "ticket"}
NONE = "none"


@dataclass(frozen=True, slots=True)
class SettingChange:
    """One key of a spec; `none` is what isn't set."""

    key: str
    before: str
    after: str

    def __str__(self) -> str:
        return f"{self.key}: {self.before} → {self.after}"


def changed_settings(old: ServiceLevelObjective, new: ServiceLevelObjective) -> tuple[SettingChange, ...]:
    """Every key whose words differ, in the order of a spec."""
    return _changes(dict(_words(old)), dict(_words(new)))


def changed_defaults(old: Settings, new: Settings) -> tuple[SettingChange, ...]:
    """The same of two `sereno.yaml`; what they only hand down to SLOs is told there."""
    return _changes(dict(_words_of_settings(old)), dict(_words_of_settings(new)))


def _changes(old: dict[str, str], new: dict[str, str]) -> tuple[SettingChange, ...]:
    keys = dict.fromkeys((*old, *new))
    pairs = ((key, old.get(key, NONE), new.get(key, NONE)) for key in keys)
    return tuple(SettingChange(key, before, after) for key, before, after in pairs if before != after)


def _words(slo: ServiceLevelObjective) -> Iterator[tuple[str, str]]:
    """The keys of an SLO. A field that has no words of its own is told as it is: nothing changes unseen."""
    told: dict[str, Callable[[ServiceLevelObjective], Iterable[tuple[str, str]]]] = {
        "service": lambda _: (),
        "name": lambda _: (),
        "objective_percent": lambda slo: (("objective", percent(slo.objective_percent)),),
        "window": lambda slo: (("window", _window(slo)),),
        "calendar": lambda _: (),  # told as the window
        "indicator": lambda slo: _indicator(slo.indicator),
        "alerting": _alerting,
        "group_by": _group_by,
        "exclusions": _exclusions,
        "formerly": lambda slo: (("formerly", ", ".join("/".join(name) for name in slo.formerly) or NONE),),
    }
    for field in fields(slo):
        if field.name in told:
            yield from told[field.name](slo)
        else:
            yield field.name, _plain(getattr(slo, field.name))


def _exclusions(slo: ServiceLevelObjective) -> Iterator[tuple[str, str]]:
    for exclusion in slo.exclusions:
        yield f"excluded {exclusion.in_words}", f"{exclusion.reason} ({exclusion.author})"


def _window(slo: ServiceLevelObjective) -> str:
    return str(slo.window) if slo.calendar is None else f"calendar {slo.calendar.unit}, {slo.calendar.timezone}"


def _indicator(indicator: Indicator) -> Iterator[tuple[str, str]]:
    match indicator:
        case BadEventsRatio(total=total, bad=bad):
            yield from (("indicator", "ratio"), ("total", str(total)), ("bad", str(bad)))
        case GoodEventsRatio(total=total, good=good):
            yield from (("indicator", "ratio"), ("total", str(total)), ("good", str(good)))
        case Latency(total=total, threshold_seconds=threshold):
            yield from (("indicator", "latency"), ("total", str(total)), ("threshold", _seconds(threshold)))
        case NativeLatency(histogram=histogram, threshold_seconds=threshold):
            yield "indicator", "latency, native histogram"
            yield from (("total", str(histogram)), ("threshold", _seconds(threshold)))
        case Threshold(gauge=gauge, minimum=minimum, maximum=maximum):
            yield from (("indicator", "threshold"), ("total", str(gauge)))
            yield from (("max", _plain(maximum)), ("min", _plain(minimum)))
        case Probe(gauge=gauge):
            yield from (("indicator", "probe"), ("total", str(gauge)))
        case _:
            assert_never(indicator)


def _alerting(slo: ServiceLevelObjective) -> Iterator[tuple[str, str]]:
    for field in fields(slo.alerting):
        value = getattr(slo.alerting, field.name)
        match field.name:
            case "tiers":
                for tier in slo.alerting.tiers:
                    yield _name(tier), f"{tier.budget_spent_ratio * 100:.10g} % in {tier.long}, still in {tier.short}"
            case "traffic_drop":
                yield "traffic_drop", NONE if value is None else _SEVERITY[value]
            case _:
                yield field.name, _plain(value)


def _name(tier: BurnTier) -> str:
    return f"{_SEVERITY[tier.severity]} tier over {tier.long}"


def _group_by(slo: ServiceLevelObjective) -> Iterator[tuple[str, str]]:
    if slo.group_by is not None:
        yield "group_by", ", ".join(slo.group_by.labels)
        yield "group_by.limit", str(slo.group_by.limit)
        yield "group_by.alert", _plain(slo.group_by.alert)


def _words_of_settings(settings: Settings) -> Iterator[tuple[str, str]]:
    for field in fields(settings):
        value = getattr(settings, field.name)
        match field.name:
            case "window" | "alerting" | "calendar":  # SLOs without their own have it in their own words
                continue
            case "links":
                for link in fields(settings.links):
                    yield f"links.{link.name}", _plain(getattr(settings.links, link.name))
            case _:
                yield field.name, _plain(value)


def _plain(value: Any) -> str:
    match value:
        case None | "" | ():
            return NONE
        case bool():
            return "true" if value else "false"
        case float():
            return f"{value:.15g}"
        case tuple():
            return ", ".join(map(_plain, value))
        case Tier() | Duration():
            return str(value)
        case _:
            return str(value)


def _seconds(seconds: float) -> str:
    return str(Duration(round(seconds * 1000))) if seconds >= 0.001 else f"{seconds:g}s"  # noqa: PLR2004 - a millisecond
