"""`sereno backfill`: repair the ledger from raw samples."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sereno_cli.exit_codes import ExitCode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sereno_backends.prometheus import PrometheusClient
    from sereno_slo.duration import Duration
    from sereno_slo.history import AccountRepair, Span
    from sereno_slo.model import Service, ServiceLevelObjective, Settings

DEFAULT_OUT = Path("var/backfill")
HEAD = timedelta(hours=3)
# Prometheus gives a question two minutes by default; an answer may take as long.
_ANSWER_SECONDS = 130.0
_WHY_NOT_NEWER = (
    "what is newer is still in Prometheus' head, and a block that overlaps it would make Prometheus drop samples of "
    "all series when it restarts"
)

_EPILOG = """\b
Examples:
  sereno backfill --prometheus http://127.0.0.1:9090 --from 30d
      a new SLO: its whole past, as far as raw samples go
  sereno backfill --prometheus http://127.0.0.1:9090 --slo checkout/calls --from 2d --dry-run
      what is missing, and what could be repaired?
  sereno backfill … --from 2026-11-20T10:00:00Z --to 2026-11-20T14:00:00Z --into /var/lib/prometheus/metrics2
      put the blocks where Prometheus finds them
"""


class BackfillRefused(Exception):  # noqa: N818 - reads as what happened
    """The arguments can't be used; the message says why and what to write."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where the blocks go, and whether Prometheus reads them there."""

    folder: Path
    is_read: bool


@click.command(epilog=_EPILOG)
@click.argument("specs", nargs=-1, type=click.Path(path_type=Path), metavar="[SPEC…]")
@click.option("--prometheus", "url", required=True, metavar="URL", help="The Prometheus that evaluates the rules.")
@click.option("--slo", "only", metavar="SERVICE/SLO", help="Only this SLO [all of the specs].")
@click.option(
    "--from", "from_", required=True, metavar="TIME", help="RFC 3339 (2026-11-20T10:00:00Z), or 30d: so long ago."
)
@click.option("--to", metavar="TIME", help="As --from; at the latest, and by default, 3 hours ago.")
@click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), metavar="DIR", help="Blocks to be moved [var/backfill]."
)
@click.option(
    "--into",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Prometheus' own data folder, instead of --out.",
)
@click.option("--dry-run", is_flag=True, help="Say what is missing and what would be written; write nothing.")
@click.option(
    "--gap",
    default="1d",
    show_default=True,
    metavar="DURATION",
    help="Targets that were out of sight for longer are not caught up.",
)
@click.option("--settings", type=click.Path(path_type=Path), help="Defaults for all specs [the nearest sereno.yaml].")
def command(  # noqa: PLR0917 - click passes them by name
    specs: tuple[Path, ...],
    url: str,
    only: str | None,
    from_: str,
    to: str | None,
    out: Path | None,
    into: Path | None,
    dry_run: bool,
    gap: str,
    settings: Path | None,
) -> ExitCode:
    """Repair the ledger from raw samples: new SLOs, missed evaluations, long gaps.

    Minutes without an entry are recomputed with the very expressions of the rules, roll-ups follow, and both are
    written as blocks that Prometheus takes in while it runs. What exists is never changed; a second run finds nothing.
    docs/backfill.md tells what is repaired, and what can't be.
    """
    from sereno_backends.prometheus import (
        BlocksNotWritten,
        PrometheusAddressInvalid,
        PrometheusClient,
        PrometheusError,
    )
    from sereno_slo.history import ForeignLabels

    from sereno_cli.specs import valid_specs

    valid = valid_specs(specs, settings)
    if valid is None:
        return ExitCode.INVALID_INPUT
    try:
        slos = _chosen(valid.services, only)
        target = _target(out, into)
        promtool = None if dry_run else _promtool()
        with PrometheusClient(url, timeout_seconds=_ANSWER_SECONDS) as client:
            span = _span(client, from_, to, datetime.now(UTC))
            repairs = _repairs(client, slos, valid.settings, span, _longest_gap(gap))
            return _finish(repairs, span, target, promtool)
    except (BackfillRefused, PrometheusAddressInvalid, ForeignLabels) as error:
        click.echo(f"sereno backfill: {error}", err=True)
        return ExitCode.INVALID_INPUT
    except (PrometheusError, PromtoolMissing, BlocksNotWritten) as error:
        click.echo(f"sereno backfill: {error}; nothing was written", err=True)
        return ExitCode.UNREACHABLE


class PromtoolMissing(Exception):  # noqa: N818 - reads as what happened
    """promtool is not on PATH."""


def _promtool() -> str:
    from sereno_backends.prometheus import find_promtool

    promtool = find_promtool()
    if promtool is None:
        raise PromtoolMissing("promtool is not on PATH; it comes with Prometheus (--dry-run works without it)")
    return promtool


