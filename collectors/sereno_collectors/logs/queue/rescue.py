"""What becomes of a queue whose file is damaged."""

import sqlite3
from collections.abc import Callable
from pathlib import Path

from sereno_collectors.logs.queue.file import QueueDamaged, move_aside, open_file, readable_parcels


def rescued(path: Path, damage: QueueDamaged, *, now: float, report: Callable[[str], None]) -> sqlite3.Connection:
    """A new file with the parcels that can be read of the damaged one, which is kept under another name.

    Positions and the ledger of what was received are not taken over: files are read again from where the store had
    answered for everything, and what it has already it knows by the ids.
    """
    aside = move_aside(path, now)
    connection = open_file(path)
    documents = 0
    connection.execute("BEGIN IMMEDIATE")
    for queued_at, count, body in readable_parcels(aside):
        connection.execute("INSERT INTO parcel (queued_at, documents, body) VALUES (?, ?, ?)", (queued_at, count, body))
        documents += count
    connection.execute("INSERT INTO state SELECT 'taken', coalesce(max(number), 0) FROM parcel")
    connection.execute("COMMIT")
    report(
        f"the queue was damaged ({damage}): it is kept as {aside}; {documents} documents of it were rescued, and files "
        "are read again from where the store had answered for everything"
    )
    return connection
