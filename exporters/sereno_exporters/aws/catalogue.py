"""What is read of CloudWatch, and which family it becomes."""

from dataclasses import dataclass

from sereno_exporters.frame.model import Family, FamilyKind


@dataclass(frozen=True, slots=True)
class CloudWatchMetric:
    """One statistic of one metric, for resources of one kind."""

    namespace: str
    name: str
    dimension: str
    statistic: str
    divisor: float
    """From CloudWatch's unit to the base unit."""
    family: Family

    @property
    def counts(self) -> bool:
        """Whether its minutes are added up."""
        return self.family.kind is FamilyKind.COUNTER


@dataclass(frozen=True, slots=True)
class Service:
    """A service of AWS: a part of the exporter."""

    name: str
    metrics: tuple[CloudWatchMetric, ...]
    found_by: CloudWatchMetric
    """The metric whose dimensions are the resources that there are."""


def _metrics(
    namespace: str, dimension: str, label: str, *rows: tuple[str, str, float, str, str]
) -> tuple[CloudWatchMetric, ...]:
    """Rows: CloudWatch's name, statistic, divisor, our name, help."""
    return tuple(
        CloudWatchMetric(namespace, name, dimension, statistic, divisor, _family(f"sereno_aws_{ours}", text, label))
        for name, statistic, divisor, ours, text in rows
    )


def _family(name: str, text: str, label: str) -> Family:
    return Family(name, FamilyKind.COUNTER if name.endswith("_total") else FamilyKind.GAUGE, text, (label,))


_LAMBDA = _metrics(
    "AWS/Lambda",
    "FunctionName",
    "function_name",
    (
        "Invocations",
        "Sum",
        1,
        "lambda_invocations_total",
        "Invocations that ran, well or not; throttled ones are not in it.",
    ),
    ("Errors", "Sum", 1, "lambda_errors_total", "Invocations that ended with an error, timeouts among them."),
    ("Throttles", "Sum", 1, "lambda_throttles_total", "Invocations that were turned away: no concurrency was left."),
    ("Duration", "Sum", 1_000, "lambda_duration_seconds_total", "Time that invocations took, without cold starts."),
    ("Duration", "Maximum", 1_000, "lambda_duration_max_seconds", "The longest invocation of the newest minute."),
    ("ConcurrentExecutions", "Maximum", 1, "lambda_concurrent_executions", "The most at once in the newest minute."),
    (
        "ProvisionedConcurrencySpilloverInvocations",
        "Sum",
        1,
        "lambda_provisioned_concurrency_spillovers_total",
        "Invocations that found all provisioned concurrency taken: most of them are cold starts.",
    ),
)
_INSIGHTS = _metrics(
    "LambdaInsights",
    "function_name",
    "function_name",
    ("init_duration", "SampleCount", 1, "lambda_cold_starts_total", "Cold starts, by Lambda Insights."),
    ("init_duration", "Sum", 1_000, "lambda_init_seconds_total", "Time that cold starts took, by Lambda Insights."),
)
_SNS = _metrics(
    "AWS/SNS",
    "TopicName",
    "topic_name",
    ("NumberOfMessagesPublished", "Sum", 1, "sns_messages_published_total", "Messages that the topic took."),
    (
        "NumberOfNotificationsDelivered",
        "Sum",
        1,
        "sns_notifications_delivered_total",
        "Notifications that reached a subscriber.",
    ),
    (
        "NumberOfNotificationsFailed",
        "Sum",
        1,
        "sns_notifications_failed_total",
        "Notifications that SNS gave up on, after all its own tries.",
    ),
)
_AURORA = _metrics(
    "AWS/RDS",
    "DBInstanceIdentifier",
    "db_instance",
    ("CPUUtilization", "Average", 100, "aurora_cpu_used_ratio", "CPU in use, of all."),
    ("DatabaseConnections", "Maximum", 1, "aurora_connections", "Client connections."),
    ("FreeableMemory", "Minimum", 1, "aurora_freeable_memory_bytes", "Memory that could be had."),
    ("AuroraReplicaLag", "Maximum", 1_000, "aurora_replica_lag_seconds", "How far a reader is behind the writer."),
    ("Deadlocks", "Average", 1, "aurora_deadlocks_per_second", "Deadlocks a second."),
    ("CommitLatency", "Average", 1_000, "aurora_commit_latency_seconds", "How long commits take."),
    ("SelectLatency", "Average", 1_000, "aurora_select_latency_seconds", "How long SELECTs take; Aurora MySQL only."),
    ("EngineUptime", "Maximum", 1, "aurora_uptime_seconds", "Found by it, as it is Aurora's only; not read."),
)

LAMBDA = Service("lambda", _LAMBDA, _LAMBDA[0])
LAMBDA_WITH_INSIGHTS = Service("lambda", _LAMBDA + _INSIGHTS, _LAMBDA[0])
SNS = Service("sns", _SNS, _SNS[0])
AURORA = Service("aurora", _AURORA[:-1], _AURORA[-1])
METRICS = LAMBDA_WITH_INSIGHTS.metrics + SNS.metrics + AURORA.metrics
