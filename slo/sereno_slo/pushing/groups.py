"""Rule groups as documents: those that specs compile to, and what tells them from groups that others have made."""

from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from sereno_slo.model import Service, Settings
from sereno_slo.render.engine_rules import render_engine_rules
from sereno_slo.render.rule_format import RuleFormat

Group = Mapping[str, Any]
Namespaces = Mapping[str, tuple[Group, ...]]
"""The groups of each namespace, in the order in which they are pushed."""

# libyaml's reader where PyYAML has it: rules are megabytes.
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def groups_of_services(services: Sequence[Service], settings: Settings) -> Namespaces:
    """What `sereno compile --format mimir` writes, so that mimirtool and `sereno push` agree."""
    documents = (
        yaml.load(render_engine_rules(service, settings, RuleFormat.MIMIR)[0].content, Loader=_Loader)  # noqa: S506
        for service in services
    )
    return {document["namespace"]: tuple(document["groups"]) for document in documents}


def is_ours(group: Group, namespace: str, prefix: str) -> bool:
    """Whether Sereno made the group: it lies in the namespace of its service, and every rule of it names the service.

    A group that somebody else has made in that namespace, or under that name, lacks one of these marks.
    """
    service = namespace.removeprefix(f"{prefix}-")
    rules = group.get("rules") or []
    return (
        service != namespace
        and group["name"].startswith(f"sereno:{service}:")
        and bool(rules)
        and all((rule.get("labels") or {}).get("service") == service for rule in rules)
    )
