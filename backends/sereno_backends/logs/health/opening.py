"""From an address to a client that looks: each request is made once, and not waited for forever."""

import os

from elasticsearch import Elasticsearch

from sereno_backends.logs.elasticsearch_client import connect, without_secrets

REQUEST_SECONDS = 30.0


def open_server(url: str) -> tuple[Elasticsearch, str]:
    """A client for the server at `url`, and what to call it; nothing is contacted yet.

    Raises:
        LogStoreRefused: the address or its credentials file can't be used.
    """
    client = connect(url, os.environ).options(request_timeout=REQUEST_SECONDS, max_retries=0, retry_on_timeout=False)
    return client, f"Elasticsearch {without_secrets(url)}"
