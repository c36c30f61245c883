"""From a raw row to an order, or to the reason why it is none. Pure."""

import json
import re
from collections.abc import Container, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation

from etl.model import Order, Rejected

CURRENCIES = frozenset({"COP", "EUR", "USD"})

# Also the labels of a metric: few, and without what the row says.
NO_ROW = "no row"
NO_NUMBER = "no order number"
NO_CUSTOMER = "no customer"
NO_TEXT = "customer isn't text"
WRONG_AMOUNT = "amount isn't positive"
UNKNOWN_CURRENCY = "unknown currency"
UNKNOWN_COUNTRY = "no country"
WRONG_TIME = "no time"
IN_THE_FUTURE = "in the future"
TWICE = "twice in the batch"
OBJECT_MISSING = "raw object missing"

REASONS = (
    NO_ROW, NO_NUMBER, NO_CUSTOMER, NO_TEXT, WRONG_AMOUNT, UNKNOWN_CURRENCY, UNKNOWN_COUNTRY, WRONG_TIME,
    IN_THE_FUTURE, TWICE, OBJECT_MISSING,
)  # fmt: skip

_CLOCKS_DIFFER = timedelta(minutes=5)
_LARGEST_AMOUNT = Decimal(10**12)
_LONGEST_KEPT = 1000
_LONGEST_CUSTOMER = 64


class _Wrong(Exception):  # noqa: N818 - reads as what happened
    """Holds the reason."""


def reshape(lines: Iterable[bytes], now: datetime) -> tuple[tuple[Order, ...], tuple[Rejected, ...]]:
    """The orders of a raw object, and its rows that are none; each line is in one of them."""
    orders: dict[int, Order] = {}
    rejected: list[Rejected] = []
    for position, line in enumerate(lines):
        try:
            order = _order(line, now, orders)
        except _Wrong as wrong:
            text = line.decode(errors="replace").replace("\0", "�")[:_LONGEST_KEPT]  # PostgreSQL stores no NUL
            rejected.append(Rejected(position, str(wrong), text))
        else:
            orders[order.order_id] = order
    return tuple(orders.values()), tuple(rejected)


def lost(rows: int) -> Sequence[Rejected]:
    """What stands for rows whose object is gone: they are accounted for, too."""
    return tuple(Rejected(position, OBJECT_MISSING, "") for position in range(rows))


def _order(line: bytes, now: datetime, known: Container[int]) -> Order:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        raise _Wrong(NO_ROW) from None
    if not isinstance(row, dict):
        raise _Wrong(NO_ROW)
    number = _number(row.get("id"))
    if number in known:
        raise _Wrong(TWICE)
    return Order(
        order_id=number,
        customer=_customer(row.get("customer")),
        amount_cents=_cents(row.get("amount")),
        currency=_currency(row.get("currency")),
        country=_country(row.get("country")),
        ordered_at=_moment(row.get("ordered_at"), now),
    )


def _number(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value < 2**63:
        raise _Wrong(NO_NUMBER)
    return value


def _customer(value: object) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= _LONGEST_CUSTOMER:
        raise _Wrong(NO_CUSTOMER)
    if "\0" in value or not _encodes(value):
        raise _Wrong(NO_TEXT)
    return value


def _encodes(text: str) -> bool:
    r"""Whether it is UTF-8: JSON can say half a character (`\ud800`), which no database stores."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _cents(value: object) -> int:
    try:
        amount = Decimal(value) if isinstance(value, str) else Decimal(0)
    except InvalidOperation:
        raise _Wrong(WRONG_AMOUNT) from None
    if not amount.is_finite() or not 0 < amount < _LARGEST_AMOUNT or amount * 100 != int(amount * 100):
        raise _Wrong(WRONG_AMOUNT)
    return int(amount * 100)


def _currency(value: object) -> str:
    if not isinstance(value, str) or value.upper() not in CURRENCIES:
        raise _Wrong(UNKNOWN_CURRENCY)
    return value.upper()


def _country(value: object) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"[A-Z]{2}", value):
        raise _Wrong(UNKNOWN_COUNTRY)
    return value


def _moment(value: object, now: datetime) -> datetime:
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else None
        if moment is None or moment.tzinfo is None:
            raise _Wrong(WRONG_TIME)
        # As UTC, where the year 1 may become the one before: PostgreSQL stores that, and nobody here could read it.
        moment = moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise _Wrong(WRONG_TIME) from None
    if moment > now + _CLOCKS_DIFFER:
        raise _Wrong(IN_THE_FUTURE)
    return moment
