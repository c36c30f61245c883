"""What `sereno logs lifecycle` shows."""

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any, assert_never

import click
from sereno_backends.logs.elasticsearch_units import size_text as size

from sereno_cli import plain_text
from sereno_cli.figures_in_words import length, minute

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sereno_backends.logs.lifecycle import LifecyclePlan, LifecycleRun, Overdue, Retentions, SqliteRun
    from sereno_backends.logs.lifecycle.model import Action


def print_plan(name: str, retentions: "Retentions", plan: "LifecyclePlan") -> None:
    """Who does it, every stream with its retention, and what would be done."""
    click.echo(f"{name}: {_who(plan)}")
    widest = max([len(each.name) for each in plan.streams] + [len("stream")])
    click.echo(f"{'stream':<{widest}}  {'kept':>8} {'next index':>11} {'indices':>8} {'size':>10}  oldest index")
    for each in plan.streams:
        retention = retentions.of(each.dataset)
        click.echo(
            f"{each.name:<{widest}}  {kept(retention.keep):>8} {kept(retention.age_to_roll_over):>11} "
            f"{len(each.indices):>8} {size(each.size_bytes):>10}  {minute(each.indices[0].created_at)}"
        )
    known = {each.dataset for each in plan.streams}
    for dataset in retentions.by_dataset:
        if dataset not in known:
            click.echo(f"no stream of Sereno's yet: {dataset}, kept {kept(retentions.of(dataset).keep)} when it comes")
    for left in plan.left_alone:
        click.echo(f"left alone: {left.stream}: {left.reason}")
    for action in plan.actions:
        click.echo(f"to do: {in_words(action)}")


def print_run(plan: "LifecyclePlan", run: "LifecycleRun | None") -> None:
    """What became of it."""
    if run is None:
        click.echo("nothing was changed; --apply does it" if plan.actions else "nothing has to be done now")
        return
    for failure in run.failures:
        click.echo(f"refused: {in_words(failure.action)}: {failure.message}", err=True)
    freed = sum(each.size_bytes for each in run.deleted)
    click.echo(f"done: {len(run.done)}, of these {len(run.deleted)} indices deleted ({size(freed)})")


def print_sqlite(name: str, retentions: "Retentions", plan: "Sequence[Overdue]", run: "SqliteRun | None") -> None:
    """What is over in each dataset, and what became of it."""
    every = ", ".join(f"{dataset} {kept(each.keep)}" for dataset, each in retentions.by_dataset.items())
    click.echo(f"{name}: kept {kept(retentions.default.keep)}{f'; {every}' if every else ''}")
    for each in plan:
        click.echo(
            f"to do: delete {each.documents:,} documents of {plain_text.plain(each.dataset)}, from before "
            f"{minute(each.kept_since)}; the oldest is of {minute(each.oldest)}"
        )
    if run is not None:
        click.echo(f"done: {run.documents:,} documents deleted, the file is {size(run.freed_bytes)} smaller")
    else:
        click.echo("nothing was changed; --apply does it" if plan else "nothing has to be done now")


def elasticsearch_json(name: str, retentions: "Retentions", plan: "LifecyclePlan", run: "LifecycleRun | None") -> str:
    """The same for scripts."""
    from sereno_cli.json_text import json_text

    streams = [
        {"name": each.name, "keep_seconds": retentions.of(each.dataset).keep.total_seconds()} for each in plan.streams
    ]
    content: dict[str, Any] = {
        "store": name,
        "manager": plan.manager,
        "streams": streams,
        "actions": [_as_json(each) for each in plan.actions],
        "left_alone": plan.left_alone,
        "applied": run is not None,
    }
    if run is not None:
        content["done"] = [_as_json(each) for each in run.done]
        content["failures"] = [{**_as_json(each.action), "message": each.message} for each in run.failures]
    return json_text(content)


def sqlite_json(name: str, plan: "Sequence[Overdue]", run: "SqliteRun | None") -> str:
    """The same for scripts."""
    from sereno_cli.json_text import json_text

    content: dict[str, Any] = {"store": name, "overdue": list(plan), "applied": run is not None}
    return json_text({**content, "deleted": run} if run is not None else content)


def in_words(action: "Action") -> str:
    """What is done, in one line."""
    from sereno_backends.logs.lifecycle.model import Deletion, PolicyAttachment, RollOver, StreamRetention

    match action:
        case Deletion():
            of = f"{action.documents:,} documents, {size(action.size_bytes)}"
            return f"delete {action.index} ({of}), due since {minute(action.due_at)}"
        case RollOver():
            why = ", ".join(each for each in action.conditions if not each.startswith("min_docs"))
            return f"begin the next index of {action.stream}{f' ({why})' if why else ''}"
        case PolicyAttachment():
            return f"let {action.stream} follow the policy {action.policy}, kept {kept(action.retention.keep)}"
        case StreamRetention():
            return f"set the retention of {action.stream} to {kept(action.retention.keep)}"
        case _:
            assert_never(action)


def kept(time: timedelta) -> str:
    """`30d`."""
    return length(time.total_seconds())


def _who(plan: "LifecyclePlan") -> str:
    from sereno_backends.logs.lifecycle import Manager

    match plan.manager:
        case Manager.INDEX_LIFECYCLE:
            return "its index lifecycle management deletes"
        case Manager.STREAM_LIFECYCLE:
            return "its data-stream lifecycle deletes, and begins new indices by its own measure"
        case Manager.SERENO:
            return "Sereno deletes (hourly by a collector with --retention, or by --apply)"
        case _:
            assert_never(plan.manager)


def _as_json(action: "Action") -> dict[str, Any]:
    from sereno_cli.json_text import plain

    kind = re.sub(r"(?<!^)(?=[A-Z])", "_", type(action).__name__).lower()
    return {"action": kind, **plain(action)}
