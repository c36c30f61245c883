"""`sereno budget`: how all budgets stand, and whether a deployment may go on."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sereno_cli.exit_codes import ExitCode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sereno_backends.gate_overrides import Denial, GateOverride
    from sereno_slo.explain import Standing, Verdict
    from sereno_slo.model import Service

_ANSWER_SECONDS = 30.0
UNREACHABLE = "unreachable"
"""What an override has as its condition where nobody could be asked."""

_EPILOG = """\b
Examples:
  sereno budget --prometheus http://127.0.0.1:9090
      every SLO of slo/specs, the most urgent first
  sereno budget --gate --service checkout --prometheus http://127.0.0.1:9090
      may checkout be deployed? exit code 1 and the reasons where its gate says no
  sereno budget --gate --service checkout --override --author ana --reason "fixes the outage" --prometheus …
      this once, nevertheless; recorded in slo/overrides.jsonl
"""


class BudgetRefused(Exception):  # noqa: N818 - reads as what happened
    """The arguments can't be used; the message says why and what to write."""


@dataclass(frozen=True, slots=True)
class Request:
    """What was asked for, beside the specs."""

    is_gate: bool
    now: datetime
    overrides: Path
    author: str | None
    """Who overrides the gate; None where nobody does."""
    reason: str
    valid_for: timedelta
    """How long the override covers later runs, too."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What `--gate` says. It is open where nothing is denied, or all of it is overridden."""

    is_open: bool
    verdicts: "tuple[Verdict, ...]"
    overridden: "tuple[tuple[Verdict, GateOverride], ...]"
    """Denials that somebody lets pass, now or by an earlier record that still holds."""
    ungated: tuple[str, ...]
    """SLOs that no rule concerns."""
    recorded_in: str | None
    """The file to which this run has added a line."""


@click.command(epilog=_EPILOG)
@click.argument("specs", nargs=-1, type=click.Path(path_type=Path), metavar="[SPEC…]")
@click.option("--prometheus", "url", required=True, metavar="URL", help="The server that evaluates the rules.")
@click.option("--settings", type=click.Path(path_type=Path), help="Defaults for all specs [the nearest sereno.yaml].")
@click.option("--service", metavar="NAME", help="Only this service [all of the specs].")
@click.option("--gate", is_flag=True, help="Exit with 1, and reasons, where a gate of the specs says no.")
@click.option("--override", is_flag=True, help="Let it pass nevertheless; recorded with author and reason.")
@click.option("--author", metavar="NAME", help="Who overrides.")
@click.option("--reason", metavar="TEXT", help="Why.")
@click.option(
    "--for", "for_", metavar="DURATION", help="Later runs may pass for so long, too, at most 1d [this run only]."
)
@click.option("--overrides", type=click.Path(path_type=Path), help="Where overrides are kept [slo/overrides.jsonl].")
@click.option("--at", default="now", show_default=True, metavar="TIME", help="RFC 3339, or so long ago: 2d.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def command(  # noqa: PLR0917 - click passes them by name
    specs: tuple[Path, ...],
    url: str,
    settings: Path | None,
    service: str | None,
    gate: bool,
    override: bool,
    author: str | None,
    reason: str | None,
    for_: str | None,
    overrides: Path | None,
    at: str,
    form: str,
) -> ExitCode:
    """Tell how all budgets stand: who burns, what is left, when it is gone.

    With --gate the rules of the specs' `gate` decide whether a deployment may go on (docs/budget.md). What nobody
    knows is no yes: an SLO without data denies unless a rule says otherwise, and a server that doesn't answer is exit
    code 3.
    """
    from sereno_backends.gate_overrides import OVERRIDES_FILE

    from sereno_cli.specs import valid_specs

    valid = valid_specs(specs, settings, warnings=False)
    if valid is None:
        return ExitCode.INVALID_INPUT
    try:
        chosen = _chosen(valid.services, service)
        file = overrides or valid.loaded.root / OVERRIDES_FILE
        request = _request(gate, override, author, reason, for_=for_, file=file, at=at)
    except BudgetRefused as error:
        click.echo(f"sereno budget: {error}", err=True)
        return ExitCode.INVALID_INPUT
    return _answer(url, chosen, request, form)


def _chosen(services: "Sequence[Service]", name: str | None) -> "list[Service]":
    from difflib import get_close_matches

    names = [service.name for service in services]
    if name is not None and name not in names:
        nearest = get_close_matches(name, names, n=1)
        cure = f"did you mean {nearest[0]}?" if nearest else f"there is {', '.join(names)}"
        raise BudgetRefused(f"no service is called {name}; {cure}")
    return [service for service in services if name in (None, service.name)]


def _request(
    gate: bool, override: bool, author: str | None, reason: str | None, *, for_: str | None, file: Path, at: str
) -> Request:
    moment = _moment(at)
    given = {"--author": author, "--reason": reason, "--for": for_}
    if not override:
        lost = [option for option, value in given.items() if value is not None]
        if lost:
            raise BudgetRefused(f"{lost[0]} belongs to --override")
        return Request(gate, moment, file, None, "", timedelta())
    if not gate:
        raise BudgetRefused("--override belongs to --gate: without it nothing is denied")
    missing = [option for option in ("--author", "--reason") if not (given[option] or "").strip()]
    if missing:
        raise BudgetRefused(f"--override needs {' and '.join(missing)}: who lets it pass, and why, is recorded")
    if at != "now":
        raise BudgetRefused("--override is for the deployment at hand; leave --at out")
    return Request(gate, moment, file, (author or "").strip(), (reason or "").strip(), _valid_for(for_))


