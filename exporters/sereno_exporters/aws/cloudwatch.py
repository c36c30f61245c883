"""CloudWatch's API: batched, paged, counted, capped, and patient with throttling for as long as the scrape may take."""

import math
import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sereno_exporters.aws.failures import failure_of
from sereno_exporters.aws.login import Clients
from sereno_exporters.aws.snapshot import Series
from sereno_exporters.aws.state import DayLimits, State
from sereno_exporters.aws.tally import MINUTE, Span
from sereno_exporters.aws.transport import Transport
from sereno_exporters.frame.deadline import Deadline
from sereno_exporters.frame.trouble import FetchError, Reason

MOST_QUERIES = 500
"""That one call of GetMetricData may have."""
_MOST_DATAPOINTS = 50_000
"""Of a page: below the size that an answer may have."""
_MOST_PAGES = 50
_LEAST_SECONDS = 0.3
_RESULTS = {"GetMetricData": "MetricDataResults", "ListMetrics": "Metrics"}

Datapoints = dict[Series, dict[int, float]]
"""Minute → value, of each series; a minute without a datapoint is not there."""


class CloudWatch:
    """One region of one account. Thread-safe."""

    def __init__(
        self, clients: Clients, transport: Transport, state: State, limits: DayLimits, clock: Callable[[], float]
    ) -> None:
        self._clients = clients
        self._transport = transport
        self._state = state
        self._limits = limits
        self._clock = clock

    def datapoints(self, wanted: Sequence[Series], span: Span, deadline: Deadline) -> Datapoints:
        """Minutes of at most 500 series: one call and its further pages.

        Raises:
            FetchError: nothing came, or not all.
        """
        found: Datapoints = {series: {} for series in wanted}
        status: dict[str, str] = {}
        request = {
            "MetricDataQueries": [_query(index, series) for index, series in enumerate(wanted)],
            "StartTime": datetime.fromtimestamp(span.start, UTC),
            "EndTime": datetime.fromtimestamp(span.end, UTC),
            "ScanBy": "TimestampAscending",
            "MaxDatapoints": _MOST_DATAPOINTS,
        }
        for page in self._pages("GetMetricData", request, len(wanted), deadline):
            for result in page[_RESULTS["GetMetricData"]]:
                index = _index(result, len(wanted))
                status[f"q{index}"] = str(result.get("StatusCode", "Complete"))
                found[wanted[index]] |= _minutes(result)
        for index, series in enumerate(wanted):
            _check_complete(series, status.get(f"q{index}"))
        return found

    def resources(self, series: Series, deadline: Deadline) -> tuple[str, ...]:
        """Names of all resources that have this metric, in order; the series' own resource means nothing."""
        metric = series.metric
        request = {
            "Namespace": metric.namespace,
            "MetricName": metric.name,
            "Dimensions": [{"Name": metric.dimension}],
        }
        names: set[str] = set()
        for page in self._pages("ListMetrics", request, 0, deadline):
            for found in page[_RESULTS["ListMetrics"]]:
                dimensions = found.get("Dimensions", [])
                if [each.get("Name") for each in dimensions] == [metric.dimension]:
                    names.add(str(dimensions[0].get("Value")))
        return tuple(sorted(names))

    def _pages(
        self, api: str, request: Mapping[str, Any], metrics: int, deadline: Deadline
    ) -> Iterator[Mapping[str, Any]]:
        token: str | None = None
        for _ in range(_MOST_PAGES):
            more = {"NextToken": token} if token is not None else {}
            page = self._called(api, {**request, **more}, metrics, deadline)
            yield page
            before, token = token, page.get("NextToken") or None
            if token is None:
                return
            if token == before:
                raise FetchError(Reason.GARBAGE, f"{api} names the same page as the next again")
        raise FetchError(Reason.TOO_LARGE, f"{api} answers more than {_MOST_PAGES} pages; name resources, find fewer")

    def _called(self, api: str, request: Mapping[str, Any], metrics: int, deadline: Deadline) -> Mapping[str, Any]:
        """One answer; while AWS throttles, again after longer and longer pauses, each a call of its own."""
        client = self._clients.current()
        call = client.get_metric_data if api == "GetMetricData" else client.list_metrics
        for attempt in range(32):
            self._state.reserve(metrics, self._limits, self._clock(), deadline)
            outcome = "ok"
            try:
                self._transport.until(deadline)
                answer: Mapping[str, Any] = call(**request)
                _check_results(api, answer)
            except Exception as error:
                failure = failure_of(api, error)
                if failure is None:
                    outcome = "throttled"
                else:
                    outcome = str(failure.reason)
                    if failure is error:
                        raise
                    raise failure from error
            else:
                return answer
            finally:
                # The call was made: it counts, whether there is time left or not.
                self._state.note(api, outcome, Deadline.after(1))
            pause = min(0.2 * 2**attempt, 3.0) * (0.5 + random.random() / 2)  # noqa: S311 - no secret
            if deadline.remaining_seconds < pause + _LEAST_SECONDS:
                break
            time.sleep(pause)
        raise FetchError(
            Reason.TIMEOUT, f"AWS throttles {api}, in {attempt + 1} calls; a longer interval, or a higher quota helps"
        )


def _query(index: int, series: Series) -> dict[str, Any]:
    metric = series.metric
    return {
        "Id": f"q{index}",
        "MetricStat": {
            "Metric": {
                "Namespace": metric.namespace,
                "MetricName": metric.name,
                "Dimensions": [{"Name": metric.dimension, "Value": series.resource}],
            },
            "Period": MINUTE,
            "Stat": metric.statistic,
        },
        "ReturnData": True,
    }


def _check_results(api: str, answer: Mapping[str, Any]) -> None:
    if not isinstance(answer.get(_RESULTS[api]), list):
        raise FetchError(Reason.GARBAGE, f"the answer has no {_RESULTS[api]}: is this CloudWatch?")


def _index(result: Mapping[str, Any], queries: int) -> int:
    written = str(result.get("Id", ""))
    if written[:1] == "q" and written[1:].isdecimal() and int(written[1:]) < queries:
        return int(written[1:])
    raise FetchError(Reason.GARBAGE, f"the answer is about {written[:60]!r}, which was not asked for")


def _minutes(result: Mapping[str, Any]) -> dict[int, float]:
    timestamps, values = result.get("Timestamps", []), result.get("Values", [])
    if len(timestamps) != len(values):
        raise FetchError(Reason.GARBAGE, "the answer has not as many values as moments")
    minutes = {int(moment.timestamp()): float(value) for moment, value in zip(timestamps, values, strict=True)}
    for minute, value in minutes.items():
        if minute % MINUTE or not math.isfinite(value) or value < 0:
            raise FetchError(Reason.GARBAGE, f"the answer has {value} at {minute}, which is no minute's sum")
    return minutes


def _check_complete(series: Series, status: str | None) -> None:
    """Minutes that are missing for a moment must not be taken for minutes without events."""
    if status == "Complete":
        return
    what = f"{series.metric.namespace} {series.metric.name} of {series.resource}"
    if status is None:
        raise FetchError(Reason.GARBAGE, f"the answer doesn't speak of {what}")
    if status == "Forbidden":
        raise FetchError(Reason.REFUSED, f"{what} may not be read; allow cloudwatch:GetMetricData")
    raise FetchError(Reason.ERROR, f"CloudWatch answers {what} with {status}")
