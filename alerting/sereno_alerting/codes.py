"""Every code of a mistake in a team file or in cases, and the rule behind it (docs/alertmanager.md lists them).

Mistakes that any of our YAML files may have (no YAML, unknown keys, wrong types) carry the codes of `sereno_slo.codes`.
"""

CODES: dict[str, str] = {
    "ALR001": "secrets are in files of their own, never in the team file",
    "ALR002": "names of files, addresses and channels are plain words",
    "ALR003": "there are a page and a ticket by default",
    "ALR004": "a page or a ticket has a way on which somebody is told",
    "ALR005": "e-mail needs a server that sends it",
    "ALR006": "what is used exists in the oldest Alertmanager that shall read it",
    "ALR007": "business hours begin before they end, on one day",
    "ALR008": "a team's name is free",
    "ALR009": "the Watchdog has an outside heartbeat",
    "ALR010": "owners that specs name are teams",
    "ALR011": "what has to hear the end of a ticket hears it at any hour",
    "ALR012": "SLOs that wait for their cause are described by specs",
    "ALR020": "a case expects something that can be",
    "ALR021": "labels have names that Alertmanager takes",
    "ALR022": "receivers and intervals that are named exist",
    "ALR023": "Alertmanager takes the configuration",
}
