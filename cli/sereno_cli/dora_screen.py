"""What `sereno dora` shows: figures with their counts, deployments with verdicts, and the rules' reasons."""

import difflib
import sys
from collections.abc import Collection, Iterator, Sequence
from datetime import datetime, timedelta
from statistics import median

import click
from rich.console import Console
from rich.table import Table
from sereno_exporters.dora.deployments import DeploymentRun
from sereno_exporters.dora.figures import Figures
from sereno_exporters.dora.rules import Evidence
from sereno_exporters.dora.verdicts import JudgedDeployment, Verdict
from sereno_exporters.dora.words import length as in_words
from sereno_exporters.dora.words import moment

from sereno_cli.dora_request import DoraRefused, Judgement
from sereno_cli.figures_in_words import minute, share
from sereno_cli.plain_text import plain

_PIPE_WIDTH = 160
_SHORTEST_SHA = 7
_ANSWERS = {True: "yes", False: "no", None: "open"}


def refuse_unknown(asked: Sequence[str], known: Collection[str]) -> None:
    """A service of which there is no deployment is a mistake of the one who asks.

    Raises:
        DoraRefused: one isn't known.
    """
    for name in asked:
        if name not in known:
            raise DoraRefused(f"no deployment of {name} to production is known{_nearest(name, known)}")


def print_figures(rows: Sequence[Figures], found: Judgement, window: timedelta, form: str) -> None:
    """The table; a dash is what nobody knows."""
    if form == "json":
        _print_json(
            {"at": found.now, "events_from": found.history.oldest, "figures": [_figures_json(row) for row in rows]}
        )
        return
    if not rows:
        click.echo("no deployment to production is in the store; `production:` in devops.yaml names the environments")
        return
    table = _table("service", "environment")
    for heading in ("deployments", "a day", "lead time", "commits", "change failures", "restored in", "rework"):
        table.add_column(heading, justify="right", no_wrap=True)
    for row in rows:
        table.add_row(plain(row.service), plain(row.environment), *_cells(row, window))
    _print_table(table)
    oldest = found.history.oldest
    if oldest is not None and oldest > found.now - window:
        click.echo(f"events begin at {minute(oldest)} UTC: the window of {rows[0].window} is not full")


def _cells(row: Figures, window: timedelta) -> Iterator[str]:
    failed, well = row.verdicts[Verdict.FAILED], row.verdicts[Verdict.WELL]
    is_open = row.verdicts[Verdict.OPEN]
    yield str(row.deployments) + (f" (+{row.unsuccessful} not out)" if row.unsuccessful else "")
    yield f"{row.deployments / (window / timedelta(days=1)):.2g}"
    yield _median(row.lead_seconds)
    yield str(len(row.lead_seconds)) + (f" (+{row.unmeasured_commits})" if row.unmeasured_commits else "")
    yield f"{failed} of {failed + well}: {share(row.change_failure_ratio)}" + (f" (+{is_open} open)" if is_open else "")
    yield _median(row.restore_seconds) + (f" ({row.unrestored} not yet)" if row.unrestored else "")
    yield f"{row.rework}: {share(row.rework_ratio)}"


def _figures_json(row: Figures) -> dict[str, object]:
    return {
        "service": row.service,
        "environment": row.environment,
        "window": row.window,
        "deployments": row.deployments,
        "verdicts": {verdict.value: count for verdict, count in row.verdicts.items()},
        "unsuccessful": row.unsuccessful,
        "lead_time_median_seconds": median(row.lead_seconds) if row.lead_seconds else None,
        "lead_time_commits": len(row.lead_seconds),
        "unmeasured_commits": row.unmeasured_commits,
        "change_failure_ratio": row.change_failure_ratio,
        "time_to_restore_median_seconds": median(row.restore_seconds) if row.restore_seconds else None,
        "restored": len(row.restore_seconds),
        "unrestored": row.unrestored,
        "rework": row.rework,
        "rework_ratio": row.rework_ratio,
    }


def print_deployments(deployments: Sequence[JudgedDeployment], form: str) -> None:
    """A line for each, the newest first."""
    newest_first = sorted(deployments, key=lambda each: (each.deployed_at, each.run.key), reverse=True)
    if form == "json":
        _print_json([_deployment_json(each) for each in newest_first])
        return
    if not newest_first:
        click.echo("no such deployment; an earlier --since looks further back")
        return
    table = _table("deployed (UTC)", "service", "environment", "deployment", "what", "by", "verdict", "rule", "rework")
    for each in newest_first:
        run = each.run
        cells = (run.key.service, run.key.environment, run.key.deployment_id, run.shown, run.actor)
        table.add_row(
            minute(each.deployed_at),
            *map(plain, cells),
            each.verdict.value,
            each.rule or "",
            "rework" if each.rework else "",
            style="bold" if each.verdict is Verdict.FAILED else None,
        )
    _print_table(table)