def _moment(text: str) -> datetime:
    from sereno_cli.moments import read_moment

    now = datetime.now(UTC)
    try:
        moment = read_moment(text, now)
    except ValueError as error:
        raise BudgetRefused(f"--at: {error}") from error
    if moment > now:
        raise BudgetRefused(f"--at {text} is not in the past")
    return moment


def _valid_for(text: str | None) -> timedelta:
    from sereno_backends.gate_overrides import LONGEST_OVERRIDE
    from sereno_slo.duration import Duration

    if text is None:
        return timedelta()
    try:
        length = timedelta(milliseconds=Duration.parse(text).milliseconds)
    except (ValueError, OverflowError) as error:
        raise BudgetRefused(f"--for: {error}; write it like 2h") from error
    if length > LONGEST_OVERRIDE:
        raise BudgetRefused(
            f"--for {text} is longer than a day; what is allowed for longer belongs into the spec's gate"
        )
    return length


def _answer(url: str, services: "Sequence[Service]", request: Request, form: str) -> ExitCode:
    from sereno_backends.gate_overrides import OverridesUnreadable
    from sereno_backends.prometheus import PrometheusAddressInvalid, PrometheusError
    from sereno_slo.diagnostics import on_one_line
    from sereno_slo.explain import SeveralLedgers

    from sereno_cli.budget_screen import print_answer

    try:
        found = _standings(url, services, request.now)
        answer = _decided(services, found, request) if request.is_gate else None
    except PrometheusAddressInvalid as error:
        click.echo(on_one_line(f"sereno budget: {error}"), err=True)
        return ExitCode.INVALID_INPUT
    except (SeveralLedgers, OverridesUnreadable) as error:
        click.echo(on_one_line(f"sereno budget: {error}"), err=True)
        return ExitCode.INVALID_INPUT
    except PrometheusError as error:
        click.echo(on_one_line(f"sereno budget: {error}"), err=True)
        return _unasked(services, request, str(error))
    print_answer(found, answer, request.now, form)
    return ExitCode.OK if answer is None or answer.is_open else ExitCode.ANSWER_IS_NO


def _standings(url: str, services: "Sequence[Service]", now: datetime) -> "tuple[Standing, ...]":
    from sereno_backends.prometheus import PrometheusClient
    from sereno_slo.explain import standings
    from sereno_slo.history import Reader

    from sereno_cli.backfill_screen import progress

    with PrometheusClient(url, timeout_seconds=_ANSWER_SECONDS) as client, progress(1) as (begin, asked):
        begin("budgets")
        return standings(Reader(client, asked), [each for service in services for each in service.objectives], now)


def _decided(services: "Sequence[Service]", found: "Sequence[Standing]", request: Request) -> Answer:
    """Held against the gates; a record is written before anything passes."""
    from sereno_backends.gate_overrides import read_overrides
    from sereno_slo.explain import applying, verdicts
    from sereno_slo.gate import GateAnswer

    every = verdicts(services, found)
    records = read_overrides(request.overrides)
    overridden, denied = [], []
    for verdict in every:
        if verdict.answer is not GateAnswer.DENY:
            continue
        record = next((each for each in reversed(records) if each.covers(_denial(verdict), request.now)), None)
        if record is None:
            denied.append(verdict)
        else:
            overridden.append((verdict, record))
    is_recorded = bool(denied) and request.author is not None
    if is_recorded:
        record = _recorded(request, tuple(map(_denial, denied)))
        overridden += [(verdict, record) for verdict in denied]
        denied = []
    gates = {service.name: service.gate for service in services}
    ungated = (each.slo for each in found if not applying(gates[each.slo.service], each.slo))
    return Answer(
        not denied,
        every,
        tuple(overridden),
        tuple(f"{slo.service}/{slo.name}" for slo in ungated),
        str(request.overrides) if is_recorded else None,
    )


def _denial(verdict: "Verdict") -> "Denial":
    from sereno_backends.gate_overrides import Denial

    return Denial(verdict.service, verdict.slo, verdict.when, verdict.reason)


def _recorded(request: Request, denied: "tuple[Denial, ...]") -> "GateOverride":
    from sereno_backends.gate_overrides import GateOverride, record_override

    record = GateOverride(request.now, request.now + request.valid_for, request.author or "", request.reason, denied)
    record_override(request.overrides, record)
    return record


def _unasked(services: "Sequence[Service]", request: Request, said: str) -> ExitCode:
    """Nothing is known. What mends the server itself has to be deployable, by somebody who answers for it."""
    from sereno_backends.gate_overrides import Denial, OverridesUnreadable

    if request.author is None:
        return ExitCode.UNREACHABLE
    slos = [each for service in services for each in service.objectives]
    denied = tuple(Denial(slo.service, slo.name, UNREACHABLE, said) for slo in slos)
    try:
        _recorded(request, denied)
    except OverridesUnreadable as error:
        click.echo(f"sereno budget: {error}", err=True)
        return ExitCode.INVALID_INPUT
    click.echo(f"gate: open although nothing is known, by {request.author}: {request.reason}", err=True)
    click.echo(f"recorded in {request.overrides}", err=True)
    return ExitCode.OK
