"""The latest exemplars of this process, which prometheus_client's mapped files have no place for.

Each exemplar is kept in memory when it is made; a thread of its own writes them into a file of this process, at most
once a second and only after there was a new one. Whoever is scraped merges the files of all processes.
"""

import math
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import orjson
from prometheus_client import values
from prometheus_client.samples import Exemplar

from sereno_telemetry.processes.folder import replace
from sereno_telemetry.processes.merging import newest

WRITE_INTERVAL_SECONDS = 1.0

MOST_EXEMPLARS = 2_000
"""Of more series than this, those with the oldest exemplars go without."""


class ExemplarKeeper:
    """Keeps the exemplars of this process in memory, and writes them to `path()`, which names the process.

    `failed` is told what went wrong while writing.
    """

    def __init__(self, path: Callable[[], Path], failed: Callable[[Exception], None]) -> None:
        self._path = path
        self.failed = failed
        self.forget()

    def forget(self) -> None:
        """Begin with nothing, as a child does after a fork; the thread is its parent's."""
        self._latest: dict[str, Exemplar] = {}
        self._dirty = threading.Event()
        self._writer: threading.Thread | None = None
        self._starting = threading.Lock()

    def remember(self, key: str, exemplar: Exemplar) -> None:
        """Take the newest exemplar of a sample; called where requests are measured."""
        self._latest[key] = exemplar
        if not self._dirty.is_set():
            self._dirty.set()
            if self._writer is None:
                self._start()

    def latest(self, key: str) -> Exemplar | None:
        """The newest exemplar of a sample of this process."""
        return self._latest.get(key)

    def _start(self) -> None:
        with self._starting:
            if self._writer is None:
                self._writer = threading.Thread(target=self._write_for_ever, name="sereno-exemplars", daemon=True)
                self._writer.start()

    def _write_for_ever(self) -> None:
        rest = threading.Event()
        while True:
            self._dirty.wait()
            self._dirty.clear()
            try:
                self.write()
            except Exception as error:  # noqa: BLE001 - fail open
                self.failed(error)
            rest.wait(WRITE_INTERVAL_SECONDS)

    def write(self) -> None:
        """Write what is known into the file of this process."""
        known = self._latest.copy()
        if len(known) > MOST_EXEMPLARS:
            by_age = sorted(known, key=lambda key: known[key].timestamp or 0)
            for key in by_age[: len(known) - MOST_EXEMPLARS]:
                del known[key]
                self._latest.pop(key, None)
        replace(self._path(), encode(known))


def hand_exemplars_to(keeper: ExemplarKeeper) -> bool:
    """Have the values of prometheus_client give their exemplars to `keeper`; False if they aren't as expected.

    Its class for values in files drops them. This changes that class, so metrics that exist already are included.
    """
    value_class: Any = values.ValueClass
    if not (getattr(value_class, "_multiprocess", False) and callable(getattr(value_class, "set_exemplar", None))):
        return False

    def set_exemplar(value: Any, exemplar: Exemplar) -> None:
        try:
            keeper.remember(value._key, exemplar)  # noqa: SLF001 - the key under which the file has the value
        except Exception as error:  # noqa: BLE001 - this is where the service counts
            keeper.failed(error)

    def get_exemplar(value: Any) -> Exemplar | None:
        return keeper.latest(value._key)  # noqa: SLF001

    value_class.set_exemplar = set_exemplar
    value_class.get_exemplar = get_exemplar
    return True


def encode(exemplars: Mapping[str, Exemplar]) -> bytes:
    """The form of exemplars in files; those that JSON has no form for (lone surrogates) are left out."""
    try:
        return orjson.dumps({key: to_json(exemplar) for key, exemplar in exemplars.items()})
    except orjson.JSONEncodeError:
        return orjson.dumps({key: to_json(exemplar) for key, exemplar in exemplars.items() if _has_form(exemplar)})


def to_json(exemplar: Exemplar) -> list[object]:
    """The form of one exemplar in files."""
    return [exemplar.labels, number_to_json(exemplar.value), exemplar.timestamp]


def number_to_json(value: float) -> float | str:
    """JSON has no NaN and no infinity: they are written by their names, which float() reads."""
    return value if math.isfinite(value) else repr(float(value))


def _has_form(exemplar: Exemplar) -> bool:
    try:
        orjson.dumps(to_json(exemplar))
    except orjson.JSONEncodeError:
        return False
    return True


def decode(content: bytes) -> dict[str, Exemplar]:
    """The exemplars in a file.

    Raises:
        ValueError: the content is torn, or of somebody else.
    """
    return from_json(orjson.loads(content))


def from_json(document: Any) -> dict[str, Exemplar]:
    """The exemplars in a part of a file.

    Raises:
        ValueError: there is something else in it.
    """
    match document:
        case dict():
            return {key: _exemplar(item) for key, item in document.items()}
    raise ValueError("where exemplars should be is no object")


def _exemplar(item: Any) -> Exemplar:
    match item:
        case [dict() as labels, (int() | float() | str()) as value, (int() | float() | None) as timestamp] if all(
            isinstance(text, str) for pair in labels.items() for text in pair
        ):
            return Exemplar(labels, float(value), timestamp)
    raise ValueError(f"not an exemplar: {item!r}")


def read_exemplars(path: Path, on_error: Callable[[Exception], None]) -> dict[str, Exemplar]:
    """The exemplars in `path`: none if it isn't there, or can't be read, which is told to `on_error`."""
    try:
        return decode(path.read_bytes())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        on_error(error)
        return {}


def merge_exemplars(into: dict[str, Exemplar], more: Mapping[str, Exemplar]) -> None:
    """Keep the newest of each sample in `into`."""
    for key, exemplar in more.items():
        into[key] = newest(into.get(key), exemplar) or exemplar
