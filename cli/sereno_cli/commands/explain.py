"""`sereno explain`: where an SLO's numbers come from."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sereno_cli.exit_codes import ExitCode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sereno_slo.explain import Explanation
    from sereno_slo.model import Service, ServiceLevelObjective, Settings
    from sereno_slo.plan.series import Ledger

# A window of minute entries, or an hour of thousands of raw series, is one question.
_ANSWER_SECONDS = 60.0

_EPILOG = """\b
Examples:
  sereno explain checkout/calls --prometheus http://127.0.0.1:9090
      budget in events, who spent it and when, coverage, what comes back when
  sereno explain checkout/calls --group http_route=/pay --prometheus http://127.0.0.1:9090
      the same of one group of group_by
  sereno explain checkout/calls --at 2026-11-20T10:00:00Z --format json --prometheus http://127.0.0.1:9090
      what it was then, for a script
"""


class ExplainRefused(Exception):  # noqa: N818 - reads as what happened
    """The arguments can't be used; the message says why and what to write."""


@click.command(epilog=_EPILOG)
@click.argument("name", metavar="SERVICE/SLO")
@click.option("--prometheus", "url", required=True, metavar="URL", help="The server that evaluates the rules.")
@click.option("--spec", type=click.Path(path_type=Path), metavar="FILE", help="Its spec [all of slo/specs].")
@click.option("--settings", type=click.Path(path_type=Path), help="Defaults for all specs [the nearest sereno.yaml].")
@click.option("--group", metavar="LABEL=VALUE,…", help="One group of group_by, instead of the whole.")
@click.option("--at", default="now", show_default=True, metavar="TIME", help="RFC 3339, or so long ago: 2d.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def command(  # noqa: PLR0917 - click passes them by name
    name: str, url: str, spec: Path | None, settings: Path | None, group: str | None, at: str, form: str
) -> ExitCode:
    """Tell where an SLO's numbers come from: every figure is a sum of the same recorded roll-ups.

    The window's events and bad events, what 1 % of the budget is in events, which hours and which label values spent
    it, how much the ledger saw, how fast the budget burns, and what comes back when (docs/budget.md).

    Exit codes: 1 the server has recorded nothing of this SLO; 2 there is no such SLO; 3 the server didn't answer.
    """
    from sereno_backends.prometheus import PrometheusAddressInvalid, PrometheusError
    from sereno_slo.diagnostics import on_one_line
    from sereno_slo.explain import NotRecorded, SeveralLedgers

    from sereno_cli.specs import valid_specs

    valid = valid_specs(() if spec is None else (spec,), settings, warnings=False)
    if valid is None:
        return ExitCode.INVALID_INPUT
    try:
        service, slo = _chosen(valid.services, name)
        found = _explained(url, service, slo, ledger=_ledger(slo, group), settings=valid.settings, at=at)
    except (ExplainRefused, PrometheusAddressInvalid, SeveralLedgers) as error:
        click.echo(on_one_line(f"sereno explain: {error}"), err=True)
        return ExitCode.INVALID_INPUT
    except NotRecorded as error:
        click.echo(on_one_line(f"sereno explain: {error}"), err=True)
        return ExitCode.ANSWER_IS_NO
    except PrometheusError as error:
        click.echo(on_one_line(f"sereno explain: {error}"), err=True)
        return ExitCode.UNREACHABLE
    _print(found, form)
    return ExitCode.OK


def _chosen(services: "Sequence[Service]", name: str) -> "tuple[Service, ServiceLevelObjective]":
    from difflib import get_close_matches

    slos = {f"{slo.service}/{slo.name}": (service, slo) for service in services for slo in service.slos}
    journeys = {f"{each.service}/{each.name}": each for service in services for each in service.journeys}
    if name in journeys:
        steps = ", ".join(map(str, journeys[name].steps))
        raise ExplainRefused(f"{name} is a journey, which spends what its steps lose: explain {steps}")
    if name not in slos:
        nearest = get_close_matches(name, slos, n=1)
        cure = f"did you mean {nearest[0]}?" if nearest else f"there is {', '.join(slos)}"
        raise ExplainRefused(f"no SLO is called {name}; {cure}")
    return slos[name]


def _ledger(slo: "ServiceLevelObjective", group: str | None) -> "Ledger":
    """The ledger of the whole, or of the group that was named by all of its labels."""
    from dataclasses import replace

    from sereno_slo.plan.series import Ledger
    from sereno_slo.promql import Matcher, MatchOp

    if group is None:
        return Ledger.of(slo)
    if slo.group_by is None:
        raise ExplainRefused(f"{slo.service}/{slo.name} has no group_by, so there are no budgets of groups")
    labels = slo.group_by.labels
    values = dict(part.partition("=")[::2] for part in _parts(group, labels))
    if set(values) != set(labels):
        example = ",".join(f"{label}=…" for label in labels)
        raise ExplainRefused(f"--group {group} doesn't name each of the labels of group_by; write {example}")
    matchers = tuple(Matcher(label, MatchOp.EQUAL, values[label]) for label in labels)
    return replace(Ledger.of_groups(slo, slo.group_by), group=matchers)


def _parts(group: str, labels: "Sequence[str]") -> list[str]:
    """`a=x,b=y` in two; commas within a value stay, since only a label of the groups begins a new part."""
    parts: list[str] = []
    for part in group.split(","):
        if parts and part.partition("=")[0].strip() not in labels:
            parts[-1] += f",{part}"
        else:
            parts.append(part.strip())
    return parts


def _explained(
    url: str, service: "Service", slo: "ServiceLevelObjective", *, ledger: "Ledger", settings: "Settings", at: str
) -> "Explanation":
    from sereno_backends.prometheus import PrometheusClient
    from sereno_slo.explain import explain, thresholds_of
    from sereno_slo.history import Reader

    from sereno_cli.backfill_screen import progress
    from sereno_cli.moments import read_moment

    now = datetime.now(UTC)
    try:
        moment = read_moment(at, now)
    except ValueError as error:
        raise ExplainRefused(f"--at: {error}") from error
    if moment > now:
        raise ExplainRefused(f"--at {at} is not in the past")
    with PrometheusClient(url, timeout_seconds=_ANSWER_SECONDS) as client, progress(1) as (begin, asked):
        begin(f"{slo.service}/{slo.name}")
        thresholds = thresholds_of(service.gate, slo)
        return explain(Reader(client, asked), slo, settings, at=moment, ledger=ledger, thresholds=thresholds)


def _print(explanation: "Explanation", form: str) -> None:
    if form == "json":
        from sereno_cli.json_text import json_text

        click.echo(json_text(explanation), nl=False)
    else:
        from sereno_cli.explanation_screen import print_explanation

        print_explanation(explanation)
