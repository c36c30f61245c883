"""The targets by name; a module is imported when one of its targets is asked for."""

from importlib import import_module
from typing import Final

from benchmarks.fuzz.target import Target

MODULES: Final = {
    "spec": "specs",
    "settings": "specs",
    "converters": "specs",
    "exporters-file": "specs",
    "promql": "promql",
    "prometheus-answers": "answers",
    "prometheus-pages": "answers",
    "devops-webhooks": "webhooks",
    "incident-webhooks": "webhooks",
    "log-lines": "log_lines",
    "log-framing": "log_lines",
    "otlp-logs": "log_lines",
    "headers": "headers",
    "damaged-files": "records",
    "stored-documents": "records",
    "portal-requests": "pages",
    "postmortems": "markdown",
    "runbooks": "markdown",
}


def load(name: str) -> Target:
    """The target of that name."""
    module = import_module(f"{__name__}.{MODULES[name]}")
    targets: tuple[Target, ...] = module.TARGETS
    return next(target for target in targets if target.name == name)
