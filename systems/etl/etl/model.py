"""What the stages speak of."""

import json
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


class NoMessage(ValueError):  # noqa: N818 - reads as what happened
    """The body of a message is none of ours."""


def batch_message(batch: Batch) -> bytes:
    """What extract tells transform."""
    return json.dumps(asdict(batch)).encode()


def read_batch_message(body: bytes) -> Batch:
    """Undo `batch_message`. Raises `NoMessage`."""
    document = _document(body)
    try:
        return Batch(str(document["batch_id"]), str(document["object_key"]), int(document["rows"]))
    except (KeyError, TypeError, ValueError) as error:
        raise NoMessage(f"no batch is told: {error!r}") from error


def rows_message(batch_id: str, orders: Sequence[Order]) -> bytes:
    """What transform tells load."""
    rows = [{**asdict(order), "ordered_at": order.ordered_at.isoformat()} for order in orders]
    return json.dumps({"batch_id": batch_id, "orders": rows}).encode()


def read_rows_message(body: bytes) -> tuple[str, tuple[Order, ...]]:
    """Undo `rows_message`. Raises `NoMessage`."""
    document = _document(body)
    try:
        orders = (
            Order(**{**row, "ordered_at": datetime.fromisoformat(row["ordered_at"])}) for row in document["orders"]
        )
        return str(document["batch_id"]), tuple(orders)
    except (KeyError, TypeError, ValueError) as error:
        raise NoMessage(f"no rows are told: {error!r}") from error


def _document(body: bytes) -> Mapping[str, Any]:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise NoMessage(f"it is no JSON: {error}") from error
    if not isinstance(document, dict):
        raise NoMessage("it is no JSON object")
    return document
