"""Prometheus as a draft of a postmortem asks it: by the questions of `sereno_postmortems`, one after the other."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from sereno_backends.prometheus import PrometheusClient
from sereno_postmortems.draft import Metrics, open_metrics

_LONGEST_ANSWER_SECONDS = 10.0


@contextmanager
def evidence_of(address: str, now: datetime) -> Iterator[Metrics]:
    """A server to ask for evidence; one that doesn't answer at once is asked nothing, and says so in each answer."""
    with PrometheusClient(address, timeout_seconds=_LONGEST_ANSWER_SECONDS) as client:
        yield open_metrics(client, now)
