"""The AWS exporter before moto: datapoints that come when a test says so, and a clock that a test moves."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from boto3.session import Session  # type: ignore[import-untyped]
from sereno_exporters.aws.kind import KIND
from sereno_exporters.aws.settings import AwsSettings
from sereno_exporters.aws.source import source_of
from sereno_exporters.frame.configuration import ConfiguredTarget, grammar_of, targets_of
from sereno_exporters.frame.deadline import Deadline
from sereno_exporters.frame.model import Parts, Target
from sereno_exporters.frame.scraping import Scrapers
from sereno_slo.parse import Parsed, parse_as
from sereno_slo.source import SourceFile

from support.exporting import Samples, samples
from support.moto import REGION
from support.proxy import Asked, Proxy, proxy_before

HEAD = "version: sereno/v1\nexporters:\n  aws:\n    targets:\n"
NAMESPACES = {"FunctionName": "AWS/Lambda", "TopicName": "AWS/SNS"}
_PASSING = ("Content-Type", "Content-Encoding", "Accept", "X-Amz-Target", "Authorization")


@dataclass
class Account:
    """An AWS that tests fill: a client of their own, and the exporter's configuration for it."""

    url: str
    folder: Path
    now: float
    """What the exporter takes for now; CloudWatch doesn't care."""
    settings: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Write the exporter's key."""
        (self.folder / "id").write_text("AKIATEST\n", encoding="utf-8")
        (self.folder / "secret").write_text("a-secret\n", encoding="utf-8")
        session = Session(aws_access_key_id="AKIATEST", aws_secret_access_key="a-secret", region_name=REGION)  # noqa: S106
        self._client = session.client("cloudwatch", endpoint_url=self.url)

    def put(self, dimension: str, resource: str, *points: tuple[str, float, float], namespace: str = "") -> None:
        """Datapoints of one resource: metric, moment, value."""
        for point in points:
            self.put_each(dimension, [resource], point, namespace=namespace)

    def put_each(
        self, dimension: str, resources: Sequence[str], point: tuple[str, float, float], *, namespace: str = ""
    ) -> None:
        """The same datapoint of each of these resources."""
        metric, moment, value = point
        data = [
            {
                "MetricName": metric,
                "Dimensions": [{"Name": dimension, "Value": resource}],
                "Timestamp": datetime.fromtimestamp(moment, UTC),
                "Value": value,
            }
            for resource in resources
        ]
        self._client.put_metric_data(Namespace=namespace or NAMESPACES[dimension], MetricData=data)

    def configured(self, *, url: str = "", **settings: Any) -> AwsSettings:
        """Settings of a target; files stand in the account's folder."""
        return AwsSettings.model_validate(
            {
                "region": REGION,
                "state_file": Path("state.sqlite"),
                "access_key_id_file": Path("id"),
                "secret_access_key_file": Path("secret"),
                "endpoint_url": url or self.url,
                **self.settings,
                **settings,
            }
        )

    def source(self, *, url: str = "", **settings: Any) -> Parts:
        """The exporter as after a start: what it knows is in its file."""
        return source_of(Target("one", self.configured(url=url, **settings), self.folder), lambda: self.now)

    def fetched(self, source: Parts, part: str, seconds: float = 20.0) -> dict[tuple[str, ...], float]:
        """Values of a part that is asked now, by name and labels' values."""
        (chosen,) = (each for each in source.parts if each.name == part)
        return values(chosen.families(chosen.fetch(Deadline.after(seconds))))

    @contextmanager
    def scraping(self, *, url: str = "", timeout_seconds: float = 20.0, **settings: Any) -> Iterator["Scraping"]:
        """The exporter within the frame, on the real clock."""
        target = Target("one", self.configured(url=url, **settings), self.folder)
        scrapers = Scrapers([ConfiguredTarget(KIND, target, timeout_seconds, 10_000)], report=lambda _: None)
        try:
            yield Scraping(scrapers)
        finally:
            scrapers.close()


@dataclass(frozen=True)
class Scraping:
    """Scrapes and what they brought."""

    scrapers: Scrapers

    def scrape(self) -> tuple[Samples, dict[str, tuple[str, str]]]:
        """Samples; and of each part that failed, reason and message."""
        exposition = self.scrapers.scrape()
        failures = {part: (str(why.reason), why.message) for _, part, why in exposition.failures}
        return samples(exposition), failures


def values(metrics: Any) -> dict[tuple[str, ...], float]:
    """Of families that were not exposed yet."""
    return {(sample.name, *sample.labels.values()): sample.value for metric in metrics for sample in metric.samples}


@contextmanager
def counting_proxy(url: str) -> Iterator[Proxy]:
    """A proxy before moto that notes each call."""
    with proxy_before(url, passing=_PASSING) as proxy:
        yield proxy


def queries(asked: Asked) -> int:
    """How many metrics a call asks GetMetricData for; 0: it is another call."""
    return asked.body.count(b'"MetricStat"')


def read(text: str) -> Parsed[Any]:
    """A configuration file's text."""
    return parse_as(SourceFile("exporters.yaml", text), grammar_of((KIND,)))


def mistakes(targets: str) -> list[str]:
    """What is wrong with these targets (indented by six), as users see it."""
    return [str(each) for each in read(HEAD + targets).diagnostics]


def configured(text: str, folder: Path) -> tuple[ConfiguredTarget, ...]:
    """The targets of a configuration without mistakes."""
    parsed = read(text)
    assert parsed.document is not None, [str(each) for each in parsed.diagnostics]
    return targets_of(parsed.document, (KIND,), folder)
