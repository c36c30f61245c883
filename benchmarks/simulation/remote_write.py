"""Samples into Prometheus by remote write 1.0: protobuf made by hand, because a million samples take a second so.

Source: https://prometheus.io/docs/specs/prw/remote_write_spec/ - a WriteRequest has TimeSeries in field 1; a TimeSeries
has Labels in field 1 and Samples in field 2; a Sample is a double in field 1 and milliseconds as int64 in field 2.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import cramjam
import numpy as np
from numpy.typing import NDArray

from benchmarks.simulation.server import Server

SAMPLES_PER_REQUEST = 400_000

# Prometheus marks the end of a series by this very NaN (model/value in its source); any other NaN is a value.
_STALE_BITS = np.uint64(0x7FF0000000000002)
STALE = np.array([_STALE_BITS], dtype=np.uint64).view(np.float64)
"""One staleness marker. Keep it in arrays: arithmetic, and Python floats on some machines, change a NaN's bits."""

# A varint has seven bits a byte: from 1971 to 2109 milliseconds since 1970 need exactly six bytes, so that every sample
# has the same size and a whole series is one array.
_TIMESTAMP_BYTES = 6
_EARLIEST, _LATEST = 1 << 35, (1 << 42) - 1
_SAMPLE = np.dtype(
    [
        ("field_and_size", "u1", 2),
        ("value_field", "u1"),
        ("value", "<f8"),
        ("timestamp_field", "u1"),
        ("timestamp", "u1", _TIMESTAMP_BYTES),
    ]
)


class WriteError(Exception):
    """Prometheus refused samples; the message is its own."""


@dataclass(frozen=True, slots=True)
class Series:
    """Samples of one series in order of time. The metric's name is the label `__name__`."""

    labels: Mapping[str, str]
    timestamps_ms: NDArray[np.int64]
    values: NDArray[np.float64]

    def part(self, begin: int, end: int) -> "Series":
        """Some of the samples."""
        return Series(self.labels, self.timestamps_ms[begin:end], self.values[begin:end])


def is_stale(values: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which values are staleness markers."""
    stale: NDArray[np.bool_] = np.ascontiguousarray(values).view(np.uint64) == _STALE_BITS
    return stale


def stale_markers(count: int) -> NDArray[np.float64]:
    """So many markers."""
    return np.full(count, _STALE_BITS, dtype=np.uint64).view(np.float64)


def write(server: Server, series: Iterable[Series]) -> int:
    """Send all samples in requests of bounded size; how many they were.

    Raises:
        WriteError: Prometheus refused, for instance samples out of order.
        ServerError: it doesn't answer.
    """
    written = 0
    for request in _requests(series):
        body = b"".join(_length_delimited(1, _time_series(part)) for part in request)
        _post(server, body)
        written += sum(len(part.values) for part in request)
    return written


def _post(server: Server, body: bytes) -> None:
    headers = {
        "Content-Encoding": "snappy",
        "Content-Type": "application/x-protobuf",
        "X-Prometheus-Remote-Write-Version": "0.1.0",
    }
    block = bytes(cramjam.snappy.compress_raw(body))
    response = server.post("write", content=block, headers=headers)
    if not response.is_success:
        raise WriteError(f"Prometheus refused samples with {response.status_code}: {response.text.strip()[:500]}")


def _requests(series: Iterable[Series]) -> Iterator[list[Series]]:
    """Requests of at most SAMPLES_PER_REQUEST samples; a long series goes on in the next one."""
    request: list[Series] = []
    room = SAMPLES_PER_REQUEST
    for one in series:
        begin = 0
        while begin < len(one.values):
            part = one.part(begin, begin + room)
            request.append(part)
            begin += len(part.values)
            room -= len(part.values)
            if not room:
                yield request
                request, room = [], SAMPLES_PER_REQUEST
    if request:
        yield request


def _time_series(series: Series) -> bytes:
    labels = b"".join(
        _length_delimited(1, _length_delimited(1, name.encode()) + _length_delimited(2, value.encode()))
        for name, value in sorted(series.labels.items())  # the specification wants them sorted
    )
    return labels + _samples(series.timestamps_ms, series.values)


def _samples(timestamps_ms: NDArray[np.int64], values: NDArray[np.float64]) -> bytes:
    if len(timestamps_ms) and not (timestamps_ms.min() >= _EARLIEST and timestamps_ms.max() <= _LATEST):
        raise ValueError("timestamps are milliseconds between the years 1971 and 2109")
    records = np.zeros(len(values), dtype=_SAMPLE)
    records["field_and_size"] = (0x12, _SAMPLE.itemsize - 2)  # field 2, length-delimited
    records["value_field"] = 0x09  # field 1, eight bytes
    records["value"] = values
    records["timestamp_field"] = 0x10  # field 2, varint
    for index in range(_TIMESTAMP_BYTES):
        more = 0x80 if index < _TIMESTAMP_BYTES - 1 else 0
        records["timestamp"][:, index] = ((timestamps_ms >> (7 * index)) & 0x7F) | more
    return records.tobytes()


def _length_delimited(field: int, content: bytes) -> bytes:
    return bytes([field << 3 | 2]) + _varint(len(content)) + content


def _varint(number: int) -> bytes:
    out = bytearray()
    while number >= 0x80:  # noqa: PLR2004 - the bit that says "more follows"
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)
