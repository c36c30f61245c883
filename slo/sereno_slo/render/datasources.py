"""Grafana's data sources: where a dot in a graph, or a log line, leads to its trace.

Dashboards can't say this: Grafana takes the links of exemplars and of log lines from the data source alone.
"""

import json
from urllib.parse import quote

from sereno_slo.model import Links, Settings
from sereno_slo.render.artefact import Artefact, Kind
from sereno_slo.render.yaml_text import dump, header

DATASOURCES = "sereno.yaml"
LOGS_UID = "sereno-elasticsearch"
PROMETHEUS_UID = "sereno-prometheus"
# Grafana's place for the value of the field that a link belongs to. In provisioning files, a dollar is written twice.
_VALUE = "$${__value.raw}"
_EXEMPLAR_LABEL, _LOG_FIELD = "trace_id", "trace.id"


def render_datasources(settings: Settings) -> Artefact:
    """The provisioning file. Addresses and credentials are the environment's: they are no business of the specs."""
    document = {"apiVersion": 1, "datasources": [_prometheus(settings.links), _elasticsearch(settings.links)]}
    return Artefact(Kind.DATASOURCES, DATASOURCES, header("sereno.yaml") + dump(document))


def trace_url(links: Links) -> str:
    """The trace of an id in Grafana's words: by the settings' template, else everything that was logged of it."""
    return links.trace.replace("$", "$$").replace("{trace_id}", _VALUE) if links.trace else _logs_of_trace()


def _logs_of_trace() -> str:
    """Grafana's own page for logs, where `links.logs` would need a query language of which nothing is known here."""
    query = {
        "refId": "A",
        "query": f'{_LOG_FIELD}:"TRACE"',
        "metrics": [{"id": "1", "type": "logs"}],
        "bucketAggs": [],
        "datasource": {"type": "elasticsearch", "uid": LOGS_UID},
    }
    pane = {"datasource": LOGS_UID, "queries": [query], "range": {"from": "now-24h", "to": "now"}}
    panes = quote(json.dumps({"trace": pane}, separators=(",", ":")))
    return f"/explore?schemaVersion=1&orgId=1&panes={panes.replace('TRACE', _VALUE)}"


def _prometheus(links: Links) -> dict[str, object]:
    label = "Open the trace" if links.trace else "Logs of this trace"
    return {
        "name": "Prometheus (Sereno)",
        "uid": PROMETHEUS_UID,
        "type": "prometheus",
        "access": "proxy",
        "url": "$SERENO_PROMETHEUS_URL",
        "isDefault": True,
        "editable": False,
        "jsonData": {
            "httpMethod": "POST",
            "prometheusType": "Prometheus",
            "timeInterval": "$SERENO_SCRAPE_INTERVAL",
            "exemplarTraceIdDestinations": [
                {"name": _EXEMPLAR_LABEL, "url": trace_url(links), "urlDisplayLabel": label}
            ],
        },
    }


def _elasticsearch(links: Links) -> dict[str, object]:
    source: dict[str, object] = {
        "timeField": "@timestamp",
        "index": "logs-*-*",
        "logMessageField": "message",
        "logLevelField": "log.level",
    }
    label = "Open the trace" if links.trace else "Logs of this trace"
    source["dataLinks"] = [{"field": _LOG_FIELD, "url": trace_url(links), "urlDisplayLabel": label}]
    return {
        "name": "Elasticsearch (Sereno)",
        "uid": LOGS_UID,
        "type": "elasticsearch",
        "access": "proxy",
        "url": "$SERENO_ELASTICSEARCH_URL",
        "editable": False,
        "jsonData": source,
    }
