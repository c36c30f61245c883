"""`inhibit_rules.yml`: what Alertmanager has to know of dependencies, for all services in one file."""

from collections.abc import Sequence

from sereno_slo.model import Dependency, Standing
from sereno_slo.plan.inhibition import inhibitions, inhibitions_of_causes
from sereno_slo.render.artefact import Artefact, Kind
from sereno_slo.render.yaml_text import dump, header

INHIBIT_RULES = "inhibit_rules.yml"


def render_inhibit_rules(
    dependencies: Sequence[Dependency], causes: Sequence[Standing] = (), elsewhere: frozenset[str] = frozenset()
) -> Artefact:
    """The file, also where nothing depends or stands on anything: an old one would go on silencing.

    Services `elsewhere` have their alerts inhibited by the file of their own repository.

    Alertmanager has no includes; `sereno alertmanager merge` puts the rules into its configuration.
    """
    rules = [
        {"source_matchers": list(map(str, rule.source)), "target_matchers": list(map(str, rule.target))}
        for rule in (*inhibitions(dependencies, elsewhere), *inhibitions_of_causes(causes))
    ]
    return Artefact(Kind.ALERTMANAGER, INHIBIT_RULES, header("all specs") + dump({"inhibit_rules": rules}))
