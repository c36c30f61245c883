"""What the intake tells while it waits."""

from collections.abc import Sequence
from pathlib import Path
from threading import Event, Thread

from prometheus_client import CollectorRegistry
from sereno_collectors.logs import CollectorMetrics
from sereno_collectors.logs.intake import IntakeParts, QueueingIntake
from sereno_collectors.logs.model import Chunk
from sereno_collectors.logs.parsing.parser import Parsed
from sereno_collectors.logs.queue import Settlement
from support.queueing import ALL, Desk, document, noise
from support.waiting import wait_for


def test_a_full_queue_is_told_once_while_it_lasts(tmp_path: Path) -> None:
    """Its size changes with each parcel that leaves; that is no news until there is room."""
    desk = Desk(tmp_path)
    for number in range(1, 4):
        desk.queue.put([document(number, noise(300_000))])
    first, *others = desk.queue.take(*ALL)

    def parse(_: Sequence[Chunk]) -> Parsed:
        return Parsed((document(4, noise(800_000)),), {})

    told: list[str] = []
    intake = QueueingIntake(
        IntakeParts(parse, desk.queue, CollectorMetrics(CollectorRegistry(), lambda: 1.0), told.append, watch=()),
        stop=Event(),
    )
    reader = Thread(target=intake.accept, args=((),))
    reader.start()
    wait_for(lambda: bool(told), what="the queue is full")
    desk.queue.settle([Settlement(first)])
    reader.join(1.0)
    assert reader.is_alive()
    assert len(told) == 1
    desk.queue.settle([Settlement(parcel) for parcel in others])
    reader.join()
    assert told[1:] == ["queueing again"]
    desk.queue.close()
