"""Durations as Prometheus writes them: `30d`, `1h30m`, `300ms`."""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Self

# Units in descending order, as Prometheus requires them (Prometheus documentation, "Time durations").
_UNIT_MILLISECONDS = {
    "y": 365 * 86_400_000,
    "w": 7 * 86_400_000,
    "d": 86_400_000,
    "h": 3_600_000,
    "m": 60_000,
    "s": 1_000,
    "ms": 1,
}
_PATTERN = re.compile("".join(rf"(?:(?P<{unit}>[0-9]+){unit})?" for unit in _UNIT_MILLISECONDS))


@dataclass(frozen=True, slots=True, order=True)
class Duration:
    """A length of time in whole milliseconds, the resolution of Prometheus."""

    milliseconds: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `1h30m`.

        Raises:
            ValueError: the text is not a duration as Prometheus writes them, or it is zero; the message says which.
        """
        match = _PATTERN.fullmatch(text)
        if not text or match is None:
            raise ValueError(f"{text!r} is not a duration")
        milliseconds = sum(int(count) * _UNIT_MILLISECONDS[unit] for unit, count in match.groupdict("0").items())
        if milliseconds == 0:
            raise ValueError(f"{text!r} is no time at all")
        return cls(milliseconds)

    @property
    def seconds(self) -> float:
        """The length in seconds."""
        return self.milliseconds / 1000

    def __str__(self) -> str:
        """The shortest form that Prometheus reads: `30d`, `1h30m`, `4m59s999ms`."""
        return _written(self.milliseconds)

    def __truediv__(self, other: "Duration") -> float:
        """How many times `other` fits into this."""
        return self.milliseconds / other.milliseconds

    def __add__(self, other: "Duration") -> "Duration":
        """Both lengths together."""
        return Duration(self.milliseconds + other.milliseconds)

    def __mul__(self, factor: int) -> "Duration":
        """This duration `factor` times."""
        return Duration(self.milliseconds * factor)

    def __sub__(self, other: "Duration") -> "Duration":
        """This without the other, which is shorter."""
        return Duration(self.milliseconds - other.milliseconds)

    def just_under(self) -> "Duration":
        """One millisecond less: a range that holds the same entries on every Prometheus.

        Prometheus 2.x ranges are closed on both sides, 3.x half-open on the left: `[5m]` over minute entries counts
        one too many (+20 %) on 2.x when the phases of both rule groups agree, `[4m59s999ms]` is exact on both.
        """
        return Duration(self.milliseconds - 1)


@lru_cache(maxsize=1024)
def _written(milliseconds: int) -> str:
    """Expressions are printed with the same few durations again and again."""
    if milliseconds < 0:
        return f"-{_written(-milliseconds)}"  # an offset into the future
    rest, parts = milliseconds, []
    # No years and weeks: 30d says more than 4w2d.
    for unit in ("d", "h", "m", "s", "ms"):
        count, rest = divmod(rest, _UNIT_MILLISECONDS[unit])
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or "0s"


MINUTE = Duration.parse("1m")
FIVE_MINUTES = Duration.parse("5m")
