"""`python -m sereno_containers`: what the containers of the image `systems` run.

Exit codes: 0 done, 3 what is needed isn't there or refuses.
"""

import sys
from collections.abc import Callable
from pathlib import Path

import click
from sereno_cli.demo.parts import Run
from sereno_cli.demo.places import DemoError, Places
from sereno_cli.demo.systems import System

from sereno_containers.accounts import make_accounts
from sereno_containers.pods import ROOT, STATE, find_system, pod
from sereno_containers.preparing import HERE, Preparation, prepare
from sereno_containers.programs import become, part_of, read_password, switch

SECRETS = Path("/secrets")
_FAILED = 3


@click.group()
def main() -> None:
    """What the containers of deploy/compose run beside Sereno's own commands."""


@main.command("prepare")
@click.option("--systems", default="", help="The reference systems that run, with commas between.")
@click.option("--told", default=HERE, help="here: pages reach the incident record; everybody: teams.yaml's, too.")
def prepare_all(systems: str, told: str) -> None:
    """Passwords, compiled specs, and configurations, before the parts start."""
    names = tuple(name.strip() for name in systems.split(",") if name.strip())
    prepare(Preparation(Places(ROOT, STATE), SECRETS, STATE / "configuration", names, told))
    click.echo("prepared: passwords, rules and configurations")


@main.command()
@click.option("--url", default="http://elasticsearch:9200")
def accounts(url: str) -> None:
    """Users of Elasticsearch, each with what it needs."""
    click.echo(f"users of Elasticsearch: {', '.join(make_accounts(url, SECRETS))}")


@main.command()
@click.argument("system")
@click.argument("name")
def program(system: str, name: str) -> None:
    """Become a program of a reference system, its load generator (`load`), or its AWS (`moto`)."""
    found = find_system(ROOT, system)
    become(part_of(_pod(found), found, name))


@main.command()
@click.argument("system")
@click.argument("name")
@click.argument("state", type=click.Choice(["on", "off"]))
def fault(system: str, name: str, state: str) -> None:
    """Switch a fault of a reference system on or off; to be called in one of its containers."""
    found = find_system(ROOT, system)
    click.echo(switch(_pod(found), found, name, on=state == "on"))


def _pod(system: System) -> Run:
    return pod(system, read_password(SECRETS / "postgresql") if "postgresql" in system.needs else "")


def told(command: Callable[[], object]) -> int:
    """Run it; a mistake is a message and an exit code."""
    try:
        command()
    except DemoError as error:
        sys.stderr.write(f"sereno: {error}\n")
        return _FAILED
    return 0


if __name__ == "__main__":
    sys.exit(told(main))
