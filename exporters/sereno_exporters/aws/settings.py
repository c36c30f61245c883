"""What a target of the AWS exporter says: what is read of a region, how late CloudWatch may be, what it may cost."""

import re
from collections.abc import Iterable, Iterator
from typing import Annotated, Any, Self

from pydantic import AfterValidator, Field, ValidationError, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

from sereno_exporters.aws import catalogue
from sereno_exporters.frame.words import FilePath, Grammar, HttpUrl, Seconds, mistake

MINUTE_SECONDS = 60.0
"""CloudWatch's own resolution: nothing is read more often, and no sum is younger."""
DELAY_SECONDS = 300.0
CONVERGENCE_SECONDS = 1_800.0
LONGEST_SECONDS = 86_400.0
_MOST_RESOURCES = 2_000


def _region(text: str) -> str:
    if not re.fullmatch(r"[a-z]{2,4}(-[a-z]+)+-[0-9]+", text):
        raise mistake("SLO006", f"{text!r} is no region of AWS", "write for example eu-west-1")
    return text


def _resource(text: str) -> str:
    if ":" in text or "/" in text:
        name = re.split(r"[:/]", text)[-1] or "the name"
        raise mistake("SLO006", f"{text!r} is an ARN or an address, CloudWatch knows names", f"write {name}")
    if not re.fullmatch(r"[A-Za-z0-9_.-]{1,256}", text):
        raise mistake("SLO006", f"{text!r} is no name of AWS", "write it as AWS' console shows it, as orders-worker")
    return text


def _at_least_a_minute(seconds: float) -> float:
    if not MINUTE_SECONDS <= seconds <= LONGEST_SECONDS:
        raise mistake("SLO014", f"{seconds:g} s are no use: CloudWatch has minutes", "write one between 1m and 1d")
    return seconds


Region = Annotated[str, AfterValidator(_region)]
ResourceName = Annotated[str, AfterValidator(_resource)]
Minutes = Annotated[Seconds, AfterValidator(_at_least_a_minute)]


class Discover(Grammar):
    """Resources are found by ListMetrics, once an hour: all that had a datapoint within two weeks."""

    most: int = Field(
        100, ge=1, le=_MOST_RESOURCES, description="The first so many by name; others are counted", examples=[100]
    )


class Resources(Grammar):
    """Resources by name, or found."""

    names: tuple[ResourceName, ...] = Field((), strict=False, description="By name", examples=["[orders-worker]"])
    discover: Discover | None = Field(None, description="Find them, too", examples=["{most: 100}"])

    @model_validator(mode="after")
    def _names_something(self) -> Self:
        if not self.names and self.discover is None:
            raise mistake("SLO006", "there is neither a name nor discover", "write names: […], or discover: {}")
        doubled = sorted({name for name in self.names if self.names.count(name) > 1})
        if doubled:
            raise mistake("SLO015", f"{', '.join(doubled)} is there twice", "remove one")
        return self


class LambdaFunctions(Resources):
    """Functions of Lambda."""

    insights: bool = Field(
        False,  # noqa: FBT003 - pydantic's signature
        description="Lambda Insights is switched on for them: cold starts are read, too",
        examples=[True],
    )


class AuroraInstances(Resources):
    """Instances of Aurora clusters."""

    connections_limits: dict[ResourceName, Annotated[int, Field(ge=1)]] = Field(
        default_factory=dict,
        description="max_connections by instance: CloudWatch doesn't know it",
        examples=["{shop-1: 1000}"],
    )


class Budget(Grammar):
    """What the target may ask of CloudWatch in a day (UTC); beyond it nothing is asked until the next."""

    calls_a_day: int = Field(20_000, ge=1, description="Calls of any API", examples=[20_000])
    metrics_a_day: int = Field(
        100_000, ge=1, description="Metrics that GetMetricData is asked for: what AWS bills", examples=[100_000]
    )


