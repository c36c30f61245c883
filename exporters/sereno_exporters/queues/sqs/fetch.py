"""Asks SQS and CloudWatch; the only I/O of the exporter `sqs`."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson

from sereno_exporters.frame.deadline import Deadline
from sereno_exporters.frame.model import Target
from sereno_exporters.frame.trouble import FetchError, Reason
from sereno_exporters.queues.sharing import Shared
from sereno_exporters.queues.sqs.client import AwsService, NoSuchQueueError
from sereno_exporters.queues.sqs.settings import SqsSettings
from sereno_exporters.queues.sqs.snapshot import OldestAge, OldestAges, Queues, SqsQueue

PAGE_SIZE = 1_000
"""The most that ListQueues gives."""
METRICS_AT_ONCE = 500
"""The most that GetMetricData takes."""
_MOST_PAGES = 50
_AT_ONCE = 8
"""Calls that wait for SQS at the same time: it answers for one queue at a time."""
_LOOKED_BACK_SECONDS = 900
_PERIOD_SECONDS = 60
_ATTRIBUTES = {
    "visible": "ApproximateNumberOfMessages",
    "in_flight": "ApproximateNumberOfMessagesNotVisible",
    "delayed": "ApproximateNumberOfMessagesDelayed",
}


@dataclass(frozen=True, slots=True)
class SqsRegion:
    """One target."""

    settings: SqsSettings
    sqs: AwsService
    cloudwatch: AwsService
    now: Callable[[], float]
    """Seconds since the epoch."""
    names: Shared[tuple[str, ...]]
    """Of the queues that are watched."""

    @classmethod
    def of(cls, target: Target[SqsSettings], now: Callable[[], float]) -> "SqsRegion":
        """A region whose parts share the names of the queues."""
        sqs, cloudwatch = AwsService(target, "sqs"), AwsService(target, "cloudwatch")
        names = Shared(lambda deadline: _names(sqs, target.settings, deadline))
        return cls(target.settings, sqs, cloudwatch, now, names)

    def queues(self, deadline: Deadline) -> Queues:
        """Those that are watched, and the dead-letter queues of this region that they name."""
        watched = self._asked(self.names(deadline), deadline)
        have = {queue.name: queue for queue in watched}
        wanted = dict.fromkeys(queue.dead_letters_to for queue in watched if queue.dead_letters_to is not None)
        more = self._asked([name for name in wanted if name not in have], deadline)
        have |= {queue.name: queue for queue in more}
        return Queues(watched, tuple(have[name] for name in wanted if name in have), self.sqs.calls)

    def oldest_ages(self, deadline: Deadline) -> OldestAges:
        """As CloudWatch knows them: a minute or some old."""
        names = self.names(deadline)
        batches = [names[begin : begin + METRICS_AT_ONCE] for begin in range(0, len(names), METRICS_AT_ONCE)]
        ages = tuple(age for batch in batches for age in self._ages(batch, deadline))
        return OldestAges(ages, self.cloudwatch.calls)

    def close(self) -> None:
        """Hang up."""
        self.sqs.close()
        self.cloudwatch.close()

    def _asked(self, names: Iterable[str], deadline: Deadline) -> tuple[SqsQueue, ...]:
        with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="sqs") as pool:
            found = pool.map(lambda name: self._queue_or_none(name, deadline), names)
            return tuple(queue for queue in found if queue is not None)

    def _queue_or_none(self, name: str, deadline: Deadline) -> SqsQueue | None:
        """None: it is gone. SQS lists a deleted queue for up to a minute, and policies name it for ever."""
        try:
            return _queue(self.sqs, name, self.settings.region, deadline)
        except NoSuchQueueError:
            if name in self.settings.queues:
                raise
            return None

    def _ages(self, names: Sequence[str], deadline: Deadline) -> Iterator[OldestAge]:
        now = self.now()
        newest: dict[str, tuple[datetime, float]] = {}
        status: dict[str, str] = {}
        for result in self._results(names, now, deadline):
            name = names[int(result["Id"].removeprefix("q"))]
            status[name] = result.get("StatusCode", "Complete")
            known = [newest[name]] if name in newest else []
            if points := [*known, *zip(result.get("Timestamps", ()), result.get("Values", ()), strict=True)]:
                newest[name] = max(points)
        for name, told in status.items():
            if told != "Complete":  # an age that is missing for a moment is no queue that nobody used
                raise FetchError(Reason.ERROR, f"GetMetricData: CloudWatch answers the age of {name} with {told}")
        for name, (moment, age_seconds) in newest.items():
            yield OldestAge(name, float(age_seconds), max(0.0, now - moment.timestamp()))

    def _results(self, names: Sequence[str], now: float, deadline: Deadline) -> Iterator[dict[str, Any]]:
        """Of all pages; a queue may be in several."""
        more: dict[str, str] = {}
        for _ in range(_MOST_PAGES):
            answer = self.cloudwatch.call(
                "GetMetricData",
                deadline,
                MetricDataQueries=[_query(f"q{index}", name) for index, name in enumerate(names)],
                StartTime=datetime.fromtimestamp(now - _LOOKED_BACK_SECONDS, UTC),
                EndTime=datetime.fromtimestamp(now + _PERIOD_SECONDS, UTC),
                ScanBy="TimestampDescending",
                **more,
            )
            if "MetricDataResults" not in answer:
                raise FetchError(Reason.GARBAGE, "GetMetricData: the answer has no results: is this CloudWatch?")
            yield from answer["MetricDataResults"]
            if not answer.get("NextToken"):
                return
            more = {"NextToken": answer["NextToken"]}
        raise FetchError(Reason.TOO_LARGE, f"GetMetricData answers more than {_MOST_PAGES} pages")


def _names(sqs: AwsService, settings: SqsSettings, deadline: Deadline) -> tuple[str, ...]:
    found = dict.fromkeys(settings.queues)
    for prefix in settings.prefixes:
        for url in _listed(sqs, prefix, deadline):
            found[url.rpartition("/")[2]] = None
            if len(found) > settings.most:
                raise FetchError(
                    Reason.TOO_LARGE,
                    f"the target has more than {settings.most} queues: write narrower prefixes, or raise most",
                )
    return tuple(found)


def _listed(sqs: AwsService, prefix: str, deadline: Deadline) -> Iterator[str]:
    more: dict[str, str] = {}
    while True:
        answer = sqs.call("ListQueues", deadline, prefix, QueueNamePrefix=prefix, MaxResults=PAGE_SIZE, **more)
        yield from answer.get("QueueUrls", ())
        if not answer.get("NextToken"):
            return
        more = {"NextToken": answer["NextToken"]}


def _queue(sqs: AwsService, name: str, region: str, deadline: Deadline) -> SqsQueue:
    answer = sqs.call("GetQueueUrl", deadline, name, QueueName=name)
    if "QueueUrl" not in answer:
        raise FetchError(Reason.GARBAGE, f"GetQueueUrl {name}: the answer has no URL: is this SQS?")
    names = [*_ATTRIBUTES.values(), "RedrivePolicy"]
    found = sqs.call("GetQueueAttributes", deadline, name, QueueUrl=answer["QueueUrl"], AttributeNames=names).get(
        "Attributes", {}
    )
    try:
        counts = {key: int(found[attribute]) for key, attribute in _ATTRIBUTES.items()}
        return SqsQueue(name, dead_letters_to=_dead_letters_to(found.get("RedrivePolicy"), region), **counts)
    except (KeyError, ValueError) as error:
        raise FetchError(Reason.GARBAGE, f"GetQueueAttributes {name}: the answer lacks {error}") from error


def _dead_letters_to(policy: str | None, region: str) -> str | None:
    """Name of the dead-letter queue; None where there is none in this region."""
    arn = orjson.loads(policy).get("deadLetterTargetArn") if policy else None
    if not isinstance(arn, str):
        return None
    *_, its_region, _, name = arn.split(":")
    return name if its_region == region else None


def _query(identifier: str, queue: str) -> dict[str, Any]:
    metric = {
        "Namespace": "AWS/SQS",
        "MetricName": "ApproximateAgeOfOldestMessage",
        "Dimensions": [{"Name": "QueueName", "Value": queue}],
    }
    return {"Id": identifier, "MetricStat": {"Metric": metric, "Period": _PERIOD_SECONDS, "Stat": "Maximum"}}
