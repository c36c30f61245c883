"""What a process holds now: memory, open files, threads; and what its files take on the disk. Linux only."""

import os
import re
from dataclasses import dataclass
from pathlib import Path

_STATUS = re.compile(r"^(VmRSS|RssAnon|Threads):\s+(\d+)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Sample:
    """One process at one moment."""

    seconds: float
    """Since the begin."""
    resident_bytes: int
    anonymous_bytes: int
    """Without what is mapped of files, which the system may take back: what is leaked is here."""
    open_files: int
    threads: int


def sample(process_id: int, seconds: float) -> Sample | None:
    """None: it doesn't run any more."""
    folder = Path(f"/proc/{process_id}")
    try:
        found = dict(_STATUS.findall((folder / "status").read_text()))
        return Sample(
            seconds,
            int(found["VmRSS"]) * 1024,
            int(found["RssAnon"]) * 1024,
            len(os.listdir(folder / "fd")),  # noqa: PTH208 - names alone, once in a while
            int(found["Threads"]),
        )
    except (OSError, KeyError):
        return None


def log_bytes(folder: Path) -> dict[str, int]:
    """SQLite's write-ahead logs and the collector's queue below a folder: by name, what each takes."""
    found = {}
    for path in sorted((*folder.glob("*.sqlite-wal"), *folder.glob("*.queue.sqlite"))):
        try:
            found[path.name] = path.stat().st_size
        except FileNotFoundError:  # a log that was closed meanwhile
            continue
    return found
