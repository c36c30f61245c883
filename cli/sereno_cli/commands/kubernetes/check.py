"""`sereno kubernetes check`: does a Prometheus scrape Sereno's parts, and has it loaded the rules?"""

import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from sereno_cli.exit_codes import ExitCode

if TYPE_CHECKING:
    from sereno_backends.prometheus import PrometheusClient, RuleGroup

_PAUSE_SECONDS = 2.0

_EPILOG = """\b
Examples:
  sereno kubernetes check --prometheus http://prometheus:9090 --job sereno-incidents --service checkout
  sereno kubernetes check --job sereno-portal --wait 180
      try for three minutes: a Prometheus takes up new targets and rules after some seconds
"""


@click.command(epilog=_EPILOG)
@click.option(
    "--prometheus",
    default="http://127.0.0.1:9090",
    show_default=True,
    metavar="URL",
    envvar="SERENO_PROMETHEUS_URL",
    show_envvar=True,
    help="The server to ask.",
)
@click.option("--job", "jobs", multiple=True, metavar="NAME", help="All of its targets have to be up; can be repeated.")
@click.option("--service", "services", multiple=True, metavar="NAME", help="Its rules have to be loaded, and evaluate.")
@click.option("--wait", default=0, show_default=True, type=click.IntRange(0, 3600), help="Seconds to try.")
def command(prometheus: str, jobs: tuple[str, ...], services: tuple[str, ...], wait: int) -> ExitCode:
    """Ask a Prometheus whether targets of these jobs are scraped, and whether the rules of these services evaluate.

    The chart's `helm test` runs it. Everything that is missing is told, with what to look at.

    Exit codes: 1 when something is missing, 2 an argument is wrong, 3 when the server can't be asked.
    """
    from sereno_backends.prometheus import PrometheusAddressInvalid, PrometheusClient, PrometheusError

    if not jobs and not services:
        click.echo("sereno kubernetes check: name what to look for: --job, --service", err=True)
        return ExitCode.INVALID_INPUT
    try:
        with PrometheusClient(prometheus) as client:
            missing = _looked(lambda: _missing(client, jobs, services), wait)
    except PrometheusAddressInvalid as error:
        click.echo(f"--prometheus: {error}", err=True)
        return ExitCode.INVALID_INPUT
    except PrometheusError as error:
        click.echo(f"sereno kubernetes check: {error}", err=True)
        return ExitCode.UNREACHABLE
    for text in missing:
        click.echo(text, err=True)
    if missing:
        return ExitCode.ANSWER_IS_NO
    click.echo(f"{len(jobs)} jobs are scraped, the rules of {len(services)} services evaluate")
    return ExitCode.OK


def _looked(look: Callable[[], list[str]], wait: int) -> list[str]:
    """The last answer: the first without anything missing, or that of the deadline. Errors are waited out, too."""
    from sereno_backends.prometheus import PrometheusUnreachable

    deadline = time.monotonic() + wait
    while True:
        is_last = time.monotonic() >= deadline
        try:
            missing = look()
            if not missing or is_last:
                return missing
        except PrometheusUnreachable:
            if is_last:
                raise
        time.sleep(min(_PAUSE_SECONDS, max(0.0, deadline - time.monotonic())))


def _missing(client: "PrometheusClient", jobs: Sequence[str], services: Sequence[str]) -> list[str]:
    samples = client.instant("up", datetime.now(UTC))
    found = []
    for job in jobs:
        values = {one.labels.get("instance", "?"): one.value for one in samples if one.labels.get("job") == job}
        down = sorted(instance for instance, value in values.items() if value != 1)
        if not values:
            found.append(
                f"no target of job {job}: do labels and namespace suit the podMonitorSelector of {client.name}?"
            )
        elif down:
            found.append(f"job {job}: can't be scraped: {', '.join(down)} (a NetworkPolicy, or a password?)")
    groups = client.rules() if services else ()
    return [*found, *(text for service in services for text in _missing_rules(client.name, groups, service))]


def _missing_rules(server: str, groups: "Sequence[RuleGroup]", service: str) -> list[str]:
    ours = [group for group in groups if group.name.startswith(f"sereno:{service}:")]
    if not ours:
        return [f"no rules of service {service}: do labels and namespace suit the ruleSelector of {server}?"]
    broken = [rule for group in ours for rule in group.rules if rule.health == "err"]
    return [f"service {service}: {rule.name} doesn't evaluate: {rule.last_error}" for rule in broken]
