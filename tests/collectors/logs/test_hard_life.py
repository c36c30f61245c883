"""Random lives of a log file: whatever happens to it and to its collector, each line is stored exactly once."""

import os
import shutil
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.collecting import Bench


class Life:
    """A log file in a hard life: written, rotated, its collector stopped and killed; each line is unlike all others."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.written: list[str] = []
        self.bench.append("the first line")
        self.written.append("the first line")
        self.bench.drain()

    def write(self) -> None:
        """Some lines."""
        lines = [self._line(len(self.written) + number) for number in range(3)]
        self.bench.append(*lines)
        self.written.extend(lines)

    def write_in_two_pieces(self) -> None:
        """A line that is seen half-written."""
        line = self._line(len(self.written))
        self.bench.append(line[:4], end="")
        self.collect()
        self.bench.append(line[4:])
        self.written.append(line)

    def rename(self) -> None:
        """Rotation by renaming; two archives are kept, and what is dropped was read."""
        self._shift()
        if self.bench.log.exists():
            self.bench.log.rename(self.bench.folder / "app.log.1")

    def copy_and_truncate(self) -> None:
        """Rotation by copying; a running collector looks between two of them, a stopped one may miss several."""
        if self.bench.runs:
            self.write()
            self.collect()
            self.write()
        self._shift()
        shutil.copy(self.bench.log, self.bench.folder / "app.log.1")
        os.truncate(self.bench.log, 0)
        if self.bench.runs:
            self.write()
            self.collect()

    def collect(self) -> None:
        """One batch."""
        self.bench.collector.collect_batch()

    def stop(self) -> None:
        """No process, until something asks for one."""
        self.bench.end()

    def restart(self) -> None:
        """A new process."""
        self.bench.start()

    def killed_before_saving(self) -> None:
        """A process that loses, with its machine's power, all that its queue was told since the last start."""
        self.bench.end()
        saved = {path: path.read_bytes() for path in self.bench.folder.glob("queue.sqlite*")}
        self.bench.drain()
        self.bench.end()
        for path in self.bench.folder.glob("queue.sqlite*"):
            path.unlink()
        for path, content in saved.items():
            path.write_bytes(content)
        self.bench.start()
        self.collect()

    def wait(self) -> None:
        """Long enough for rotated files to be finished."""
        self.bench.linger()

    def _line(self, number: int) -> str:
        # Of growing length: a file that is emptied and filled with as much again within one tick of the file
        # system's clock is found out only when it grows on.
        return f"{number} {'x' * number} and more"

    def _shift(self) -> None:
        older = self.bench.folder / "app.log.1"
        oldest = self.bench.folder / "app.log.2"
        if oldest.exists():
            self.bench.drain()
            oldest.unlink()
        if older.exists():
            older.rename(oldest)


Deed = Callable[[Life], None]
DEEDS: tuple[Deed, ...] = (
    Life.write,
    Life.write,
    Life.write_in_two_pieces,
    Life.collect,
    Life.stop,
    Life.restart,
    Life.killed_before_saving,
    Life.wait,
)


@pytest.mark.parametrize("rotate", [Life.rename, Life.copy_and_truncate])
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_every_line_is_stored_once_whatever_happens(
    tmp_path_factory: pytest.TempPathFactory, rotate: Deed, data: st.DataObject
) -> None:
    """In any order of writing, rotating, stopping and killing, each line is in the store exactly once."""
    bench = Bench(tmp_path_factory.mktemp("life"))
    try:
        life = Life(bench)
        for deed in data.draw(st.lists(st.sampled_from((*DEEDS, rotate)), max_size=25)):
            deed(life)
        bench.linger()
        assert bench.messages() == sorted(life.written)
    finally:
        bench.close()
        shutil.rmtree(bench.folder)
