"""What is found out once for many lines: dictionaries that fill themselves and stay small."""

import re

from sereno_backends.logs.ecs import parse_timestamp
from sereno_backends.logs.elasticsearch_documents import stream_name

MOST_ENTRIES = 1_024

_SECOND = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:[0-5]\d", re.ASCII)


class Streams(dict[str, str]):
    """The data stream of each dataset."""

    def __init__(self, namespace: str) -> None:
        super().__init__()
        self._namespace = namespace

    def __missing__(self, dataset: str) -> str:
        """Found when it is asked for first."""
        if len(self) >= MOST_ENTRIES:
            self.clear()
        stream = self[dataset] = stream_name(dataset, self._namespace)
        return stream


class Hours(dict[str, str]):
    """The hour (`2026-11-25T23`) of each second (`2026-11-25T23:59:59`, UTC); empty where no store keeps the second."""

    def __missing__(self, second: str) -> str:
        """Found when it is asked for first."""
        if len(self) >= MOST_ENTRIES:
            self.clear()
        usable = _SECOND.fullmatch(second) is not None and parse_timestamp(f"{second}Z") is not None
        hour = self[second] = second[:13] if usable else ""
        return hour
