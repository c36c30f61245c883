"""Queries as people write them into Grafana or Kibana (Lucene), counted in Elasticsearch."""

from collections.abc import Mapping
from datetime import datetime
from types import TracebackType
from typing import Any, Self

from sereno_backends.logs.ecs import format_timestamp
from sereno_backends.logs.elasticsearch_client import connect, explained, without_secrets

EVERYTHING = "*"


class ElasticsearchDocuments:
    """The documents of some indices; nothing is written. Use it as a context manager or `close` it.

    Args:
        url: address of the server; several with commas.
        index: names or patterns of indices and data streams, as a data source of Grafana has them.
        environment: where files with credentials are named, as for the log store.

    Raises:
        LogStoreRefused: an address or one of the files can't be used; the message shows no secret.
    """

    def __init__(self, url: str, index: str, environment: Mapping[str, str]) -> None:
        self._client = connect(url, environment)
        self._index = index
        self._name = f"Elasticsearch {without_secrets(url)}"

    def count(self, lucene: str, start: datetime, end: datetime) -> int:
        """How many documents match from `start` until before `end`; an empty query is all of them.

        Raises:
            LogStoreError: the server refuses the query, or can't be reached.
        """
        window = {"gte": format_timestamp(start), "lt": format_timestamp(end)}
        filters: list[dict[str, Any]] = [
            {"range": {"@timestamp": window}},
            {"query_string": {"query": lucene.strip() or EVERYTHING, "analyze_wildcard": True}},
        ]
        with explained(self._name):
            answer = self._client.count(index=self._index, ignore_unavailable=True, query={"bool": {"filter": filters}})
        return int(answer["count"])

    def close(self) -> None:
        """Release connections."""
        self._client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
