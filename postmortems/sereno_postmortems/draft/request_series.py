"""In which series a service counts its requests: what the rules of its SLOs read, else what is usual.

A draft knows an SLO by its labels only; the specs may lie elsewhere. The rule that counts its events names the metric
and its matchers.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sereno_postmortems.draft.metrics_source import SloName
from sereno_postmortems.draft.queries import PLAIN, label_text

USUAL_METRIC = "http_server_request_duration_seconds"
"""The conventions of OpenTelemetry, which Sereno's telemetry keeps."""

_READABLE = PLAIN | frozenset("()|*+?[]{}^")
"""Regular expressions of rules stay readable; in a query, which is printed as code, these mean nothing else."""
_STRING = r'"(?:[^"\\]|\\.)*"'
_SELECTOR = re.compile(rf"([a-zA-Z_:][a-zA-Z0-9_:]*)\{{((?:[^\"{{}}]|{_STRING})*)\}}")
_MATCHER = re.compile(rf"([a-zA-Z_][a-zA-Z0-9_]*)\s*(=~|!~|!=|=)\s*({_STRING})")
_ESCAPE = re.compile(r"\\(?:x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|.)", re.DOTALL)
_BOUND = re.compile(r"[0-9]+(?:\.[0-9]+)?")
_HISTOGRAM = re.compile(r"(.+)_(?:count|bucket)")


@dataclass(frozen=True, slots=True)
class RequestSeries:
    """A histogram of requests, and which of its series are a service's."""

    histogram: str
    """Without `_count` and `_bucket`."""
    matchers: str
    """As PromQL, such as `job="checkout"`; whatever a rule said, it is inert in Markdown."""

    def count(self) -> str:
        """The selector of how many requests there were."""
        return f"{self.histogram}_count{{{self.matchers}}}"

    def buckets(self) -> str:
        """The selector of how many took at most so long."""
        return f"{self.histogram}_bucket{{{self.matchers}}}"


def usual_series(service: str) -> RequestSeries:
    """What a service has that was instrumented without further ado."""
    return RequestSeries(USUAL_METRIC, f'job="{label_text(service)}"')


def series_of_slo(expression: str | None) -> RequestSeries | None:
    """The histogram that a rule for an SLO's events counts; None if it counts something else."""
    return next(_histograms(expression), None) if expression else None


def threshold_of(expression: str) -> float | None:
    """The bound of the buckets that a rule for an SLO's bad events counts; None if it counts no buckets."""
    bounds = (
        _BOUND.fullmatch(_unquoted(quoted))
        for metric, matchers in _SELECTOR.findall(expression)
        for label, operator, quoted in _MATCHER.findall(matchers)
        if metric.endswith("_bucket") and (label, operator) == ("le", "=")
    )
    return next((float(bound[0]) for bound in bounds if bound), None)


def series_of_service(rules: Mapping[SloName, str], service: str, own: tuple[SloName, ...]) -> RequestSeries:
    """The requests of a service, as the incident's SLO counts them, another SLO of the service, or as is usual."""
    of_service = [name for name in sorted(rules) if name[0] == service]
    for name in (*(name for name in own if name[0] == service), *of_service):
        found = series_of_slo(rules.get(name))
        if found is not None and ("http" in found.histogram or "request" in found.histogram):
            return found
    return usual_series(service)


def job_matchers(series: RequestSeries) -> str:
    """Only which processes it is, so that it fits what they tell of themselves; empty if the rule doesn't say."""
    return ", ".join(part for part in series.matchers.split(", ") if part.startswith(("job=", "job!")))


def _histograms(expression: str) -> Iterator[RequestSeries]:
    for metric, matchers in _SELECTOR.findall(expression):
        found = _HISTOGRAM.fullmatch(metric)
        if found and not metric.startswith("sereno:"):
            kept = [_matcher(*each) for each in _MATCHER.findall(matchers) if each[0] != "le"]
            yield RequestSeries(found[1], ", ".join(kept))


def _matcher(label: str, operator: str, quoted: str) -> str:
    return f'{label}{operator}"{label_text(_unquoted(quoted), _READABLE)}"'


def _unquoted(quoted: str) -> str:
    """The text that a PromQL string in double quotes means."""
    return _ESCAPE.sub(lambda found: _character(found[0]), quoted[1:-1])


def _character(escape: str) -> str:
    if escape[1] in "xuU":
        code = int(f"0x{escape[2:]}", 0)
        return chr(code) if code < 0x110000 else "\N{REPLACEMENT CHARACTER}"  # noqa: PLR2004 - the end of Unicode
    return {"n": "\n", "r": "\r", "t": "\t"}.get(escape[1], escape[1])
