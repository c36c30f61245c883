"""The reference systems as data: what each `systems/<id>/system.yaml` says is run of it."""

from sereno_cli.demo.systems.model import Done, Expectation, Fault, Load, Program, Scrape, Switch, System, Told
from sereno_cli.demo.systems.reading import FULL, full_ids, read_system, system_ids

__all__ = [
    "FULL",
    "Done",
    "Expectation",
    "Fault",
    "Load",
    "Program",
    "Scrape",
    "Switch",
    "System",
    "Told",
    "full_ids",
    "read_system",
    "system_ids",
]
