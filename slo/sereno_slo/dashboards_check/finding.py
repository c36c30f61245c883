"""What is wrong with a dashboard, as a value: where, which rule, what to do instead."""

from dataclasses import dataclass

from sereno_slo.diagnostics import on_one_line

RULES: dict[str, str] = {
    "DASH001": "the file is a dashboard that Grafana can read",
    "DASH002": "a dashboard has a uid of its own, so that links to it last",
    "DASH003": "a dashboard has a title of its own, so that people find it",
    "DASH004": "a dashboard's data source is chosen by a variable",
    "DASH005": "options of variables follow the time shown",
    "DASH006": "queries of variables are valid, and ask the chosen data source",
    "DASH007": "a dashboard that is provisioned can't be edited: edits would be lost",
    "DASH008": "every variable changes something",
    "DASH009": "panels have ids of their own, so that links to them last",
    "DASH010": "panels ask the chosen data source",
    "DASH011": "panels have titles",
    "DASH012": "panels say what they show",
    "DASH013": "numbers have a unit that Grafana knows",
    "DASH014": "panels stand within 24 columns",
    "DASH015": "panels don't lie over each other",
    "DASH016": "numbers of now say what it means that there are none",
    "DASH017": "colours that judge can be told apart by people who are colour-blind",
    "DASH018": "panels ask for something, each query by a name of its own",
    "DASH019": "queries are PromQL",
    "DASH020": "rates over time adapt to the time shown, or say over which time they are",
    "DASH021": "counters are shown as rates or increases",
    "DASH022": "variables with several values are matched as patterns",
}
"""Every rule by its code; `sereno dashboards lint --rules` prints them. Codes are never reused."""


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One mistake of a dashboard."""

    path: str
    panel: str
    """The title of the panel; empty where the whole dashboard is meant."""
    code: str
    message: str
    cure: str

    def __str__(self) -> str:
        """`dashboards/x.json: panel "Calls": error[DASH013]: it has no unit; …`."""
        place = f'{self.path}: panel "{self.panel}"' if self.panel else self.path
        return on_one_line(f"{place}: error[{self.code}]: {self.message}; {self.cure}")


@dataclass(frozen=True, slots=True)
class Problem:
    """A finding whose place is known by who asked."""

    code: str
    message: str
    cure: str
