"""Who let a deployment pass although a gate said no: lines of JSON in the repository, only ever added to.

A line says who, why, until when, and what was denied. It covers these denials and no others, so that what breaks
afterwards closes the gate again.
"""

import fcntl
import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

LONGEST_OVERRIDE = timedelta(days=1)
"""What has to pass for longer belongs into the gate itself."""
OVERRIDES_FILE = Path("slo/overrides.jsonl")
"""Below the repository's root."""


class OverridesUnreadable(Exception):  # noqa: N818 - reads as what happened
    """The file can't be read, written, or understood; the message has path and line."""


@dataclass(frozen=True, slots=True)
class Denial:
    """What a gate had said of one SLO."""

    service: str
    slo: str
    when: str
    """The condition that held, as the gate has it."""
    reason: str
    """The condition with its figures."""


@dataclass(frozen=True, slots=True)
class GateOverride:
    """One decision of a person."""

    recorded_at: datetime
    expires_at: datetime
    """As `recorded_at`: it was for one deployment, and covers nothing later."""
    author: str
    reason: str
    denied: tuple[Denial, ...]

    def covers(self, denial: Denial, now: datetime) -> bool:
        """Whether it lets this denial pass now."""
        subjects = {(each.service, each.slo, each.when) for each in self.denied}
        until = min(self.expires_at, self.recorded_at + LONGEST_OVERRIDE)
        return self.recorded_at <= now < until and (denial.service, denial.slo, denial.when) in subjects


def read_overrides(path: Path) -> tuple[GateOverride, ...]:
    """All overrides, the oldest first; none where there is no file.

    Raises:
        OverridesUnreadable: a line isn't what was written. What can't be read opens no gate.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return ()
    except (OSError, UnicodeDecodeError) as error:
        raise OverridesUnreadable(f"{path} can't be read: {error}") from error
    return tuple(_read(line, f"{path}:{number}") for number, line in enumerate(lines, 1) if line.strip())


def record_override(path: Path, override: GateOverride) -> None:
    """Add a line: all of it or nothing, also where several people do so at once.

    Raises:
        OverridesUnreadable: the file can't be written.
    """
    line = json.dumps(_plain(override), ensure_ascii=False) + "\n"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with _locked(path) as (file, size):
            ends_well = size == 0 or os.pread(file, 1, size - 1) == b"\n"
            data = (line if ends_well else f"\n{line}").encode()
            is_whole = os.write(file, data) == len(data)
            if is_whole:
                os.fsync(file)
            else:
                os.ftruncate(file, size)
    except OSError as error:
        raise OverridesUnreadable(f"{path} can't be written: {error.strerror}") from error
    if not is_whole:
        raise OverridesUnreadable(f"{path} can't be written: the disk is full")


@contextmanager
def _locked(path: Path) -> Iterator[tuple[int, int]]:
    """The file, for nobody else until the block is left, and its size."""
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield file, os.fstat(file).st_size
    finally:
        os.close(file)


def _plain(override: GateOverride) -> dict[str, Any]:
    return {
        "recorded_at": _written(override.recorded_at),
        "expires_at": _written(override.expires_at),
        "author": override.author,
        "reason": override.reason,
        "denied": [asdict(denial) for denial in override.denied],
    }


def _read(line: str, place: str) -> GateOverride:
    try:
        fields = json.loads(line)
        return GateOverride(
            _moment(fields["recorded_at"]),
            _moment(fields["expires_at"]),
            _text(fields["author"]),
            _text(fields["reason"]),
            tuple(_denied(fields["denied"])),
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise OverridesUnreadable(
            f"{place}: the line is no override ({type(error).__name__}: {error}); restore or remove it"
        ) from error


def _denied(entries: Iterable[Any]) -> Iterator[Denial]:
    for entry in entries:
        service, slo, when, reason = (_text(entry[key]) for key in ("service", "slo", "when", "reason"))
        yield Denial(service, slo, when, reason)


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"{value!r} is no text")
    return value


def _written(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"the time {text} has no zone")
    return moment
