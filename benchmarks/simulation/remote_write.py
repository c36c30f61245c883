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

    def __len__(self) -> int:
        """How many samples."""
        return len(self.values)

    def part(self, begin: int, end: int) -> "Series":
        """Some of the samples."""
        return Series(self.labels, self.timestamps_ms[begin:end], self.values[begin:end])

    def encoded(self) -> bytes:
        """The samples as fields of a TimeSeries message."""
        return _samples(self.timestamps_ms, self.values)


@dataclass(frozen=True, slots=True)
class NativeHistograms:
    """Samples of one native histogram that all have the same few buckets, in order of time; exponential, schema 0.

    A sample whose `ended` is set is a staleness marker. At most nine buckets. Prometheus 2.42 needs
    `--enable-feature=native-histograms`, and refuses a sample without any observation (it takes it for an integer one).
    """

    labels: Mapping[str, str]
    timestamps_ms: NDArray[np.int64]
    buckets: NDArray[np.float64]
    """Observations by sample (rows) and bucket, each bucket's own, not cumulated."""
    lowest: int
    """The first bucket holds durations over 2 ** (lowest - 1) up to 2 ** lowest seconds, each next one twice that."""
    ended: NDArray[np.bool_]

    def __len__(self) -> int:
        """How many samples."""
        return len(self.timestamps_ms)

    def part(self, begin: int, end: int) -> "NativeHistograms":
        """Some of the samples."""
        here = slice(begin, end)
        return NativeHistograms(
            self.labels, self.timestamps_ms[here], self.buckets[here], self.lowest, self.ended[here]
        )

    def encoded(self) -> bytes:
        """The samples as fields of a TimeSeries message."""
        return _histograms(self)


AnySeries = Series | NativeHistograms


def is_stale(values: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which values are staleness markers."""
    stale: NDArray[np.bool_] = np.ascontiguousarray(values).view(np.uint64) == _STALE_BITS
    return stale


def stale_markers(count: int) -> NDArray[np.float64]:
    """So many markers."""
    return np.full(count, _STALE_BITS, dtype=np.uint64).view(np.float64)


def write(server: Server, series: Iterable[AnySeries]) -> int:
    """Send all samples in requests of bounded size; how many they were.

    Raises:
        WriteError: Prometheus refused, for instance samples out of order.
        ServerError: it doesn't answer.
    """
    written = 0
    for request in _requests(series):
        body = b"".join(_length_delimited(1, _time_series(part)) for part in request)
        _post(server, body)
        written += sum(map(len, request))
    server.flush()
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


def _requests(series: Iterable[AnySeries]) -> Iterator[list[AnySeries]]:
    """Requests of at most SAMPLES_PER_REQUEST samples; a long series goes on in the next one."""
    request: list[AnySeries] = []
    room = SAMPLES_PER_REQUEST
    for one in series:
        begin = 0
        while begin < len(one):
            part = one.part(begin, begin + room)
            request.append(part)
            begin += len(part)
            room -= len(part)
            if not room:
                yield request
                request, room = [], SAMPLES_PER_REQUEST
    if request:
        yield request


def _time_series(series: AnySeries) -> bytes:
    labels = b"".join(
        _length_delimited(1, _length_delimited(1, name.encode()) + _length_delimited(2, value.encode()))
        for name, value in sorted(series.labels.items())  # the specification wants them sorted
    )
    return labels + series.encoded()


def _samples(timestamps_ms: NDArray[np.int64], values: NDArray[np.float64]) -> bytes:
    records = np.zeros(len(values), dtype=_SAMPLE)
    records["field_and_size"] = (0x12, _SAMPLE.itemsize - 2)  # field 2, length-delimited
    records["value_field"] = 0x09  # field 1, eight bytes
    records["value"] = values
    records["timestamp_field"] = 0x10  # field 2, varint
    records["timestamp"] = _timestamps(timestamps_ms)
    return records.tobytes()


def _timestamps(timestamps_ms: NDArray[np.int64]) -> NDArray[np.uint8]:
    """A varint of six bytes for each."""
    if len(timestamps_ms) and not (timestamps_ms.min() >= _EARLIEST and timestamps_ms.max() <= _LATEST):
        raise ValueError("timestamps are milliseconds between the years 1971 and 2109")
    shifts = 7 * np.arange(_TIMESTAMP_BYTES)
    varints = ((timestamps_ms[:, np.newaxis] >> shifts) & 0x7F).astype(np.uint8)
    varints[:, :-1] |= 0x80  # more follows
    return varints


def _histograms(series: NativeHistograms) -> bytes:
    """Float histograms, whose counts need no differences between samples; field 4 of a TimeSeries.

    Source: prompb/types.proto of Prometheus, message Histogram.
    """
    # 2.42 refuses what has no observation, and a marker needs none: it gets one.
    counts = np.where(series.ended[:, np.newaxis], np.eye(1, series.buckets.shape[1]), series.buckets)
    buckets = counts.shape[1]
    layout = np.dtype(
        [
            ("head", "u1", 3),  # field 4 and its size; field 2, eight bytes: the count
            ("count", "<f8"),
            ("sum_field", "u1"),  # field 3
            ("sum", "<f8"),
            # Field 4, schema 0. Fields 5 and 7: nothing is so small that it counts as zero. Field 11: one span of
            # buckets, its offset (zigzag) and its length. Field 13: their counts.
            ("schema_and_zero", "u1", 2 + 9 + 9),
            ("span", "u1", 6),
            ("counts_field", "u1", 2),
            ("counts", "<f8", (buckets,)),
            ("timestamp_field", "u1"),  # field 15
            ("timestamp", "u1", _TIMESTAMP_BYTES),
        ]
    )
    records = np.zeros(len(series), dtype=layout)
    records["head"] = (0x22, layout.itemsize - 2, 0x11)
    records["count"] = counts.sum(axis=1)
    records["sum_field"] = 0x19
    middles = 0.75 * 2.0 ** (series.lowest + np.arange(buckets))
    records["sum"] = np.where(series.ended, STALE, counts @ middles)
    records["schema_and_zero"] = [0x20, 0, 0x29, *[0] * 8, 0x39, *[0] * 8]
    records["span"] = (0x5A, 4, 0x08, _zigzag(series.lowest), 0x10, buckets)
    records["counts_field"] = (0x6A, 8 * buckets)
    records["counts"] = counts
    records["timestamp_field"] = 0x78
    records["timestamp"] = _timestamps(series.timestamps_ms)
    return records.tobytes()


def _zigzag(number: int) -> int:
    return number << 1 if number >= 0 else -number * 2 - 1


def _length_delimited(field: int, content: bytes) -> bytes:
    return bytes([field << 3 | 2]) + _varint(len(content)) + content


def _varint(number: int) -> bytes:
    out = bytearray()
    while number >= 0x80:  # noqa: PLR2004 - the bit that says "more follows"
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)
