"""The small words of the grammar: names, durations, percentages; each knows its mistake and the cure."""

import re
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from sereno_slo.duration import Duration
from sereno_slo.gate import CONDITION_PATTERN, ConditionMistake, read_condition
from sereno_slo.promql.matching import holds
from sereno_slo.promql.reading import read_matchers, read_selector

_NAME = r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?$"
_REFERENCE = r"^[a-z0-9-]+/[a-z0-9-]+$"
_DURATION = r"^([0-9]+y)?([0-9]+w)?([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?([0-9]+ms)?$"
_SHARE = r"^[0-9]+(\.[0-9]+)?%$"
_METRIC = r"^[a-zA-Z_:][a-zA-Z0-9_:]*$"
_LABEL = r"^[a-zA-Z_][a-zA-Z0-9_]*$"
_LONGEST_NAME = 60


def mistake(code: str, message: str, hint: str) -> PydanticCustomError:
    """An error that carries its code and cure through pydantic."""
    # Braces would be read as placeholders by pydantic.
    return PydanticCustomError(code, "{message}", {"message": message, "hint": hint})


def _name(text: str) -> str:
    if not re.fullmatch(_NAME, text):
        better = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-") or "checkout-api"
        raise mistake("SLO011", f"{text!r} is no name: names are lower-case words with hyphens", f"write {better}")
    if len(text) > _LONGEST_NAME:
        raise mistake("SLO011", f"{text!r} is longer than {_LONGEST_NAME} characters", "write a shorter name")
    return text


def _duration(text: Any) -> Any:
    if isinstance(text, int | float) and not isinstance(text, bool):
        raise mistake("SLO014", f"{text} has no unit", f"add one: {text}ms, {text}s, {text}m, {text}h or {text}d")
    if isinstance(text, str):
        _checked_duration(text)
    return text


def _checked_duration(text: str) -> None:
    if read_duration(text) > _LONGEST_DURATION:
        raise mistake("SLO014", f"{text!r} is longer than a year", "write a shorter time")


def read_duration(text: str) -> Duration:
    """The duration that a text says; its mistakes carry code and cure."""
    if re.fullmatch(r"(0+[a-z]+)+", text):
        raise mistake("SLO021", f"{text!r} is no time at all", "write for example 300ms, 5m, 1h30m or 30d")
    try:
        return Duration.parse(text)
    except ValueError:
        raise mistake("SLO014", f"{text!r} is not a duration", f"write {_nearest_duration(text)}") from None


# Prometheus counts in 64-bit nanoseconds: longer ones would be refused there, or overflow.
_LONGEST_DURATION = Duration.parse("366d")


_UNITS = {
    "day": "d",
    "hour": "h",
    "hr": "h",
    "minute": "m",
    "min": "m",
    "second": "s",
    "sec": "s",
    "week": "w",
    "year": "y",
    "millisecond": "ms",
    "milli": "ms",
}
_SHORT_UNITS = ("y", "w", "d", "h", "m", "s", "ms")


def _nearest_duration(text: str) -> str:
    """`5 min` means 5m; otherwise an example."""
    found = re.fullmatch(r"\s*([0-9]+)\s*([A-Za-z]+)\s*", text)
    if found and found[1].strip("0"):
        word = found[2] if found[2] in _SHORT_UNITS else _UNITS.get(found[2].lower().removesuffix("s"))
        if word:
            return f"{found[1]}{word}"
    return "for example 300ms, 5m, 1h30m or 30d"


# The most usual confusion in this field: 0.999 for 99.9.
_SMALLEST_LIKELY_PERCENT = 1
# One bad event in a thousand million; floating point counts such budgets exactly, and hardly smaller ones.
_SMALLEST_BUDGET_RATIO = 1e-9


def _objective(percent: float) -> float:
    if 0 < percent <= _SMALLEST_LIKELY_PERCENT:
        message = f"objective {percent:g} is a ratio, objectives are percent"
        cure = percent * 100
        raise mistake("SLO012", message, f"write {cure:.12g}" if cure < 100 else "write 99.9 for 99.9%")  # noqa: PLR2004
    if percent >= 100:  # noqa: PLR2004
        message = f"objective {percent:g} leaves no error budget: one bad event would break it for ever"
        raise mistake("SLO013", message, "write less than 100, for example 99.9")
    if not percent > 0:
        raise mistake(
            "SLO013", f"objective {percent:g} promises nothing", "write a percentage above 0, for example 99.9"
        )
    if round(1 - percent / 100, 12) < _SMALLEST_BUDGET_RATIO:
        raise mistake(
            "SLO013", f"objective {percent:.17g} leaves no error budget that can be counted", "write for example 99.999"
        )
    return percent


