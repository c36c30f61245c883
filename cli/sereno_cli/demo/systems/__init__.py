"""The reference systems as data: what each `systems/<id>/system.yaml` says is run of it."""

from sereno_cli.demo.systems.model import Expectation, Fault, Load, Program, Scrape, Switch, System
from sereno_cli.demo.systems.reading import read_system, system_ids

__all__ = ["Expectation", "Fault", "Load", "Program", "Scrape", "Switch", "System", "read_system", "system_ids"]
