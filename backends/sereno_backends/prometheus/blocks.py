"""Samples of the past as blocks of Prometheus' own format, written by promtool."""

import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

# promtool reads its input once for each block, and its default of two hours makes 360 of a month. 54 h is one of the
# lengths that Prometheus itself compacts to. The flag is hidden in promtool's help, and there since 2.24.
_BLOCK = "--max-block-duration=54h"
_PATIENCE_SECONDS = 1_800
_UNFINISHED = ".sereno-unfinished-"
"""Folders that begin so hold blocks that aren't complete; Prometheus looks at names of blocks only."""


class BlocksNotWritten(Exception):  # noqa: N818 - reads as what happened
    """promtool refused the samples, or the folder can't be written; the message holds what was said."""


@dataclass(frozen=True, slots=True)
class StoredSeries:
    """A gauge's samples: milliseconds since the epoch and values, in order of time."""

    metric: str
    labels: Mapping[str, str]
    points: tuple[tuple[int, float], ...]


def find_promtool() -> str | None:
    """Where on PATH promtool is; None where it isn't."""
    return shutil.which("promtool")


def blocks_in(folder: Path) -> tuple[Path, ...]:
    """The blocks that lie in a folder; none where there is no such folder."""
    return tuple(sorted(meta.parent for meta in folder.glob("*/meta.json")))


def write_blocks(series: Iterable[StoredSeries], folder: Path, promtool: str) -> tuple[Path, ...]:
    """Write series as blocks into `folder`, which is made if missing; returns the new blocks.

    Blocks are made in a folder of their own within it and moved when all of them are complete: whoever ends this
    program at any moment leaves no half-written block in `folder`.

    Raises:
        BlocksNotWritten: promtool refused, or the folder can't be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=_UNFINISHED, dir=folder) as unfinished:
            source, made = Path(unfinished, "samples.openmetrics"), Path(unfinished, "blocks")
            with source.open("w", encoding="utf-8") as file:
                file.writelines(openmetrics(series))
            _run([promtool, "tsdb", "create-blocks-from", "openmetrics", _BLOCK, str(source), str(made)])
            # Within one file system a folder moves in one step.
            return tuple(block.rename(folder / block.name) for block in blocks_in(made))
    except OSError as error:
        raise BlocksNotWritten(f"{error.filename or folder}: {error.strerror}") from error


def openmetrics(series: Iterable[StoredSeries]) -> Iterator[str]:
    """The lines of OpenMetrics text, samples of one metric together."""
    metric = ""
    for stored in sorted(series, key=lambda stored: stored.metric):
        if stored.metric != metric:
            metric = stored.metric
            yield f"# TYPE {metric} gauge\n"
        labels = ",".join(f"{name}={_quoted(value)}" for name, value in sorted(stored.labels.items()))
        for at_ms, value in stored.points:
            # promtool cuts what is below a millisecond off; the 5 keeps 0.123 from becoming 0.122999….
            yield f"{metric}{{{labels}}} {value!r} {at_ms // 1000}.{at_ms % 1000:03d}5\n"
    yield "# EOF\n"


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def _run(command: list[str]) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_PATIENCE_SECONDS)
    except subprocess.TimeoutExpired as error:
        raise BlocksNotWritten(f"promtool was not ready in {_PATIENCE_SECONDS} s") from error
    if done.returncode != 0:
        raise BlocksNotWritten(f"promtool said: {(done.stderr or done.stdout).strip()}")
