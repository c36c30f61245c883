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
from sereno_exporters.queues.sqs.client import AwsService
from sereno_exporters.queues.sqs.settings import SqsSettings
from sereno_exporters.queues.sqs.snapshot import OldestAge, OldestAges, Queues, SqsQueue

PAGE_SIZE = 1_000
"""The most that ListQueues gives."""
METRICS_AT_ONCE = 500
"""The most that GetMetricData takes."""
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
        return Queues(watched, tuple(have[name] for name in wanted), self.sqs.calls)

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
            return tuple(pool.map(lambda name: _queue(self.sqs, name, self.settings.region, deadline), names))

    def _ages(self, names: Sequence[str], deadline: Deadline) -> Iterator[OldestAge]:
        now = self.now()
        answer = self.cloudwatch.call(
            "GetMetricData",
            deadline,
            MetricDataQueries=[_query(f"q{index}", name) for index, name in enumerate(names)],
            StartTime=datetime.fromtimestamp(now - _LOOKED_BACK_SECONDS, UTC),
            EndTime=datetime.fromtimestamp(now + _PERIOD_SECONDS, UTC),
            ScanBy="TimestampDescending",
        )
        if "MetricDataResults" not in answer:
            raise FetchError(Reason.GARBAGE, "GetMetricData: the answer has no results: is this CloudWatch?")
        for result in answer["MetricDataResults"]:
            if result["Values"]:
                moment, age_seconds = max(zip(result["Timestamps"], result["Values"], strict=True))
                name = names[int(result["Id"].removeprefix("q"))]
                yield OldestAge(name, float(age_seconds), max(0.0, now - moment.timestamp()))


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