def _share(text: Any) -> Any:
    if isinstance(text, int | float) and not isinstance(text, bool):
        raise mistake("SLO022", f"{text} is no share of the budget", f"write {text:g}%")
    if not isinstance(text, str):
        return text
    if not re.fullmatch(_SHARE, text) or not 0 < float(text[:-1]) <= 100:  # noqa: PLR2004
        raise mistake("SLO022", f"{text!r} is no share of the budget", "write a percentage, for example 2%")
    return text


def _matchers(text: str) -> str:
    try:
        read_matchers(text)
    except ValueError as error:
        raise mistake("SLO019", str(error), 'write for example job="checkout", code=~"5.."') from None
    return text


def _selector(text: str) -> str:
    """Either a selector or, where the indicator has a `metric`, matchers: one of them has to be readable."""
    if not text.strip():
        raise mistake("SLO019", "these are no matchers: every event would be counted", 'write for example code=~"5.."')
    problems = []
    for read in (read_selector, read_matchers):
        try:
            read(text)
        except ValueError as error:
            problems.append(str(error))
        else:
            return text
    likelier = problems[1] if re.match(r"\s*(?:\{|[^\s{}()]+\s*[=!])", text) else problems[0]
    raise mistake("SLO019", likelier, 'write for example http_requests_total{job="checkout"} or code=~"5.."')


def _total(text: str) -> str:
    try:
        read_selector(text)
    except ValueError as error:
        # Matchers alone are told apart by validate.structure.
        if not _are_matchers(text):
            raise mistake("SLO019", str(error), 'write for example http_requests_total{job="checkout"}') from None
    return text


def _are_matchers(text: str) -> bool:
    try:
        return bool(read_matchers(text))
    except ValueError:
        return False


def _metric(text: str) -> str:
    if not re.fullmatch(_METRIC, text):
        hint = (
            "write the name alone and put the conditions into match"
            if "{" in text
            else "write for example http_requests_total"
        )
        raise mistake("SLO019", f"{text!r} is no metric name", hint)
    try:
        read_selector(text)
    except ValueError:
        raise mistake("SLO019", f"{text!r} is a word of PromQL, not a metric name", "rename the metric") from None
    return text


# What every recorded series carries anyway, and what tells the buckets of one histogram apart.
_LABELS_OF_NO_GROUP = ("service", "slo", "after", "le")
_MOST_GROUPS = 1000


def _group_label(label: str) -> str:
    if label in _LABELS_OF_NO_GROUP:
        raise mistake(
            "SLO027", f"{label} is a label of Sereno's or of buckets, not of groups", "group by another label"
        )
    return label


def _group_labels(labels: list[str]) -> list[str]:
    repeated = sorted({label for label in labels if labels.count(label) > 1})
    if repeated:
        raise mistake("SLO027", f"{repeated[0]} stands twice in the labels", "write each label once")
    return labels


def _reference(text: str) -> str:
    if not re.fullmatch(_REFERENCE, text):
        message = f"{text!r} names no SLO: an SLO is named by its service and its own name"
        raise mistake("SLO070", message, "write <service>/<slo>, for example postgres/availability")
    return text


def _references(references: list[str]) -> list[str]:
    repeated = sorted({reference for reference in references if references.count(reference) > 1})
    if repeated:
        raise mistake("SLO070", f"{repeated[0]} stands twice", "write each SLO once")
    return references


# Of SLOs themselves: these are named by `depends_on`.
_ALERTS_OF_SLOS = ("SLOBudgetExhausted", "SLOErrorBudgetBurn", "SLONoData", "SLOTrafficDrop")
# What the inhibition says by itself, or what no alert has when it reaches Alertmanager.
_LABELS_OF_INHIBITIONS = ("alertname", "alertstate", "severity")


def _other_alert(name: str) -> str:
    if not re.fullmatch(_LABEL, name):
        raise mistake("SLO076", f"{name!r} is no alert's name", "write for example PostgreSQLDown")
    if name in _ALERTS_OF_SLOS:
        raise mistake("SLO076", f"{name} is an alert of SLOs", "name the SLO in depends_on")
    return name


