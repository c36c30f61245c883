"""The grammar of `sereno.yaml`: the repository's defaults for all specs."""

import re
from typing import Annotated

from pydantic import AfterValidator, Field

from sereno_slo.parse.grammar import AlertingDocument, GateDocument, StrictMapping, WindowDocument
from sereno_slo.parse.kubernetes_words import KubernetesLabels, KubernetesName
from sereno_slo.parse.words import DelayText, LabelName, MetricName, mistake

_TRACE_URL = r"https?://[^\s{}]+(\{trace_id\}[^\s{}]*)+"


def _trace_url(text: str) -> str:
    if text and not re.fullmatch(_TRACE_URL, text):
        hint = "write for example https://traces.example.org/trace/{trace_id}"
        raise mistake("SLO087", f"{text!r} is no URL with the place {{trace_id}}, and no other", hint)
    return text


class LinksDocument(StrictMapping):
    """Where pages and dashboards lead; an empty text leaves the link out."""

    runbooks: str | None = Field(
        None, description="Base of runbook_url", examples=["https://git.example.org/sre/runbooks"]
    )
    dashboards: str | None = Field(None, description="Base of Grafana", examples=["https://grafana.example.org"])
    logs: str | None = Field(
        None,
        description=(
            "URL of a service's logs; {service}, {slo}, {window}, {from} and {to} (milliseconds), {from_iso} and "
            "{to_iso} (2026-11-25T12:00:00Z) are replaced"
        ),
    )
    incidents: str | None = Field(
        None,
        description="Base of incident_url: where `sereno incidents serve` answers",
        examples=["https://incidents.example.org"],
    )
    trace: Annotated[str, AfterValidator(_trace_url)] | None = Field(
        None,
        description="URL of a trace; {trace_id} is replaced. Without it, traces are reached as logs by trace id",
        examples=["https://traces.example.org/trace/{trace_id}"],
    )


# What the alerts carry anyway (docs/ledger.md), and what Prometheus adds.
_TAKEN_LABELS = ("alertname", "alertstate", "burn", "long_window", "service", "severity", "slo")


def _free_label(label: str) -> str:
    if label in _TAKEN_LABELS:
        raise mistake("SLO025", f"alerts have a label {label} of their own", "write another name, for example owner")
    return label


class OperatorDocument(StrictMapping):
    """What PrometheusRule objects carry (`--format operator`)."""

    namespace: KubernetesName | None = Field(None, examples=["monitoring"])
    labels: KubernetesLabels = Field({}, examples=[{"release": "kube-prometheus-stack"}])


class MimirDocument(StrictMapping):
    """Where a ruler keeps the groups (`--format mimir`, `sereno push`)."""

    namespace: KubernetesName = Field("sereno", description="Namespaces are <this>-<service>", examples=["sereno"])


class SettingsDocument(StrictMapping):
    """`sereno.yaml`: the repository's defaults for all specs."""

    window: WindowDocument | None = Field(None, examples=["30d"])
    owner_label: Annotated[LabelName, AfterValidator(_free_label)] = Field("owner", examples=["owner"])
    identity_labels: list[LabelName] = Field(
        ["job", "instance"],
        min_length=1,
        description="The labels that name a target",
        examples=[["job", "instance"]],
    )
    process_start_metric: MetricName | None = Field(
        "process_start_time_seconds", description="null where no such metric exists"
    )
    evaluation_delay: DelayText | None = Field(None, description="How late samples may arrive", examples=["2m"])
    links: LinksDocument | None = Field(None, examples=["{runbooks: https://git.example.org/sre/runbooks}"])
    alerting: AlertingDocument | None = Field(
        None, description="The alerting of all specs that say nothing else", examples=["{keep_firing_for: 10m}"]
    )
    gate: list[GateDocument] = Field(
        [], description="The gate of all specs that have none", examples=[["{when: remaining < 10%, answer: deny}"]]
    )
    operator: OperatorDocument | None = Field(None, examples=["{labels: {release: kube-prometheus-stack}}"])
    mimir: MimirDocument | None = Field(None, examples=["{namespace: sereno}"])
    imports: list[str] = Field(
        [],
        description="Specs of other repositories, files or folders: their SLOs may be named, their services are taken",
        examples=[["../platform/slo/specs"]],
    )