def named_runs(found: Judgement, name: str) -> tuple[DeploymentRun, ...]:
    """The deployments that a user means: by id, else by commit, else by version.

    Raises:
        DoraRefused: there is none; the message has the nearest ids.
    """
    runs = found.history.runs
    by_id = tuple(run for run in runs if run.key.deployment_id == name)
    by_sha = tuple(run for run in runs if len(name) >= _SHORTEST_SHA and (run.sha or "").startswith(name.lower()))
    by_version = tuple(run for run in runs if run.version == name)
    if not (by_id or by_sha or by_version):
        raise DoraRefused(f"no deployment is called {name}{_nearest(name, {run.key.deployment_id for run in runs})}")
    return by_id or by_sha or by_version


def print_why(runs: Sequence[DeploymentRun], found: Judgement, form: str) -> None:
    """Each deployment's verdict, and what every rule says of it."""
    judgements = {each.run.key: each for each in found.deployments}
    if form == "json":
        _print_json([_why_json(run, judgements.get(run.key)) for run in runs])
        return
    for number, run in enumerate(runs):
        if number:
            click.echo()
        judgement = judgements.get(run.key)
        for line in _unjudged(run) if judgement is None else _reasons(judgement):
            click.echo(plain(line))


def _reasons(of: JudgedDeployment) -> Iterator[str]:
    yield _heading(of.run, of.deployed_at)
    yield f"verdict: {of.verdict}{f', by the rule {of.rule}' if of.rule else ''}"
    for check in of.checks:
        yield f"  {_ANSWERS[check.holds]:<4} {check.rule:<18} {check.text}"
        yield from map(_evidence, check.evidence)
    if of.broke_at is not None:
        over = "nothing says that it is over"
        if of.restored_at is not None and of.restore_seconds is not None:
            over = f"restored at {moment(of.restored_at)}, after {in_words(timedelta(seconds=of.restore_seconds))}"
        yield f"users were hit from {moment(of.broke_at)}; {over}"
    if of.rework is not None:
        yield f"rework: {of.rework.text}"
        yield from map(_evidence, of.rework.evidence)
    delivery = of.delivery
    if delivery.is_measured:
        unknown = f", and {delivery.unknown} that no push told" if delivery.unknown else ""
        waited = f", which had waited {_median(delivery.lead_seconds)} (median)" if delivery.lead_seconds else ""
        yield f"brought {_commits(len(delivery.lead_seconds))}{waited}{unknown}"
    else:
        yield "commits: not measured, since nothing tells what was there before"
    yield f"told by events {', '.join(of.run.event_ids)}"


def _unjudged(run: DeploymentRun) -> Iterator[str]:
    at = run.deployed_at or run.failed_at
    yield _heading(run, at)
    if not run.is_production:
        yield f"verdict: none, {run.key.environment} doesn't count as production (`production:` in devops.yaml)"
    elif run.failed_at is not None:
        yield "verdict: none, it failed to go out: users saw nothing of it. It is counted apart, as unsuccessful"
    else:
        yield f"verdict: none, it never succeeded: {run.status}"
    yield f"told by events {', '.join(run.event_ids)}"


def _heading(run: DeploymentRun, at: datetime | None) -> str:
    what = f" ({run.shown})" if run.shown != run.key.deployment_id else ""
    when = f", {moment(at)}" if at is not None else ""
    by = f", by {run.actor}" if run.actor else ""
    key = run.key
    return f"{key.deployment_id}{what} of {key.service} to {key.environment}{when}{by}; {key.source}, {key.repository}"


def _evidence(evidence: Evidence) -> str:
    return f"         {moment(evidence.at)}  {evidence.text}  [event {evidence.event_id}]"


def _deployment_json(of: JudgedDeployment) -> dict[str, object]:
    return {
        "deployment": of.run.key,
        "deployed_at": of.deployed_at,
        "sha": of.run.sha,
        "version": of.run.version,
        "actor": of.run.actor,
        "verdict": of.verdict,
        "rule": of.rule,
        "is_rework": of.rework is not None,
    }


def _why_json(run: DeploymentRun, of: JudgedDeployment | None) -> dict[str, object]:
    if of is None:
        told = {"deployment": run.key, "is_production": run.is_production, "status": run.status, "verdict": None}
        return {**told, "event_ids": run.event_ids}
    reasons = {"checks": of.checks, "rework": of.rework, "broke_at": of.broke_at, "restored_at": of.restored_at}
    return {**_deployment_json(of), **reasons, "event_ids": run.event_ids}


def _median(seconds: Sequence[float]) -> str:
    return in_words(timedelta(seconds=median(seconds))) if seconds else "-"


def _commits(number: int) -> str:
    return f"{number} commit" if number == 1 else f"{number} commits"


def _nearest(name: str, known: Collection[str]) -> str:
    near = difflib.get_close_matches(name, sorted(known), n=3, cutoff=0.5)
    if near:
        return f"; did you mean {' or '.join(map(plain, near))}?"
    return f"; there are: {', '.join(map(plain, sorted(known)[-5:]))}" if known else "; the store has none"


def _table(*headings: str) -> Table:
    table = Table(box=None, pad_edge=False)
    for heading in headings:
        table.add_column(heading, overflow="fold")
    return table


def _print_table(table: Table) -> None:
    # In a file or a pipe nothing is cut at 80 columns.
    Console(width=None if sys.stdout.isatty() else _PIPE_WIDTH, highlight=False, markup=False).print(table)


def _print_json(value: object) -> None:
    from sereno_cli.json_text import json_text

    click.echo(json_text(value), nl=False)
