"""From raw rows to orders."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from etl.model import (
    Batch,
    NoMessage,
    Order,
    batch_message,
    read_batch_message,
    read_rows_message,
    rows_message,
)
from etl.transform import rows
from etl.transform.rows import lost, reshape

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
RIGHT = {
    "id": 7,
    "customer": "C-00001",
    "amount": "12.50",
    "currency": "eur",
    "country": "CO",
    "ordered_at": "2026-11-20T11:59:58.5+00:00",
}
ORDER = Order(7, "C-00001", 1250, "EUR", "CO", datetime(2026, 11, 20, 11, 59, 58, 500_000, UTC))


def line(**fields: object) -> bytes:
    """A right row, but for these fields."""
    return json.dumps({**RIGHT, **fields}).encode()


def test_a_right_row_is_an_order() -> None:
    """Amounts become cents, currencies upper case, times UTC."""
    assert reshape([line()], NOW) == ((ORDER,), ())
    (elsewhere,), _ = reshape([line(ordered_at="2026-11-20T11:59:58.5+00:00:01.25")], NOW)
    assert elsewhere.ordered_at.isoformat() == "2026-11-20T11:59:57.250000+00:00"


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"", rows.NO_ROW),
        (b"{", rows.NO_ROW),
        (b"[" * 100_000, rows.NO_ROW),
        (b'"text"', rows.NO_ROW),
        (b"\xff", rows.NO_ROW),
        (line(id=None), rows.NO_NUMBER),
        (line(id=True), rows.NO_NUMBER),
        (line(id=0), rows.NO_NUMBER),
        (line(id=2**63), rows.NO_NUMBER),
        (line(customer=""), rows.NO_CUSTOMER),
        (line(customer="a\0b"), rows.NO_TEXT),
        (line(customer="C-\ud800"), rows.NO_TEXT),
        (line(customer="C-?").replace(b"?", b"\xed\xa0\x80"), rows.NO_TEXT),
        (line(customer="x" * 65), rows.NO_CUSTOMER),
        (line(amount="-1"), rows.WRONG_AMOUNT),
        (line(amount="0"), rows.WRONG_AMOUNT),
        (line(amount="NaN"), rows.WRONG_AMOUNT),
        (line(amount="Infinity"), rows.WRONG_AMOUNT),
        (line(amount="1.005"), rows.WRONG_AMOUNT),
        (line(amount="1e99"), rows.WRONG_AMOUNT),
        (line(amount="1e999999999"), rows.WRONG_AMOUNT),
        (line(amount=1.5), rows.WRONG_AMOUNT),
        (line(currency="GBP"), rows.UNKNOWN_CURRENCY),
        (line(country="Spain"), rows.UNKNOWN_COUNTRY),
        (line(country="CO\n"), rows.UNKNOWN_COUNTRY),
        (line(ordered_at="yesterday"), rows.WRONG_TIME),
        (line(ordered_at="2026-11-20T11:00:00"), rows.WRONG_TIME),
        (line(ordered_at="0001-01-01T00:00:00+14:00"), rows.WRONG_TIME),
        (line(ordered_at=(NOW + timedelta(minutes=6)).isoformat()), rows.IN_THE_FUTURE),
    ],
)
def test_a_wrong_row_is_rejected_with_its_reason(raw: bytes, reason: str) -> None:
    """It is kept as it came, and the rows around it are orders all the same."""
    orders, rejected = reshape([raw, line()], NOW)
    assert orders == (ORDER,)
    assert [(each.position, each.reason) for each in rejected] == [(0, reason)]
    assert reason in rows.REASONS
    assert "\0" not in rejected[0].row


def test_every_line_is_accounted_for() -> None:
    """Orders and rejected rows are as many as lines; a number that comes twice is one order."""
    lines = [line(), line(amount="9"), b"", line(id=8), line(id=8)]
    orders, rejected = reshape(lines, NOW)
    assert [order.order_id for order in orders] == [7, 8]
    assert [(each.position, each.reason) for each in rejected] == [(1, rows.TWICE), (2, rows.NO_ROW), (4, rows.TWICE)]
    assert {each.reason for each in lost(3)} == {rows.OBJECT_MISSING}
    assert len(lost(3)) == 3


def test_messages_come_back_as_they_went() -> None:
    """What a stage tells the next one is what that reads."""
    batch = Batch("orders-1", "raw/orders-1", 3)
    assert read_batch_message(batch_message(batch)) == batch
    assert read_rows_message(rows_message("orders-1", [ORDER])) == ("orders-1", (ORDER,))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{}",
        b"\xff",
        b'{"batch_id": "x", "orders": [{}], "object_key": "k"}',
        b'{"batch_id": "x", "orders": [1], "object_key": "k", "rows": Infinity}',
        b'{"batch_id": "\\ud800", "orders": [], "object_key": "\\u0000", "rows": 1}',
        b'{"batch_id": "", "orders": [], "object_key": "", "rows": 1}',
        rows_message("x", [replace(ORDER, customer=7)]),  # type: ignore[arg-type] # it is wrong
        rows_message("x", [replace(ORDER, order_id=True)]),
        rows_message("x", [replace(ORDER, ordered_at=ORDER.ordered_at.replace(tzinfo=None))]),
    ],
)
def test_what_is_no_message_is_told(body: bytes) -> None:
    """Whatever the queue holds, it is `NoMessage` and nothing else."""
    with pytest.raises(NoMessage):
        read_batch_message(body)
    with pytest.raises(NoMessage):
        read_rows_message(body)
