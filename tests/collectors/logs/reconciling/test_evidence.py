"""What files of lines tell of emitted numbers."""

from datetime import timedelta
from pathlib import Path

import orjson
from sereno_backends.logs.ecs import format_timestamp
from sereno_collectors.logs.reconciling import Known
from sereno_collectors.logs.reconciling.evidence import known_from_file
from sereno_collectors.logs.reconciling.model import Whereabouts
from support.log_records import NOON


def _line(number: int, at: float = 0) -> bytes:
    moment = format_timestamp(NOON + timedelta(seconds=at))
    return orjson.dumps({"@timestamp": moment, "service.node.name": "checkout-1", "event.sequence": number})


def _known(low: int, high: int) -> Known:
    return Known(Whereabouts.FILE, "", "checkout-1", low, high, NOON)


def test_consecutive_numbers_are_one_span_in_any_order(tmp_path: Path) -> None:
    """Lines of several threads may stand in another order than their numbers, and twice."""
    path = tmp_path / "app.log"
    path.write_bytes(b"\n".join(_line(number) for number in (5, 4, 1, 2, 2, 9, 3, 5)))
    assert known_from_file(path, NOON + timedelta(hours=1)) == [_known(1, 5), _known(9, 9)]


def test_the_newest_lines_are_still_on_their_way(tmp_path: Path) -> None:
    """What was written at the end of the window or behind it is not asked for."""
    path = tmp_path / "app.log"
    path.write_bytes(b"\n".join((_line(1), _line(2, at=59), _line(3, at=60), _line(4, at=61))))
    assert known_from_file(path, NOON + timedelta(seconds=60)) == [_known(1, 2)]