def _chosen(services: "Sequence[Service]", only: str | None) -> "list[ServiceLevelObjective]":
    from difflib import get_close_matches

    journeys = [f"{journey.service}/{journey.name}" for service in services for journey in service.journeys]
    why = "made of what rules of their steps recorded; raw samples don't tell it"
    if only in journeys:
        raise BackfillRefused(f"{only} is a journey, and journeys can't be repaired: they are {why}")
    if journeys and only is None:
        click.echo(f"sereno backfill: left out: {', '.join(journeys)}: journeys are {why}", err=True)
    slos = [slo for service in services for slo in service.slos]
    names = [f"{slo.service}/{slo.name}" for slo in slos]
    if only is not None and only not in names:
        nearest = get_close_matches(only, names, n=1)
        cure = f"did you mean {nearest[0]}?" if nearest else f"there is {', '.join(names)}"
        raise BackfillRefused(f"no SLO is called {only}; {cure}")
    return [slo for slo, name in zip(slos, names, strict=True) if only in (None, name)]


def _target(out: Path | None, into: Path | None) -> Target:
    from sereno_backends.prometheus import blocks_in

    if out is not None and into is not None:
        raise BackfillRefused("--out and --into say both where blocks go; leave one out")
    if into is not None:
        if not (into / "wal").is_dir():
            raise BackfillRefused(
                f"{into} is no data folder of Prometheus (it has no wal in it); see its --storage.tsdb.path"
            )
        return Target(into, is_read=True)
    folder = out or DEFAULT_OUT
    if blocks_in(folder):
        raise BackfillRefused(
            f"{folder} holds blocks that were never moved; move them into Prometheus' data folder or remove them"
        )
    return Target(folder, is_read=False)


def _longest_gap(text: str) -> "Duration":
    from sereno_slo.duration import Duration

    try:
        return Duration.parse(text)
    except ValueError as error:
        raise BackfillRefused(f"--gap: {error}; write it like 1d or 6h") from error


def _span(client: "PrometheusClient", from_: str, to: str | None, now: datetime) -> "Span":
    from sereno_slo.history import Span

    from sereno_cli.moments import read_moment

    latest = min(now - HEAD, _head_start(client) or now)
    try:
        start, end = read_moment(from_, now), latest if to is None else read_moment(to, now)
    except ValueError as error:
        raise BackfillRefused(str(error)) from error
    if end > latest:
        raise BackfillRefused(f"--to {to} is too new; at the latest {_written(latest)}: {_WHY_NOT_NEWER}")
    if start >= end:
        raise BackfillRefused(f"--from {from_} is not before --to {to or _written(end)}")
    return Span(_milliseconds(start), _milliseconds(end), _milliseconds(now))


def _head_start(client: "PrometheusClient") -> datetime | None:
    """Usually less than three hours ago, but older after an outage."""
    from sereno_backends.prometheus import PrometheusRefused

    try:
        return client.head_start()
    except PrometheusRefused:  # not Prometheus itself, but what speaks its query API
        return None


def _milliseconds(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)


def _written(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _repairs(
    client: "PrometheusClient",
    slos: "Sequence[ServiceLevelObjective]",
    settings: "Settings",
    span: "Span",
    longest_gap: "Duration",
) -> "list[AccountRepair]":
    from sereno_slo.history import Reader, repair_ledger

    from sereno_cli.backfill_screen import progress

    repairs: list[AccountRepair] = []
    with progress(len(slos)) as (begin, asked):
        for slo in slos:
            begin(f"{slo.service}/{slo.name}")
            repairs += repair_ledger(slo, settings, Reader(client, asked), span, longest_gap)
    return repairs


def _finish(repairs: "Sequence[AccountRepair]", span: "Span", target: Target, promtool: str | None) -> ExitCode:
    """Write what there is to write, print the table, and say what to do next."""
    from sereno_backends.prometheus import StoredSeries, write_blocks

    from sereno_cli.backfill_screen import next_steps, print_table, unknown_minutes

    series = [StoredSeries(s.metric, s.labels, s.points) for repair in repairs for s in repair.series]
    if not series:
        print_table(repairs)
        click.echo("nothing to repair" + unknown_minutes(repairs))
        return ExitCode.OK
    samples = sum(len(one.points) for one in series)
    if promtool is None:
        print_table(repairs)
        click.echo(f"{samples} samples would be written; nothing was")
        return ExitCode.OK
    blocks = write_blocks(series, target.folder, promtool)
    print_table(repairs)
    click.echo(f"{samples} samples in {len(blocks)} block{'s' * (len(blocks) != 1)} in {target.folder}")
    click.echo(next_steps(target.folder, span, is_read=target.is_read))
    return ExitCode.OK
