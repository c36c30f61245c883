"""First specs from templates: what usual services count, under the names that their ecosystems give it."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from sereno_slo.diagnostics import on_one_line
from sereno_slo.promql import Matcher, MatchOp
from sereno_slo.render.yaml_text import is_printable, quoted, spec_scalar

if TYPE_CHECKING:
    import jinja2

__all__ = ["KINDS", "SCHEMA_URL", "FirstSpec", "Kind", "first_spec"]

SCHEMA_URL = "https://raw.githubusercontent.com/sereno/sereno/main/slo/schema/sereno-v1.schema.json"
_TEMPLATES = Path(__file__).parent / "templates"


@dataclass(frozen=True, slots=True)
class Kind:
    """A template."""

    name: str
    says: str
    """What it is for, in one line."""
    job: str = ""
    """The usual name of the targets that tell of it; empty where they are the service itself."""


KINDS = (
    Kind("batch-freshness", "a job that runs now and then: how long ago did it last succeed?", "pushgateway"),
    Kind("database", "PostgreSQL by postgres_exporter: does it answer, does the replica keep up?", "postgres"),
    Kind("grpc", "a gRPC server with the Prometheus interceptors (grpc_server_handled_total)"),
    Kind("http-api", "an HTTP server with OpenTelemetry's metrics (http_server_request_duration_seconds)"),
    Kind("ingress-nginx", "an Ingress of ingress-nginx, whatever runs behind it", "ingress-nginx-controller-metrics"),
    Kind("istio", "a workload in an Istio mesh (istio_requests_total)", "kubernetes-pods"),
    Kind("micrometer", "a Spring Boot or Micrometer service (http_server_requests_seconds)"),
    Kind("probe", "a page or port from outside, by the blackbox exporter (probe_success)", "blackbox"),
    Kind("queue-worker", "a worker that takes messages from a queue: do they succeed, do they wait?"),
)


@dataclass(frozen=True, slots=True)
class FirstSpec:
    """What fills a template; an empty job is the kind's usual one, or the service's name."""

    kind: Kind
    name: str
    owner: str
    tier: str
    job: str = ""
    schema: str = SCHEMA_URL
    """Where editors find the grammar: a URL, or a path from the spec's folder."""


def first_spec(wanted: FirstSpec) -> str:
    """The text of the spec; names are not checked here, but by whoever compiles it."""
    template = _environment().get_template(f"{wanted.kind.name}.slo.yaml.j2")
    return template.render(
        schema=wanted.schema,
        kind=wanted.kind,
        name=spec_scalar(on_one_line(wanted.name)),
        service=on_one_line(wanted.name),
        owner=spec_scalar(on_one_line(wanted.owner)),
        tier=wanted.tier,
        job=wanted.job or wanted.kind.job or wanted.name,
    )


@cache
def _environment() -> "jinja2.Environment":
    # Imported here: `sereno new --list` must not pay for templates.
    import jinja2  # noqa: PLC0415

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701 - YAML for a repository, no HTML for a browser
    )
    environment.globals |= {"match": _match, "selector": _selector}
    return environment


def _matchers(equal: dict[str, str]) -> str:
    return ", ".join(str(Matcher(label, MatchOp.EQUAL, value)) for label, value in equal.items())


def _match(further: str = "", **equal: str) -> str:
    """Matchers as YAML: equalities, and then what else is written out."""
    return _yaml(", ".join(filter(None, (_matchers(equal), further))))


def _selector(metric: str, **equal: str) -> str:
    """A selector as YAML."""
    return _yaml(f"{metric}{{{_matchers(equal)}}}")


def _yaml(text: str) -> str:
    return quoted(text) if is_printable(text) else spec_scalar(text)
