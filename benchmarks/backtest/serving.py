"""A Prometheus that keeps its past as blocks, as any that has run for a while does.

The server of benchmarks.simulation keeps everything in its head, where reading a month of a series takes a multiple.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from benchmarks.backtest.past import END_MS
from benchmarks.simulation import DAY, HOUR, Series, Server, ServerError, find_prometheus, write
from benchmarks.simulation.server import free_port, serving

_BLOCK_HOURS = 54
"""What Prometheus compacts to where it keeps 30 to 60 days."""
_PIECE_MS = 12 * HOUR
_LONGEST_WAIT_SECONDS = 600


@contextmanager
def compacting_prometheus(directory: Path) -> Iterator[Server]:
    """It scrapes nothing, and takes samples in order of time.

    Raises:
        ServerError: it doesn't start.
    """
    directory.mkdir(parents=True)
    (directory / "prometheus.yml").write_text("global: {scrape_interval: 30s}\n", encoding="utf-8")
    address = f"127.0.0.1:{free_port()}"
    flags = (
        f"--config.file={directory / 'prometheus.yml'}",
        f"--storage.tsdb.path={directory / 'data'}",
        "--storage.tsdb.retention.time=30y",
        f"--storage.tsdb.min-block-duration={_BLOCK_HOURS}h",
        f"--storage.tsdb.max-block-duration={_BLOCK_HOURS}h",
        f"--web.listen-address={address}",
        "--web.enable-remote-write-receiver",
        "--log.level=warn",
    )
    with serving([find_prometheus(), *flags], address, directory / "prometheus.log") as server:
        yield server


def fill(server: Server, series: Sequence[Series], days: int) -> None:
    """Write half a day of all series, then the next; until all but the last days are blocks."""
    for begin in range(END_MS - days * DAY, END_MS, _PIECE_MS):
        write(server, [part for one in series if len(part := _part(one, begin, begin + _PIECE_MS))])
    deadline = time.monotonic() + _LONGEST_WAIT_SECONDS
    while _head_begin_ms(server) < END_MS - 2 * _BLOCK_HOURS * HOUR:
        if time.monotonic() > deadline:
            raise ServerError("Prometheus makes no blocks of its past")
        time.sleep(1)


def _part(series: Series, begin_ms: int, end_ms: int) -> Series:
    first, last = np.searchsorted(series.timestamps_ms, [begin_ms, end_ms])
    return series.part(int(first), int(last))


def _head_begin_ms(server: Server) -> int:
    answer = server.http.get(f"{server.url}/api/v1/status/tsdb").json()
    begin: int = answer["data"]["headStats"]["minTime"]
    return begin
