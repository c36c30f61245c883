"""A queue that has its disk to itself, and fills it."""

import os
from pathlib import Path
from secrets import token_hex

import pytest
from sereno_collectors.logs.model import Document
from sereno_collectors.logs.queue import DurableQueue, QueueUnavailable, Settlement
from support.small_disk import small_disk

ROOMY = 1_000_000_000
LEFT_BYTES = 400_000
"""Of the disk, for the log of one or two settlements."""


@pytest.mark.parametrize(("disk_bytes", "at_once"), [(4_000_000, 300), (24_000_000, 300), (6_000_000, 1)])
def test_a_queue_that_fills_its_disk_can_be_emptied_again_and_again(
    disk_bytes: int, at_once: int, tmp_path: Path
) -> None:
    """It stops taking while there is still room to take documents out, and everything it took comes out."""
    with small_disk(tmp_path, disk_bytes) as disk:
        queue = DurableQueue(disk / "queue.sqlite", limit_bytes=ROOMY, report=print)
        for _ in range(3):
            put = _fill(queue, at_once)
            assert put * 300 > disk_bytes // 3
            taken = 0
            while parcels := queue.take(2_000, 5_000_000):
                queue.settle([Settlement(parcel) for parcel in parcels])
                taken += sum(parcel.documents for parcel in parcels)
            assert taken == put
        # Even a batch that is larger than the room that is kept is taken when nothing else waits.
        queue.put([_document(number) for number in range(2_000)])
        queue.close()


def test_a_full_disk_is_emptied_after_a_restart_too(tmp_path: Path) -> None:
    """What an earlier run left on a full disk comes out although nothing is put any more."""
    with small_disk(tmp_path, 6_000_000) as disk:
        queue = DurableQueue(disk / "queue.sqlite", limit_bytes=ROOMY, report=print)
        put = _fill(queue, 1)
        queue.close()
        (disk / "others").write_bytes(b"x" * (os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize - LEFT_BYTES))
        queue = DurableQueue(disk / "queue.sqlite", limit_bytes=ROOMY, report=print)
        taken = 0
        while parcels := queue.take(200, 5_000_000):
            queue.settle([Settlement(parcel) for parcel in parcels])
            taken += sum(parcel.documents for parcel in parcels)
        assert taken == put
        queue.close()


def _document(number: int) -> Document:
    """Its text takes 300 bytes of disk, compressed."""
    return Document(f"{number}", "s", token_hex(300).encode(), "", "", 0, "")


def _fill(queue: DurableQueue, at_once: int) -> int:
    """How many documents it takes until it takes no more."""
    for number in range(0, 1_000_000, at_once):
        try:
            queue.put([_document(number + each) for each in range(at_once)])
        except QueueUnavailable:
            return number
    raise AssertionError("the disk was never full")
