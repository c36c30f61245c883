"""From evidence to right or wrong, with what the instrumentation said."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from opentelemetry.trace import SpanKind

from benchmarks.telemetry.correctness.evidence import Counted, Evidence
from benchmarks.telemetry.correctness.shop import CHUNKS, PAUSE_SECONDS, TASK_SECONDS

_MOST_SAID = 2


@dataclass(frozen=True, slots=True)
class Judgement:
    """Of one scenario with one instrumentation; `right` is None where it doesn't claim to do such a thing."""

    right: bool | None
    said: str


Judge = Callable[[Evidence], Judgement]


def counted_as(route: str, code: int, method: str = "GET") -> Judge:
    """One request, under this template and code, by whatever names."""

    def judge(evidence: Evidence) -> Judgement:
        found = {(one.route, one.method, one.code): count for one, count in evidence.counts.items()}
        return Judgement(found == {(route, method, str(code)): 1}, say(evidence.counts))

    return judge


def grouped(code: int, *, raw: str = "\0") -> Judge:
    """All requests with that code, in one series, whose route doesn't show `raw`."""

    def judge(evidence: Evidence) -> Judgement:
        right = (
            evidence.total == len(evidence.answers)
            and len(evidence.counts) == 1
            and all(one.code == str(code) and raw not in one.route for one in evidence.counts)
        )
        return Judgement(right, say(evidence.counts))

    return judge


def one_method(evidence: Evidence) -> Judgement:
    """All requests, whatever their method, under one value of the label."""
    methods = {one.method for one in evidence.counts}
    right = evidence.total == len(evidence.answers) and len(methods) == 1
    said = f"method {next(iter(methods))}" if len(methods) == 1 else f"{len(methods)} methods"
    return Judgement(right, f"{said}, {evidence.total} counted")


def failed(route: str) -> Judge:
    """One request, under this template, that can be told from a success: by its code or by an error label."""

    def judge(evidence: Evidence) -> Judgement:
        right = evidence.total == 1 and all(
            one.route == route and (one.code.startswith("5") or one.error) for one in evidence.counts
        )
        raised = evidence.answers[0].raised or "no exception"
        return Judgement(right and raised.startswith("ShopError"), say(evidence.counts))

    return judge


def left_by_client(evidence: Evidence) -> Judgement:
    """One request that is neither a success nor a failure of the service."""
    right = evidence.total == 1 and not any(one.code[:1] in {"2", "5"} for one in evidence.counts)
    return Judgement(right, say(evidence.counts))


def left_in_stream(evidence: Evidence) -> Judgement:
    """Once, not as a failure of the service, and no longer in progress."""
    right = evidence.total == 1 and evidence.active_after == 0
    right = right and not any(one.code.startswith("5") for one in evidence.counts)
    return Judgement(right, f"{say(evidence.counts)}, {evidence.active_after:g} in progress")


def without_background(evidence: Evidence) -> Judgement:
    """The clock stopped before the task ran."""
    return _clock(evidence, right=0 < evidence.seconds < TASK_SECONDS / 2)


def with_whole_stream(evidence: Evidence) -> Judgement:
    """The clock ran until the last chunk."""
    return _clock(evidence, right=evidence.seconds > (CHUNKS - 0.5) * PAUSE_SECONDS)


def _clock(evidence: Evidence, *, right: bool) -> Judgement:
    return Judgement(right and evidence.total == 1, f"{evidence.seconds:.1f} s")


def no_new_series(evidence: Evidence) -> Judgement:
    """The first request made all series that there are after the last one."""
    new = len(evidence.series_after_all - evidence.series_after_first)
    right = not new and evidence.total == len(evidence.answers)
    return Judgement(right, f"{new} new series, {evidence.total} counted")


def in_progress(evidence: Evidence) -> Judgement:
    """One while it is served, none afterwards, whatever happened."""
    right = evidence.active_during == 1 and evidence.active_after == 0
    return Judgement(right, f"{evidence.active_during or 0:g} during, {evidence.active_after:g} after")


def exemplar(trace_id: str) -> Judge:
    """The scrape that is the last request shows the trace."""

    def judge(evidence: Evidence) -> Judgement:
        is_there = trace_id.encode() in evidence.answers[-1].body
        return Judgement(is_there, "trace id" if is_there else "no exemplar")

    return judge


def open_metrics(evidence: Evidence) -> Judgement:
    """The scrape was answered in the format that it asked for first."""
    kind = evidence.answers[-1].header("content-type").partition(";")[0] or str(evidence.answers[-1].status_code)
    return Judgement(kind == "application/openmetrics-text", kind)


def scrapes_uncounted(evidence: Evidence) -> Judgement:
    """The scrapes were answered, and are no requests."""
    right = not evidence.counts and evidence.answers[-1].status_code == 200  # noqa: PLR2004 - OK
    return Judgement(right, say(evidence.counts))


def span_of(route: str) -> Judge:
    """One request, one server span, with the whole template."""

    def judge(evidence: Evidence) -> Judgement:
        routes = [
            str((span.attributes or {}).get("http.route", "no route"))
            for span in evidence.spans
            if span.kind is SpanKind.SERVER
        ]
        if not routes:
            return Judgement(None, "no spans")
        return Judgement(routes == [route], ", ".join(routes))

    return judge


def once_each(evidence: Evidence) -> Judgement:
    """One request: one count, and at most one server span."""
    spans = sum(span.kind is SpanKind.SERVER for span in evidence.spans)
    return Judgement(evidence.total == 1 and spans <= 1, f"counted {evidence.total} times, {spans} server spans")


def unharmed(evidence: Evidence) -> Judgement:
    """The answer is the app's own, and nothing was raised."""
    answer = evidence.answers[0]
    right = answer.status_code == 200 and answer.is_complete and answer.raised is None  # noqa: PLR2004 - OK
    said = f"answer {answer.status_code or 'none'}"
    return Judgement(right, said if answer.raised is None else f"{said}, raised")


def say(counts: Mapping[Counted, int]) -> str:
    """What was counted, in few words."""
    if not counts:
        return "not counted"
    words = []
    for one, count in counts.items():
        parts = [one.route or "no route", one.code or "no code"]
        parts += [one.error.rpartition(".")[2]] if one.error not in {"", one.code} else []
        words.append(" ".join(parts) + (f" ({count} times)" if count > 1 else ""))
    if len(words) > _MOST_SAID:
        return f"{len(words)} series: {words[0]}, …"
    return ", ".join(words)
