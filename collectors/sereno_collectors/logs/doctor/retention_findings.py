"""Retention: who deletes, and whether it is done."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sereno_backends.logs.elasticsearch_units import size_text as size
from sereno_backends.logs.lifecycle import Deletion, LifecyclePlan, Manager, Overdue
from sereno_backends.logs.lifecycle.managers import PolicyTrouble

from sereno_collectors.logs.doctor.model import Finding, Gravity

PATIENCE = timedelta(days=1)
"""A collector does it every hour; servers of their own, too."""
_WRITE_ONE = (
    "write logs.retention.yaml (docs/logs/lifecycle.md), then sereno logs lifecycle --apply, and start the collector "
    "with --retention"
)


@dataclass(frozen=True, slots=True)
class StreamRetentions:
    """Retention in Elasticsearch."""

    plan: LifecyclePlan | None
    """What the retention file asks for; None: there is no file."""
    without: tuple[str, ...]
    """Streams that nobody deletes from, by the server's own knowledge."""
    trouble: PolicyTrouble | None = None
    """Of a server with index lifecycle management."""
    elsewhere: frozenset[str] = frozenset()
    """Streams of Sereno's templates in namespaces that the retention file doesn't govern."""


@dataclass(frozen=True, slots=True)
class FileRetention:
    """Retention in a SQLite store."""

    overdue: tuple[Overdue, ...] | None
    """What the retention file asks to delete; None: there is no file."""


def stream_retention_findings(known: StreamRetentions, now: datetime) -> Iterator[Finding]:
    """Streams that nobody deletes from, and indices whose time has long been over."""
    if known.trouble is not None:
        yield from _trouble(known.trouble)
    plan = known.plan
    kept = {each.name for each in plan.streams} if plan else set()
    without = [name for name in known.without if name not in kept]
    if without and plan is None:
        yield Finding(
            Gravity.NEEDS_SOMEBODY,
            "retention",
            f"nobody deletes from {_some(without)}: they grow until the disk is full",
            _WRITE_ONE,
        )
    if plan is None:
        return
    yield from _out_of_reach(known, without)
    late = [each for each in plan.actions if isinstance(each, Deletion) and each.due_at < now - PATIENCE]
    to_set = [] if plan.manager is Manager.SERENO else [each.stream for each in plan.actions]
    if late:
        total = size(sum(each.size_bytes for each in late))
        yield Finding(
            Gravity.NEEDS_SOMEBODY,
            "retention",
            f"{len(late)} indices ({total}) should have been deleted, the first one on {late[0].due_at:%Y-%m-%d}: "
            "no collector runs with --retention, or the server refuses",
            "sereno logs lifecycle --apply does it and tells what is refused",
        )
    if to_set:
        yield Finding(
            Gravity.NEEDS_SOMEBODY,
            "retention",
            f"{_some(to_set)}: the server doesn't know the retention of the file yet",
            "sereno logs lifecycle --apply",
        )
    if not (late or to_set):
        yield Finding(
            Gravity.HEALTHY,
            "retention",
            f"every stream of Sereno's in the namespace default has one ({len(plan.streams)}), nothing is overdue; "
            f"{plan.manager} deletes",
        )


def _out_of_reach(known: StreamRetentions, without: Sequence[str]) -> Iterator[Finding]:
    """Streams that nobody deletes from, the retention file either."""
    elsewhere = [name for name in without if name in known.elsewhere]
    foreign = [name for name in without if name not in known.elsewhere]
    if elsewhere:
        yield Finding(
            Gravity.NEEDS_SOMEBODY,
            "retention",
            f"nobody deletes from {_some(elsewhere)}: the retention file governs the namespace default only",
            "attach a lifecycle policy of your own, or run sereno_backends.logs.lifecycle.Lifecycle for that namespace "
            "(docs/logs/lifecycle.md)",
        )
    if foreign:
        yield Finding(
            Gravity.NOTE,
            "retention",
            f"nobody deletes from {_some(foreign)}, whose templates aren't Sereno's: sereno leaves them alone",
            "attach a lifecycle policy of your own",
        )


def _trouble(trouble: PolicyTrouble) -> Iterator[Finding]:
    if trouble.is_stopped:
        yield Finding(
            Gravity.NEEDS_SOMEBODY,
            "retention",
            "index lifecycle management is stopped: no index is deleted, and none is begun by its age or size",
            "ask who stopped it and why, then POST _ilm/start",
        )
    if trouble.failed:
        names = [name for name, _ in trouble.failed]
        yield Finding(
            Gravity.NEEDS_SOMEBODY,
            "retention",
            f"{_some(names)}: the policy is stuck there: {trouble.failed[0][1]}",
            f"mend the reason, then POST {names[0]}/_ilm/retry",
        )


def file_retention_findings(known: FileRetention) -> Iterator[Finding]:
    """The same for a SQLite store."""
    if known.overdue is None:
        message = "nobody deletes from this store: it grows until the disk is full"
        yield Finding(Gravity.NEEDS_SOMEBODY, "retention", message, _WRITE_ONE)
        return
    late = [each for each in known.overdue if each.oldest < each.kept_since - PATIENCE]
    if late:
        yield Finding(
            Gravity.NEEDS_SOMEBODY,
            "retention",
            f"{sum(each.documents for each in late):,} documents should have been deleted, the oldest of "
            f"{min(each.oldest for each in late):%Y-%m-%d}: no collector runs with --retention",
            "sereno logs lifecycle --apply",
        )
    else:
        yield Finding(Gravity.HEALTHY, "retention", "nothing is overdue")


def _some(names: Sequence[str]) -> str:
    more = len(names) - 3
    return ", ".join(names[:3]) + (f" and {more} more" if more > 0 else "")
