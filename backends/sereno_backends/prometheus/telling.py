"""Answers to several questions that were asked in one, told apart by a label that each was given."""

from collections.abc import Container, Iterable, Iterator
from typing import TypeVar

from sereno_backends.prometheus.errors import PrometheusUnreachable
from sereno_backends.prometheus.model import Columns, Sample, Series

Labelled = TypeVar("Labelled", Sample, Series, Columns)


def told_apart(
    found: Iterable[Labelled], label: str, names: Container[str], *, server: str
) -> Iterator[tuple[str, Labelled]]:
    """Each with the name of the question that it answers.

    Raises:
        PrometheusUnreachable: one answers none of them: something between here and the server answers for it.
    """
    for each in found:
        name = each.labels.get(label)
        if name is None or name not in names:
            raise PrometheusUnreachable(f"{server} answers something else than it was asked: a series without {label}")
        yield name, each
