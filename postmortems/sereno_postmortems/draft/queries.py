"""PromQL as values until it is printed; label values come from alerts, so anything may be in them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from sereno_postmortems.draft.windows import Window

MILLISECOND = timedelta(milliseconds=1)
PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.:/ ")


@dataclass(frozen=True, slots=True)
class Selector:
    """A metric name and label values that must be equal."""

    metric: str
    labels: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        matchers = ", ".join(f'{name}="{label_text(value)}"' for name, value in self.labels.items())
        return f"{self.metric}{{{matchers}}}" if matchers else self.metric

    def within(self, window: Window) -> str:
        """The range selector that, evaluated at the window's end, holds exactly what lies in (start, end].

        A millisecond less than the window: ranges are closed in Prometheus 2.x and half-open on the left in 3.x, and
        an entry stamped at the start itself would count a minute before the window.
        """
        return f"{self}[{range_of(window)}]"


def total_within(selector: Selector, window: Window) -> str:
    """The sum of a series' entries within a window, evaluated at its end."""
    return f"sum_over_time({selector.within(window)})"


def entries_within(selector: Selector, window: Window) -> str:
    """How many entries a series has within a window, evaluated at its end."""
    return f"count_over_time({selector.within(window)})"


def range_of(window: Window) -> str:
    """A window's length less a millisecond, as Prometheus writes it; see `Selector.within`."""
    return _duration(window.length - MILLISECOND)


def counted_within(selector: str, job: str, window: Window) -> str:
    """How much each counter grew within a window, evaluated at its end; one born within it counts from its birth.

    `increase` knows no birth: of a status code that appears in the incident it would lose the first requests; and it
    extrapolates, so that it is only asked of counters that were reset or have ended. Only what appears on a target that
    was there before, or that was started since, was born: of others the server hasn't seen the beginning.

    Args:
        selector: of the counters.
        job: matchers of their targets' process start; empty for all.
        window: evaluated at its end.
    """
    length = range_of(window)
    started = f"(process_start_time_seconds{{{job}}} > time() - {window.length.total_seconds():.0f})"
    known = f"({selector} offset {length} or {started})"
    born = f"(({selector} unless {selector} offset {length}) and on (job, instance) {known})"
    grown = f"(({selector} - {selector} offset {length}) unless (resets({selector}[{length}]) > 0))"
    return f"({born} or {grown} or increase({selector}[{length}]))"


def _duration(length: timedelta) -> str:
    """As Prometheus writes it, exact to the millisecond: 25m59s999ms."""
    rest = length // MILLISECOND
    parts = []
    for unit, milliseconds in (("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)):
        count, rest = divmod(rest, milliseconds)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts)


def label_text(value: str, plain: frozenset[str] = PLAIN) -> str:
    """A label value inside a PromQL string.

    Everything that isn't plain is written as its code: the query finds the same series, and its text means nothing to
    Markdown or HTML when it is printed into a draft.
    """
    return "".join(character if character in plain else _code(character) for character in value)


def _code(character: str) -> str:
    return f"\\U{ord(character):08x}"
