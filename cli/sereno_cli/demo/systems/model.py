"""What is run of a reference system."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal


@dataclass(frozen=True, slots=True)
class Scrape:
    """Where Prometheus finds a program's metrics."""

    job: str
    port: str


@dataclass(frozen=True, slots=True)
class Program:
    """One process. Texts of `environment`, `arguments` and `healthy` have words (`words.py`)."""

    name: str
    module: str
    arguments: tuple[str, ...]
    ports: Mapping[str, str]
    """What each port is called, and the variable that tells it to the program."""
    environment: Mapping[str, str]
    templates: tuple[str, ...]
    """Files of the system's folder that it gets below `${files}`, their words said."""
    log: str | None
    """The variable that tells it where its ECS log goes; None: it writes none."""
    healthy: str | None
    """The address that answers 200 once it is healthy; None: it serves nothing."""
    scrape: Scrape | None


@dataclass(frozen=True, slots=True)
class Load:
    """Who uses the system."""

    module: str
    arguments: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Told:
    """A fault that a program has itself: its admin port is told."""

    program: str
    port: str
    name: str
    parameters: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Done:
    """A fault that is done to a process from outside."""

    part: str
    """What the process is called."""
    deed: Literal["stop", "freeze"]


Switch = Told | Done


@dataclass(frozen=True, slots=True)
class Expectation:
    """The one alert that a fault brings about; or what the logs alone tell, and nothing pages."""

    alert: str
    """Empty: the logs alone tell it."""
    severity: str
    """critical: somebody is paged; warning: a ticket."""
    labels: Mapping[str, str]
    """What else it is known by."""
    log: str = ""
    """Words of the records that tell it."""

    def is_met_by(self, labels: Mapping[str, str]) -> bool:
        """Whether an alert with these labels is it."""
        wanted = {"alertname": self.alert, "severity": self.severity, **self.labels}
        return wanted.items() <= labels.items()

    def __str__(self) -> str:
        """`SLOErrorBudgetBurn{slo="availability"} (critical)`; `"forged" in the log`."""
        if not self.alert:
            return f'"{self.log}" in the log'
        told = ", ".join(f'{name}="{value}"' for name, value in self.labels.items())
        return f"{self.alert}{{{told}}} ({self.severity})"


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault that people and stories may switch on."""

    name: str
    switch: Switch
    on: str
    """What happens while it is on, in a few words."""
    expects: Expectation
    is_slow: bool = False
    """Whether hours pass before the alert: its story is told in simulated time, and it is steady meanwhile."""


@dataclass(frozen=True, slots=True)
class System:
    """One system."""

    name: str
    title: str
    folder: Path
    specs: tuple[str, ...]
    """Services of slo/specs that are about it; the first is what the demo tells of."""
    needs: tuple[str, ...]
    """Servers of its own."""
    programs: tuple[Program, ...]
    """In the order in which they start."""
    load: Load | None
    history: str | Mapping[str, float] | None
    """The module that tells a simulated past, or the events a minute of each `service/slo`; None: there is none."""
    wait_for_cause: tuple[str, ...]
    """`service/slo` whose pages wait until what they depend on can have paged."""
    addresses: Mapping[str, str]
    """What people may open: a name and an address with words."""
    faults: tuple[Fault, ...]

    def server(self, need: str) -> str:
        """What the process of one of its servers is called."""
        return f"{self.name}.{need}"

    def fault(self, name: str) -> Fault | None:
        """The fault of this name."""
        return next((fault for fault in self.faults if fault.name == name), None)
