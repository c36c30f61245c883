"""What the doctor says of what was seen."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from sereno_backends.logs.elasticsearch_template import TEMPLATE_VERSION
from sereno_backends.logs.health.forecast import Growth
from sereno_backends.logs.health.model import Block, DiskForecast, ElasticsearchHealth, Rejections, Shard, StreamLetters
from sereno_backends.logs.health.watermarks import WatermarkName
from sereno_backends.logs.lifecycle import BackingIndex, Deletion, LifecyclePlan, Manager, Stream
from sereno_backends.logs.lifecycle.managers import PolicyTrouble
from sereno_backends.logs.lifecycle.model import Retention, StreamRetention
from sereno_collectors.logs.doctor import (
    DeadLetterFigures,
    Examination,
    Finding,
    Gravity,
    Patient,
    QueueFigures,
    ServerStore,
    StreamRetentions,
    examine,
    read_dead_letters,
    read_queue,
)
from support.log_records import NOON

DAY = timedelta(days=1)
GB = 1024**3
GROWTH = Growth(3 * GB, 2 * GB, 5 * GB, 7 * DAY, "sizes and dates of indices")
STREAM = Stream(
    "logs-app-default",
    tuple(BackingIndex(f".ds-logs-app-default-{number}", NOON - DAY, 1, GB) for number in range(30)),
    is_ours=True,
    template="sereno-logs-app-default",
)
DISK = DiskForecast(
    "n1", 1000 * GB, 700 * GB, GROWTH, dict.fromkeys(WatermarkName), dict.fromkeys(WatermarkName, 50 * GB)
)
HEALTH = ElasticsearchHealth(
    name="Elasticsearch http://logs",
    looked_at=NOON,
    disks=(DISK,),
    watermarks_enabled=True,
    blocks=(),
    shards=tuple(Shard(each.name, is_primary=True, state="STARTED", size_bytes=20 * GB) for each in STREAM.indices),
    all_shards=30,
    most_shards=1000,
    data_nodes=1,
    rejections=(Rejections("n1", 0, 3 * DAY),),
    streams=(STREAM,),
    template_versions={"sereno-logs-app-default": TEMPLATE_VERSION},
    dead_letters=StreamLetters("logs-sereno.dead_letter-default"),
)
REFUSED = StreamLetters(
    "logs-sereno.dead_letter-default", 9, 2, "document_parsing_exception", "checkout", "object mapping for [user.id]"
)
PLAN = LifecyclePlan(Manager.SERENO, (STREAM,), (), ())
RETENTION = StreamRetentions(PLAN, ("logs-app-default",))
QUEUE = QueueFigures(Path("queue.sqlite"), 12, 1_000, timedelta(seconds=2))
LIMIT = 1_000_000


def patient(
    *,
    retention: StreamRetentions = RETENTION,
    queue: QueueFigures | None = QUEUE,
    letters: DeadLetterFigures | None = None,
    watched: bool = False,
    **seen: Any,
) -> Examination:
    """The examination of a healthy server and collector, with what is otherwise."""
    return examine(Patient(ServerStore(replace(HEALTH, **seen), retention, watched), queue, LIMIT, letters))


def needing(examination: Examination) -> Sequence[Finding]:
    """What needs somebody."""
    return [each for each in examination.findings if each.needs_somebody]


def test_a_healthy_store_needs_nobody() -> None:
    """Everything is looked at, each thing is said to be well, and nothing has a cure."""
    found = patient()
    assert found.is_healthy
    assert {each.gravity for each in found.findings} == {Gravity.HEALTHY}
    assert {each.subject for each in found.findings} == {
        "read-only",
        "disk",
        "templates",
        "shards",
        "retention",
        "rejections",
        "queue",
        "dead letters",
    }
    assert not any(each.cure for each in found.findings)


def disk(**days: float) -> dict[str, Any]:
    """A disk that reaches watermarks in so many days."""
    return {"disks": (replace(DISK, days_until={name: days.get(name) for name in WatermarkName}),)}


@pytest.mark.parametrize(
    ("seen", "gravity", "said", "cure"),
    [
        (disk(flood_stage=0.5), Gravity.BROKEN, "flood-stage watermark in 12 hours", "keep logs for less time"),
        (disk(flood_stage=1 / 22), Gravity.BROKEN, "flood-stage watermark in an hour;", "keep logs for less time"),
        (disk(flood_stage=13), Gravity.NEEDS_SOMEBODY, "flood-stage watermark in 13 days", "add disk"),
        (disk(high=6, flood_stage=30), Gravity.NEEDS_SOMEBODY, "high watermark in 6 days", "add disk"),
        (disk(low=0, high=30), Gravity.NEEDS_SOMEBODY, "low watermark now", "add disk"),
        (
            {"watermarks_enabled": False},
            Gravity.NEEDS_SOMEBODY,
            "doesn't look at its disks",
            '"cluster.routing.allocation.disk.threshold_enabled": null',
        ),
        (
            {"blocks": (Block(".ds-logs-app-default-3", "disk usage exceeded", is_flood_stage=True),)},
            Gravity.BROKEN,
            ".ds-logs-app-default-3: read-only since a disk passed the flood stage",
            'PUT logs-*-*/_settings {"index.blocks.read_only_allow_delete": null}',
        ),
        (
            {"blocks": (Block(".ds-logs-app-default-29", "index write (api)", is_flood_stage=False),)},
            Gravity.BROKEN,
            "index write (api); somebody has set this",
            'PUT .ds-logs-app-default-29/_settings {"index.blocks.write": null',
        ),
        (
            {"blocks": (Block("_all", "cluster read-only (api)", is_flood_stage=False),)},
            Gravity.BROKEN,
            "the whole cluster: cluster read-only (api); somebody has set this",
            'PUT _cluster/settings {"persistent": {"cluster.blocks.read_only": null, ',
        ),
        (
            {"shards": (Shard("big", is_primary=True, state="STARTED", size_bytes=70 * GB),)},
            Gravity.NEEDS_SOMEBODY,
            "big (70 GB): larger than the 50 GB",
            "rollover_size: 50gb",
        ),
        (
            {"shards": (Shard("gone", is_primary=True, state="UNASSIGNED", size_bytes=0),)},
            Gravity.BROKEN,
            "gone: on no node",
            "_cluster/allocation/explain",
        ),
        (
            {"shards": (Shard("copy", is_primary=False, state="UNASSIGNED", size_bytes=0),)},
            Gravity.NEEDS_SOMEBODY,
            "a cluster of one node can't place",
            '"index.auto_expand_replicas": "0-1"',
        ),
        (
            {"shards": (Shard("copy", is_primary=False, state="UNASSIGNED", size_bytes=0),), "data_nodes": 2},
            Gravity.NEEDS_SOMEBODY,
            "the loss of one disk would lose",
            "_cluster/allocation/explain",
        ),
        ({"all_shards": 800}, Gravity.NEEDS_SOMEBODY, "800 of the 1,000 shards", "rollover_age"),
        ({"all_shards": 1000}, Gravity.BROKEN, "1,000 of the 1,000 shards", "add nodes"),
        ({"streams": (replace(STREAM, template=None),)}, Gravity.BROKEN, "no index template matches", "restart"),
        (
            {"template_versions": {"sereno-logs-app-default": TEMPLATE_VERSION - 1}},
            Gravity.NEEDS_SOMEBODY,
            "sereno-logs-app-default: older than this Sereno's",
            "run a collector of this version",
        ),
        (
            {"rejections": (Rejections("n1", 7, timedelta(seconds=60)),), "watched": True},
            Gravity.NEEDS_SOMEBODY,
            "node n1 refused 7 write requests in 60 s",
            "add nodes",
        ),
        (
            {"retention": StreamRetentions(None, ("logs-app-default",))},
            Gravity.NEEDS_SOMEBODY,
            "nobody deletes from logs-app-default",
            "write logs.retention.yaml",
        ),
        (
            {"retention": StreamRetentions(replace(PLAN, actions=(Deletion("i", "s", NOON - 2 * DAY, 1, GB),)), ())},
            Gravity.NEEDS_SOMEBODY,
            "1 indices (1 GB) should have been deleted, the first one on 2026-11-20",
            "sereno logs lifecycle --apply",
        ),
        (
            {
                "retention": StreamRetentions(
                    replace(
                        PLAN, manager=Manager.STREAM_LIFECYCLE, actions=(StreamRetention("logs-x-y", Retention(DAY)),)
                    ),
                    (),
                )
            },
            Gravity.NEEDS_SOMEBODY,
            "logs-x-y: the server doesn't know the retention",
            "sereno logs lifecycle --apply",
        ),
        (
            {"retention": replace(RETENTION, trouble=PolicyTrouble(is_stopped=True, failed=()))},
            Gravity.NEEDS_SOMEBODY,
            "index lifecycle management is stopped",
            "POST _ilm/start",
        ),
        (
            {"retention": replace(RETENTION, trouble=PolicyTrouble(is_stopped=False, failed=(("i-1", "no space"),)))},
            Gravity.NEEDS_SOMEBODY,
            "i-1: the policy is stuck there: no space",
            "POST i-1/_ilm/retry",
        ),
        ({"queue": replace(QUEUE, oldest_age=timedelta(minutes=11))}, Gravity.BROKEN, "for 11 minutes", "stderr"),
        (
            {"queue": replace(QUEUE, size_bytes=900_000)},
            Gravity.BROKEN,
            "12 documents (879 KB of 977 KB) wait",
            "stderr",
        ),
        ({"queue": replace(QUEUE, trouble="no queue")}, Gravity.NEEDS_SOMEBODY, "no queue", "rights"),
        (
            {"letters": DeadLetterFigures(Path("dead"), 9, 2, "too large")},
            Gravity.NEEDS_SOMEBODY,
            "2 of the last day, 9 in all in dead, where they go when their stream refuses them; mostly: too large",
            "collect them again: jq -r .line dead > again.log; sereno collect logs --file again.log --once",
        ),
        (
            {"dead_letters": REFUSED},
            Gravity.NEEDS_SOMEBODY,
            "in logs-sereno.dead_letter-default; mostly of checkout, document_parsing_exception, such as: object",
            "sereno logs redeliver",
        ),
        (
            {"dead_letters": StreamLetters("logs-sereno.dead_letter-default", trouble="refused (403)")},
            Gravity.NEEDS_SOMEBODY,
            "logs-sereno.dead_letter-default can't be counted: refused (403)",
            "read on that stream",
        ),
    ],
)
def test_what_needs_somebody(seen: dict[str, Any], gravity: Gravity, said: str, cure: str) -> None:
    """Each thing that is wrong is the only one that needs somebody, stands first, and has a cure."""
    found = patient(**seen)
    (finding,) = needing(found)
    assert found.findings[0] is finding
    assert finding.gravity is gravity
    assert said in finding.message
    assert cure in finding.cure


@pytest.mark.parametrize(
    ("seen", "said"),
    [
        (disk(low=4, high=8, flood_stage=15), "low watermark in 4 days, high watermark in 8 days"),
        ({}, "3 GB a day come, between 2 GB and 5 GB (by sizes and dates of indices, over 7 days)"),
        ({"rejections": (Rejections("n1", 7, DAY),)}, "7 write requests since it started 1 day ago"),
        ({"rejections": (Rejections("n1", 7, 3 * DAY),)}, "7 write requests since it started 3 days ago"),
        ({"blocks": (Block(".ds-logs-app-default-3", "index write (api)", is_flood_stage=False),)}, "30 hold logs"),
        (
            {"shards": tuple(replace(each, size_bytes=GB // 2) for each in HEALTH.shards)},
            "29 of its ended indices hold less than 1 GB each",
        ),
        (
            {"retention": StreamRetentions(PLAN, ("logs-theirs-default",))},
            "logs-theirs-default, whose templates aren't",
        ),
        ({"letters": DeadLetterFigures(Path("dead"), 9, 0, "too large")}, "0 of the last day, 9 in all"),
        (
            {"dead_letters": replace(REFUSED, recent=0)},
            "0 of the last day, 9 in all in logs-sereno.dead_letter-default",
        ),
        ({"queue": None}, "no collector's queue"),
        (
            {"retention": StreamRetentions(replace(PLAN, actions=(Deletion("i", "s", NOON - DAY / 2, 1, GB),)), ())},
            "nothing is overdue",
        ),
    ],
)
def test_what_needs_nobody(seen: dict[str, Any], said: str) -> None:
    """What is only good to know is said, and the exit code stays that of health."""
    found = patient(**seen)
    assert needing(found) == []
    assert said in " | ".join(each.message for each in found.findings)


def test_dead_letters_are_read_from_their_file(tmp_path: Path) -> None:
    """New and old ones are counted, a line that a kill cut off isn't, and the most frequent new reason is named."""
    path = tmp_path / "dead.jsonl"
    assert read_dead_letters(path, NOON) is None
    letters = [("mapping", NOON - 2 * DAY)] * 3 + [("too large", NOON - DAY / 2)] * 2
    lines = [orjson.dumps({"@timestamp": moment.isoformat(), "reason": reason}) for reason, moment in letters]
    path.write_bytes(b"\n".join([*lines, b'{"@timestamp": "2026']))
    assert read_dead_letters(path, NOON) == DeadLetterFigures(path, 5, 2, "too large")


def test_a_file_that_is_no_queue_is_told(tmp_path: Path) -> None:
    """No file is no queue; another file is a trouble with its reason, not a traceback."""
    path = tmp_path / "queue.sqlite"
    assert read_queue(path, NOON) is None
    path.write_text("this is no database")
    found = read_queue(path, NOON)
    assert found is not None
    assert found.trouble
