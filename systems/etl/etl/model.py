"""What the stages speak of."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

PIPELINE = "orders"
TRANSFORM_QUEUE = "etl.transform"
LOAD_QUEUE = "etl.load"
DEAD_LETTERS = "etl.dead-letters"
MESSAGING_SYSTEM = "rabbitmq"


@dataclass(frozen=True, slots=True)
class Order:
    """One row of the loaded table."""

    order_id: int
    customer: str
    amount_cents: int
    currency: str
    country: str
    ordered_at: datetime
    """Aware."""


@dataclass(frozen=True, slots=True)
class Rejected:
    """A raw row that became no order, and why."""

    position: int
    """In its batch, from 0."""
    reason: str
    row: str
    """As it came."""


@dataclass(frozen=True, slots=True)
class Batch:
    """What one extraction run fetched."""

    batch_id: str
    object_key: str
    """Of the raw rows in S3."""
    rows: int


class DeadLetter(ValueError):  # noqa: N818 - reads as what becomes of it
    """A message that would fail as often as it came; the message of this says why."""

    reason = "refused"


class NoMessage(DeadLetter):
    """The body of a message is none of ours."""

    reason = "malformed"


def batch_message(batch: Batch) -> bytes:
    """What extract tells transform."""
    return json.dumps(asdict(batch)).encode()


def read_batch_message(body: bytes) -> Batch:
    """Undo `batch_message`. Raises `NoMessage`."""
    document = _document(body)
    try:
        return Batch(_name(document["batch_id"]), _name(document["object_key"]), int(document["rows"]))
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise NoMessage(f"no batch is told: {error!r}") from error


def rows_message(batch_id: str, orders: Sequence[Order]) -> bytes:
    """What transform tells load."""
    rows = [{**asdict(order), "ordered_at": order.ordered_at.isoformat()} for order in orders]
    return json.dumps({"batch_id": batch_id, "orders": rows}).encode()


def read_rows_message(body: bytes) -> tuple[str, tuple[Order, ...]]:
    """Undo `rows_message`. Raises `NoMessage`."""
    document = _document(body)
    try:
        return _name(document["batch_id"]), tuple(_order(row) for row in document["orders"])
    except (KeyError, TypeError, ValueError) as error:
        raise NoMessage(f"no rows are told: {error!r}") from error


def _order(row: Mapping[str, Any]) -> Order:
    order = Order(**{**row, "ordered_at": datetime.fromisoformat(row["ordered_at"])})
    numbers, texts = (order.order_id, order.amount_cents), (order.customer, order.currency, order.country)
    if {type(each) for each in numbers} != {int} or {type(each) for each in texts} != {str}:
        raise TypeError("an order's numbers are whole numbers, the rest of it is text")
    if order.ordered_at.tzinfo is None:
        raise ValueError("an order's time has a zone")
    return order


def _name(value: object) -> str:
    """What S3 and the ledger can be asked for."""
    if not isinstance(value, str) or not re.fullmatch("[!-~]{1,200}", value):
        raise ValueError("a name is up to 200 characters of ASCII without spaces")
    return value


def _document(body: bytes) -> Mapping[str, Any]:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise NoMessage(f"it is no JSON: {error}") from error
    if not isinstance(document, dict):
        raise NoMessage("it is no JSON object")
    return document
