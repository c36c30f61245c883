"""From the JSON of the HTTP API to frozen values; what doesn't have the API's shape raises `UnexpectedAnswer`."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

from sereno_backends.prometheus.model import (
    ActiveAlert,
    AlertingRule,
    Columns,
    Point,
    RecordingRule,
    Rule,
    RuleGroup,
    Sample,
    Series,
)

Value = TypeVar("Value")


class UnexpectedAnswer(Exception):  # noqa: N818 - reads as what happened
    """The body isn't what the API promises; the message says what was met."""


class WrongKind(Exception):  # noqa: N818 - reads as what happened
    """The expression yields another kind of value than was asked for; the message names both."""


class NotFloats(Exception):  # noqa: N818 - reads as what happened
    """The answer holds native histograms, which have no single number."""


def read(reader: Callable[[Any], Value], data: Any) -> Value:
    """Apply a reader of this module; any mismatch of shape becomes one `UnexpectedAnswer`."""
    try:
        return reader(data)
    except (KeyError, IndexError, TypeError, ValueError, AttributeError, OverflowError, OSError) as error:
        raise UnexpectedAnswer(f"{type(error).__name__}: {error}") from error


def samples(data: Any) -> tuple[Sample, ...]:
    """The value of an instant query that yields a vector or a scalar."""
    match data["resultType"]:
        case "vector":
            return tuple(_sample(entry["metric"], _float_pair(entry, "value")) for entry in data["result"])
        case "scalar":
            return (_sample({}, data["result"]),)
        case other:
            raise WrongKind(f"the expression yields a {other}, a vector or a scalar is asked for here")


def series(data: Any) -> tuple[Series, ...]:
    """The value of a range query, or of an instant query for a range selector."""
    return tuple(
        Series(_labels(entry["metric"]), tuple(_point(pair) for pair in _float_pair(entry, "values")))
        for entry in _matrix(data)
    )


def columns(data: Any) -> tuple[Columns, ...]:
    """The value of a range query."""
    return tuple(
        Columns(_labels(entry["metric"]), [pair[0] for pair in pairs], [float(pair[1]) for pair in pairs])
        for entry in _matrix(data)
        for pairs in [_float_pair(entry, "values")]
    )


def _matrix(data: Any) -> Sequence[Mapping[str, Any]]:
    if data["resultType"] != "matrix":
        raise WrongKind(f"the expression yields a {data['resultType']}, a range of samples is asked for here")
    entries: Sequence[Mapping[str, Any]] = data["result"]
    return entries


def alerts(data: Any) -> tuple[ActiveAlert, ...]:
    """The value of `/api/v1/alerts`."""
    return tuple(_alert(entry) for entry in data["alerts"])


def rule_groups(data: Any) -> tuple[RuleGroup, ...]:
    """The value of `/api/v1/rules`."""
    return tuple(
        RuleGroup(
            name=group["name"],
            file=group["file"],
            interval_seconds=float(group["interval"]),
            rules=tuple(_rule(rule) for rule in group["rules"]),
        )
        for group in data["groups"]
    )


def head_start(data: Any) -> datetime | None:
    """The first moment of the head in `/api/v1/status/tsdb`; None where it is empty."""
    head = data["headStats"]
    # An empty head begins where the last block ends, or at the largest number there is.
    return datetime.fromtimestamp(head["minTime"] / 1000, UTC) if head["numSeries"] else None


def texts(data: Any) -> tuple[str, ...]:
    """The value of `/api/v1/label/…/values`."""
    return tuple(str(text) for text in _list(data))


def metric_types(data: Any) -> frozenset[str]:
    """The types in `/api/v1/metadata`; targets may disagree, and `unknown` says nothing."""
    said = (entry["type"] for entries in dict(data).values() for entry in entries)
    return frozenset(str(kind) for kind in said) - {"unknown", "unset", ""}


def retention(data: Any) -> str:
    """`storageRetention` of `/api/v1/status/runtimeinfo`."""
    return str(data["storageRetention"])


def _list(data: Any) -> list[Any]:
    if not isinstance(data, list):
        raise UnexpectedAnswer(f"a {type(data).__name__} where a list is promised")
    return data


def _rule(rule: Mapping[str, Any]) -> Rule:
    last_error = rule.get("lastError") or None
    last_evaluation = _moment(rule.get("lastEvaluation"))
    seconds = float(rule.get("evaluationTime") or 0)
    match rule["type"]:
        case "recording":
            return RecordingRule(
                name=rule["name"],
                expression=rule["query"],
                labels=_labels(rule.get("labels") or {}),
                health=rule["health"],
                last_error=last_error,
                last_evaluation=last_evaluation,
                evaluation_seconds=seconds,
            )
        case "alerting":
            return AlertingRule(
                name=rule["name"],
                expression=rule["query"],
                labels=_labels(rule.get("labels") or {}),
                annotations=_labels(rule.get("annotations") or {}),
                for_seconds=float(rule["duration"]),
                state=rule["state"],
                alerts=tuple(_alert(entry) for entry in rule["alerts"]),
                health=rule["health"],
                last_error=last_error,
                last_evaluation=last_evaluation,
                evaluation_seconds=seconds,
            )
        case other:
            raise UnexpectedAnswer(f"a rule of type {other}")


def _alert(entry: Mapping[str, Any]) -> ActiveAlert:
    labels = _labels(entry["labels"])
    active_at = _moment(entry["activeAt"])
    if active_at is None:
        raise UnexpectedAnswer("an alert without activeAt")
    return ActiveAlert(
        name=labels["alertname"],
        state=entry["state"],
        labels=labels,
        annotations=_labels(entry["annotations"]),
        active_at=active_at,
        value=float(entry["value"]),
    )


def _float_pair(entry: Mapping[str, Any], key: str) -> Sequence[Any]:
    if "histogram" in entry or "histograms" in entry:
        raise NotFloats
    pairs: Sequence[Any] = entry[key]
    return pairs


def _sample(metric: Mapping[str, str], pair: Sequence[Any]) -> Sample:
    point = _point(pair)
    return Sample(_labels(metric), point.value, point.timestamp)


def _point(pair: Sequence[Any]) -> Point:
    seconds, text = pair  # the value is a string, so that NaN, +Inf and -Inf survive JSON
    return Point(datetime.fromtimestamp(seconds, UTC), float(text))


def _labels(metric: Mapping[str, Any]) -> dict[str, str]:
    return {str(name): str(value) for name, value in metric.items()}


def _moment(text: str | None) -> datetime | None:
    """RFC 3339 as Go prints it; its zero time (year 1) means "never"."""
    if not text:
        return None
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise UnexpectedAnswer(f"the time {text} has no zone")
    return None if moment.year == 1 else moment.astimezone(UTC)
