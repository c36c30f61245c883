"""Spans of sequence numbers; pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from sereno_backends.logs.sequences import BLOCK

Span = tuple[int, int]
"""Lowest and highest number, both included."""


def suspects(blocks: Mapping[int, Sequence[int]], first: int, highest: int, *, exact: bool) -> Iterator[Span]:
    """Spans of `first` to `highest` that are not known to be there exactly once.

    Args:
        blocks: by number of the block: how many documents it has, and the sum of their numbers.
        first: the lowest number that was emitted.
        highest: the highest one.
        exact: trust no count and no sum.
    """
    expected = first
    for number, (documents, total) in sorted(blocks.items()):
        low, high = max(first, number * BLOCK), min(highest, number * BLOCK + BLOCK - 1)
        if expected < low:
            yield expected, low - 1
        size = high - low + 1
        if exact or documents != size or total * 2 != (low + high) * size:
            yield low, high
        expected = high + 1
    if expected <= highest:
        yield expected, highest


def merged(spans: Iterable[Span]) -> list[Span]:
    """Neighbouring spans as one."""
    found: list[Span] = []
    for low, high in sorted(spans):
        if found and found[-1][1] + 1 >= low:
            found[-1] = found[-1][0], max(high, found[-1][1])
        else:
            found.append((low, high))
    return found


def without(span: Span, taken: Span) -> list[Span]:
    """What is left of a span."""
    parts = ((span[0], min(span[1], taken[0] - 1)), (max(span[0], taken[1] + 1), span[1]))
    return [part for part in dict.fromkeys(parts) if part[0] <= part[1]]
