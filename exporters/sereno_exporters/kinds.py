"""The exporters that there are: a new one is a package with a `KIND`, and a line here."""

import importlib
from collections.abc import Iterable
from typing import Any

from sereno_exporters.frame.model import ExporterKind

# name → (module, one line of help). The help stands here so that `sereno exporter --help` imports none of the modules;
# a module imports its client library when it connects.
KINDS: dict[str, tuple[str, str]] = {
    "aws": (
        "sereno_exporters.aws.kind",
        "Lambda, SNS, the age of SQS' messages and Aurora, out of CloudWatch; calls are counted and capped.",
    ),
    "dora": (
        "sereno_exporters.dora.kind",
        "DORA's figures from DevOps events: deployments, lead time, change failures, recovery.",
    ),
    "quotas": (
        "sereno_exporters.quotas.kind",
        "What plans allow, what is used of it, and when it runs out.",
    ),
    "rabbitmq": (
        "sereno_exporters.queues.rabbitmq.kind",
        "Queues of RabbitMQ and LavinMQ: waiting and dead messages, their age, consumers.",
    ),
    "redis_queues": (
        "sereno_exporters.queues.redis_queues.kind",
        "Redis lists and streams as queues: length, age of the oldest, lag of consumer groups.",
    ),
    "sql": (
        "sereno_exporters.sql.kind",
        "Rows of databases: queries, table freshness, ETL stages, PostgreSQL's statistics.",
    ),
    "sqs": (
        "sereno_exporters.queues.sqs.kind",
        "Amazon SQS: messages that wait, are in flight or dead, age of the oldest.",
    ),
}


def load(names: Iterable[str]) -> tuple[ExporterKind[Any], ...]:
    """The kinds of these names, in this order.

    Raises:
        KeyError: there is none of a name.
    """
    return tuple(importlib.import_module(KINDS[name][0]).KIND for name in names)
