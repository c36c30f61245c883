"""An SLO's settings as words, key by key as a spec writes them, so that two versions can be compared."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from typing import Any, assert_never

from sereno_slo.duration import Duration
from sereno_slo.gate import GateRule
from sereno_slo.model import (
    BadEventsRatio,
    BurnTier,
    GoodEventsRatio,
    Indicator,
    Journey,
    Latency,
    NativeLatency,
    Operator,
    Probe,
    Service,
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


def changed_settings(
    old: ServiceLevelObjective | Journey, new: ServiceLevelObjective | Journey
) -> tuple[SettingChange, ...]:
    """Every key whose words differ, in the order of a spec."""
    return _changes(dict(_words(old)), dict(_words(new)))


def changed_defaults(old: Settings, new: Settings) -> tuple[SettingChange, ...]:
    """The same of two `sereno.yaml`; what they only hand down to SLOs is told there."""
    return _changes(dict(_words_of_settings(old)), dict(_words_of_settings(new)))


def changed_gates(
    old: tuple[Sequence[Service], Settings], new: tuple[Sequence[Service], Settings]
) -> tuple[SettingChange, ...]:
    """Of each service whose gate isn't what it was; where it is that of `sereno.yaml`, that one tells it."""
    before, after = _gates(old[0]), _gates(new[0])
    shared = (gate_words(old[1].gate), gate_words(new[1].gate))
    changes = []
    for name in dict.fromkeys((*after, *before)):
        was, now = before.get(name, shared[0]), after.get(name, shared[1])
        if was != now and (was, now) != shared:
            changes.append(SettingChange(name, was, now))
    return tuple(changes)


def _gates(services: Sequence[Service]) -> dict[str, str]:
    return {service.name: gate_words(service.gate) for service in services}


def _changes(old: dict[str, str], new: dict[str, str]) -> tuple[SettingChange, ...]:
    keys = dict.fromkeys((*old, *new))
    pairs = ((key, old.get(key, NONE), new.get(key, NONE)) for key in keys)
    return tuple(SettingChange(key, before, after) for key, before, after in pairs if before != after)


def _words(slo: ServiceLevelObjective | Journey) -> Iterator[tuple[str, str]]:
    """The keys of it. A field that has no words of its own is told as it is: nothing changes unseen."""
    yield from _own_words(slo)
    told: dict[str, Callable[[ServiceLevelObjective | Journey], Iterable[tuple[str, str]]]] = {
        "service": lambda _: (),
        "name": lambda _: (),
        "objective_percent": lambda slo: (("objective", percent(slo.objective_percent)),),
        "window": lambda slo: (("window", _window(slo)),),
        "calendar": lambda _: (),  # told as the window
        "indicator": lambda _: (),  # these are what an SLO or a journey has of its own
        "group_by": lambda _: (),
        "depends_on": lambda _: (),
        "stands_on": lambda _: (),
        "steps": lambda _: (),
        "alerting": _alerting,
        "exclusions": _exclusions,
        "formerly": lambda slo: (("formerly", ", ".join("/".join(name) for name in slo.formerly) or NONE),),
    }
    for field in fields(slo):
        if field.name in told:
            yield from told[field.name](slo)
        else:
            yield field.name, _plain(getattr(slo, field.name))


def _own_words(slo: ServiceLevelObjective | Journey) -> Iterator[tuple[str, str]]:
    match slo:
        case Journey():
            yield "steps", _plain(slo.steps)  # the first one's events are the journey's: their order matters
        case ServiceLevelObjective():
            yield from _indicator(slo.indicator)
            yield from _group_by(slo)
            yield "depends_on", _plain(tuple(sorted(slo.depends_on)))
            yield "stands_on", _plain(tuple(sorted(map(str, slo.stands_on))))
        case _:
            assert_never(slo)


def gate_words(gate: tuple[GateRule, ...]) -> str:
    """`deny when remaining < 0%; warn when burning (orders only)`."""
    return "; ".join(map(_gate_rule, gate)) or NONE


def _gate_rule(rule: GateRule) -> str:
    only = ", ".join(each for each in ("" if rule.tier is None else f"tier {rule.tier}", rule.slo or "") if each)
    return f"{rule.answer} when {rule.when.strip()}{f' ({only} only)' if only else ''}"


def _exclusions(slo: ServiceLevelObjective | Journey) -> Iterator[tuple[str, str]]:
    for exclusion in slo.exclusions:
        yield f"excluded {exclusion.in_words}", f"{exclusion.reason} ({exclusion.author})"


def _window(slo: ServiceLevelObjective | Journey) -> str:
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


def _alerting(slo: ServiceLevelObjective | Journey) -> Iterator[tuple[str, str]]:
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
            case "operator":
                for part in fields(Operator):
                    yield f"operator.{part.name}", _plain(getattr(settings.operator, part.name))
            case "gate":
                yield "gate", gate_words(settings.gate)
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