class AwsSettings(Grammar):
    """One region of one account."""

    region: Region = Field(examples=["eu-west-1"])
    state_file: FilePath = Field(
        description="SQLite file, made if need be: counters go on after a restart", examples=["var/aws.sqlite"]
    )
    profile: str | None = Field(None, min_length=1, description="Of AWS' own configuration", examples=["monitoring"])
    access_key_id_file: FilePath | None = Field(None, description="Instead of AWS' usual chain", examples=["aws.id"])
    secret_access_key_file: FilePath | None = Field(None, examples=["aws.secret"])
    session_token_file: FilePath | None = Field(None, examples=["aws.token"])
    endpoint_url: HttpUrl | None = Field(None, description="For VPC endpoints", examples=["http://127.0.0.1:5000"])
    interval: Minutes = Field(MINUTE_SECONDS, description="How often CloudWatch is asked", examples=["1m"])
    delay: Minutes = Field(DELAY_SECONDS, description="How old a minute is when it is counted first", examples=["5m"])
    convergence: Minutes = Field(
        CONVERGENCE_SECONDS, description="How long a minute's sum may grow; it is read again so long", examples=["30m"]
    )
    budget: Budget = Field(default_factory=Budget, examples=["{metrics_a_day: 100000}"])
    lambda_functions: LambdaFunctions | None = Field(None, examples=["{names: [orders-worker]}"])
    sns_topics: Resources | None = Field(None, examples=["{names: [orders]}"])
    aurora_instances: AuroraInstances | None = Field(None, examples=["{names: [shop-1]}"])

    @model_validator(mode="before")
    @classmethod
    def _leaves_queues_to_sqs(cls, written: Any) -> Any:
        """One figure from one exporter: a second one of the same would cost, and alert, twice."""
        if isinstance(written, dict) and "sqs_queues" in written:
            hint = "write the queues below exporters: sqs: targets:, as docs/exporters/queues.md shows"
            what = mistake("SLO006", "queues of SQS are read by the exporter sqs, ages from CloudWatch too", hint)
            raise _at([("sqs_queues", what)])
        return written

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if troubles := list(self._troubles()):
            raise _at(troubles)
        return self

    def _troubles(self) -> Iterator[tuple[str, PydanticCustomError]]:
        if self.convergence < self.delay:
            hint = f"write a convergence of {self.delay:g}s or more"
            yield "convergence", mistake("SLO006", "a minute would be final before it is counted first", hint)
        if (self.access_key_id_file is None) != (self.secret_access_key_file is None):
            yield (
                "access_key_id_file" if self.access_key_id_file else "secret_access_key_file",
                mistake("SLO006", "access_key_id_file and secret_access_key_file belong together", "write both"),
            )
        if self.session_token_file is not None and self.access_key_id_file is None:
            yield "session_token_file", mistake("SLO006", "a session token needs a key", "write access_key_id_file")
        if self.profile is not None and self.access_key_id_file is not None:
            yield "profile", mistake("SLO006", "there are two ways to log in", "write profile, or files of a key")
        if not (self.lambda_functions or self.sns_topics or self.aurora_instances):
            hint = "write lambda_functions, sns_topics or aurora_instances"
            yield "region", mistake("SLO006", "the target has nothing to read", hint)
        if (needed := self._metrics_a_day()) > self.budget.metrics_a_day:
            allowed = self.budget.metrics_a_day
            message = f"the resources by name need {needed:,} metrics a day, the budget has {allowed:,}"
            yield (
                "budget",
                mistake("SLO006", message, f"write metrics_a_day: {needed * 11 // 10}, or a longer interval"),
            )

    def _metrics_a_day(self) -> int:
        """What reading the resources by name asks for; those that are found come on top."""
        functions = catalogue.LAMBDA
        if self.lambda_functions is not None and self.lambda_functions.insights:
            functions = catalogue.LAMBDA_WITH_INSIGHTS
        wanted = (
            (functions, self.lambda_functions),
            (catalogue.SNS, self.sns_topics),
            (catalogue.AURORA, self.aurora_instances),
        )
        each_time = sum(len(service.metrics) * len(found.names) for service, found in wanted if found is not None)
        return round(each_time * LONGEST_SECONDS / self.interval)


def _at(troubles: Iterable[tuple[str, PydanticCustomError]]) -> ValidationError:
    """Each at its own place in the file: pydantic takes such an error's places over."""
    details = [InitErrorDetails(type=what, loc=(key,), input=None) for key, what in troubles]
    return ValidationError.from_exception_data("aws", details)
