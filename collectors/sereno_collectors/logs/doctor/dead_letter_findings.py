"""What the store refused for good: in Elasticsearch's own stream, and in the collector's file."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import orjson
from sereno_backends.logs.ecs import parse_timestamp
from sereno_backends.logs.health.model import RECENT, StreamLetters

from sereno_collectors.logs.doctor.model import Finding, Gravity

LOOK_BACK_BYTES = 16 * 1024 * 1024
_MOST_OF_A_REASON = 200
_SUBJECT = "dead letters"


@dataclass(frozen=True, slots=True)
class DeadLetterFigures:
    """The letters of the collector's file; of large files their newest part."""

    path: Path
    letters: int
    recent: int
    """Of the last day."""
    reason: str
    """The most frequent one of the last day, or of all."""
    trouble: str = ""
    """Why the file can't be read."""


def read_dead_letters(path: Path, now: datetime) -> DeadLetterFigures | None:
    """The file's figures; None: there are no letters in it."""
    try:
        with path.open("rb") as file:
            cut = max(0, path.stat().st_size - LOOK_BACK_BYTES)
            file.seek(cut)
            lines = file.read().splitlines()[1 if cut else 0 :]
    except FileNotFoundError:
        return None
    except OSError as error:
        return DeadLetterFigures(path, 0, 0, "", error.strerror or str(error))
    every: Counter[str] = Counter()
    recent: Counter[str] = Counter()
    for line in lines:
        try:
            letter = orjson.loads(line)
            reason, moment = str(letter["reason"]), parse_timestamp(letter["@timestamp"])
        except (ValueError, KeyError, TypeError):
            continue  # a kill has cut it off
        every[reason] += 1
        if moment is not None and moment > now - RECENT:
            recent[reason] += 1
    if not every:
        return None
    ((reason, _),) = (recent or every).most_common(1)
    return DeadLetterFigures(path, every.total(), recent.total(), reason)


def dead_letter_findings(stream: StreamLetters | None, file: DeadLetterFigures | None) -> Iterator[Finding]:
    """How many there are, and mostly why.

    Args:
        stream: of the store; None: it keeps none (SQLite).
        file: of the collector; beside a stream it has what even that refused.
    """
    if stream is not None:
        yield _in_stream(stream)
    if file is not None:
        yield _in_file(file, is_second=stream is not None)
    elif stream is None:
        yield Finding(Gravity.HEALTHY, _SUBJECT, "none")


def _in_stream(stream: StreamLetters) -> Finding:
    if stream.trouble:
        message = f"{stream.stream} can't be counted: {stream.trouble}"
        return Finding(Gravity.NEEDS_SOMEBODY, _SUBJECT, message, "give the doctor's credentials read on that stream")
    if not stream.letters:
        return Finding(Gravity.HEALTHY, _SUBJECT, f"none in {stream.stream}")
    why = ", ".join(
        [
            *([f"of {stream.service}"] if stream.service else []),
            *([stream.kind] if not stream.example.startswith(stream.kind) else []),
            f"such as: {_cut(stream.example)}",
        ]
    )
    return Finding(
        # Those of the past stay until they are sent again, or retention deletes them: only new ones ask for somebody.
        Gravity.NEEDS_SOMEBODY if stream.recent else Gravity.NOTE,
        _SUBJECT,
        f"{stream.recent:,} of the last day, {stream.letters:,} in all in {stream.stream}; mostly {why}",
        "sereno logs search --dead-letters shows them; mend the template, the pipeline or the service, then sereno "
        "logs redeliver (docs/logs/dead-letters.md)",
    )


def _in_file(file: DeadLetterFigures, *, is_second: bool) -> Finding:
    if file.trouble:
        message = f"{file.path} can't be read: {file.trouble}"
        return Finding(Gravity.NEEDS_SOMEBODY, _SUBJECT, message, "run the doctor as the collector's user")
    refused = ", where they go when their stream refuses them" if is_second else ""
    mend = "mend that (the collector's stderr says why)" if is_second else "mend what writes them"
    return Finding(
        # Those of the past stay in the file when they are mended: only new ones ask for somebody.
        Gravity.NEEDS_SOMEBODY if file.recent else Gravity.NOTE,
        _SUBJECT,
        f"{file.recent:,} of the last day, {file.letters:,} in all in {file.path}{refused}; mostly: "
        f"{_cut(file.reason)}",
        f"{mend}, then collect them again: jq -r .line {file.path} > again.log; sereno collect logs --file again.log "
        "--once --checkpoint var/again.checkpoint.json; remove the file when that is done",
    )


def _cut(reason: str) -> str:
    return reason if len(reason) <= _MOST_OF_A_REASON else f"{reason[:_MOST_OF_A_REASON]}…"