def _alert_matchers(text: str) -> str:
    """Matchers that choose some of the alerts: the page of one database silences no other's."""
    matchers = read_matchers(_matchers(text))
    taken = next((matcher.label for matcher in matchers if matcher.label in _LABELS_OF_INHIBITIONS), None)
    if taken is not None:
        raise mistake("SLO077", f"{taken} is said by stands_on itself", "match other labels")
    if all(holds(matcher, "") for matcher in matchers):
        message = f"{text!r} matches every such alert, whosever it is"
        raise mistake("SLO077", message, 'write labels that only these have, for example system="shop"')
    return text


def _group_limit(limit: int) -> int:
    if not 1 <= limit <= _MOST_GROUPS:
        hint = f"write a number from 1 to {_MOST_GROUPS}: each group has a ledger of its own"
        raise mistake("SLO028", f"{limit} is no number of groups", hint)
    return limit


def _label(text: str) -> str:
    if not re.fullmatch(_LABEL, text) or text.startswith("__"):
        raise mistake("SLO011", f"{text!r} is no label name", "write letters, digits and underscores")
    return text


_SHORTEST_WINDOW = Duration.parse("1d")


def _window(text: Any) -> Any:
    if isinstance(text, str) and not _SHORTEST_WINDOW <= read_duration(text) <= _LONGEST_DURATION:
        raise mistake("SLO020", f"a window of {text} is not between one day and one year", "write for example 30d")
    return text


_LONGEST_KEPT = Duration.parse("1d")


_LONGEST_DELAY = Duration.parse("1h")


def _delay(text: Any) -> Any:
    if isinstance(text, str) and read_duration(text) > _LONGEST_DELAY:
        raise mistake(
            "SLO029", f"rules that wait {text} for samples alert too late", "write at most 1h, for example 2m"
        )
    return text


def _kept(text: Any) -> Any:
    if isinstance(text, str) and read_duration(text) > _LONGEST_KEPT:
        raise mistake("SLO024", f"an alert kept firing for {text} outlives its cause", "write at most 1d")
    return text


def _condition(text: str) -> str:
    try:
        read_condition(text)
    except ConditionMistake as error:
        raise mistake(error.code, str(error), error.hint) from None
    return text


Name = Annotated[str, AfterValidator(_name), WithJsonSchema({"type": "string", "pattern": _NAME})]
DurationText = Annotated[
    str, BeforeValidator(_duration), WithJsonSchema({"type": "string", "pattern": _DURATION, "minLength": 2})
]
Objective = Annotated[
    float,
    AfterValidator(_objective),
    WithJsonSchema({"type": "number", "exclusiveMinimum": 1, "exclusiveMaximum": 100}),
]
Share = Annotated[str, BeforeValidator(_share), WithJsonSchema({"type": "string", "pattern": _SHARE})]
Text = Annotated[str, Field(min_length=1)]
MatchersText = Annotated[str, AfterValidator(_matchers)]
SelectorText = Annotated[str, Field(min_length=1), AfterValidator(_selector)]
TotalText = Annotated[str, Field(min_length=1), AfterValidator(_total)]
MetricName = Annotated[str, AfterValidator(_metric), WithJsonSchema({"type": "string", "pattern": _METRIC})]
LabelName = Annotated[str, AfterValidator(_label), WithJsonSchema({"type": "string", "pattern": _LABEL})]
ConditionText = Annotated[
    str, AfterValidator(_condition), WithJsonSchema({"type": "string", "pattern": CONDITION_PATTERN})
]
WindowText = Annotated[DurationText, BeforeValidator(_window)]
DelayText = Annotated[DurationText, BeforeValidator(_delay)]
GroupLabels = Annotated[
    list[Annotated[LabelName, AfterValidator(_group_label)]],
    Field(min_length=1, json_schema_extra={"uniqueItems": True}),
    AfterValidator(_group_labels),
]
SloName = Annotated[str, AfterValidator(_reference), WithJsonSchema({"type": "string", "pattern": _REFERENCE})]
SloReferences = Annotated[
    list[SloName],
    Field(json_schema_extra={"uniqueItems": True}),
    AfterValidator(_references),
]
AlertName = Annotated[str, AfterValidator(_other_alert), WithJsonSchema({"type": "string", "pattern": _LABEL})]
AlertMatchers = Annotated[str, Field(min_length=1), AfterValidator(_alert_matchers)]
GroupLimit = Annotated[
    int,
    AfterValidator(_group_limit),
    WithJsonSchema({"type": "integer", "minimum": 1, "maximum": _MOST_GROUPS}),
]
KeptText = Annotated[DurationText, BeforeValidator(_kept)]
