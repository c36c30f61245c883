"""One SLO, several times: each copy's rules run at another second of the minute, as those of many services do."""

from dataclasses import replace

from sereno_slo import RuleFormat, Settings, SourceFile, validate_specs
from sereno_slo.duration import Duration
from sereno_slo.render.engine_rules import render_engine_rules

COPIES = 6


def rule_file(service: str, *, delay: str | None = None, identity: tuple[str, ...] = ("job", "instance")) -> str:
    """The compiled rules of a service's equal SLOs, named `<service>/calls-1` and so on."""
    slos = "".join(
        f"""
  - name: calls-{number}
    objective: 99
    indicator: {{ratio: {{metric: requests_total, match: 'job="api"', bad: 'code="500"'}}}}"""
        for number in range(1, COPIES + 1)
    )
    spec = f"version: sereno/v1\nservice: {service}\nowner: team\ntier: critical\nslos:{slos}\n"
    settings = replace(Settings(), evaluation_delay=Duration.parse(delay) if delay else None, identity_labels=identity)
    (described,) = validate_specs([SourceFile(f"{service}.slo.yaml", spec)], settings).services
    return render_engine_rules(described, settings, RuleFormat.PROMETHEUS)[0].content
