"""What is wrong with the shop's rows: seldom by nature, often while a fault is on."""

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta

Row = dict[str, object]

WRONG_BY_NATURE = 500
"""One order of so many is wrong also on good days."""


def _negative(row: Row) -> object:
    return {**row, "amount": f"-{row['amount']}"}


def _no_customer(row: Row) -> object:
    return {name: value for name, value in row.items() if name != "customer"}


def _no_currency(row: Row) -> object:
    return {**row, "currency": "???"}


def _from_the_future(row: Row) -> object:
    return {**row, "ordered_at": (datetime.now(UTC) + timedelta(days=365)).isoformat()}


def _cut_off(row: Row) -> object:
    return str(row)[:40]


_SPOILS: tuple[Callable[[Row], object], ...] = (_negative, _no_customer, _no_currency, _from_the_future, _cut_off)


def served(orders: Iterable[Row], is_spoilt: Callable[[], bool]) -> Iterator[object]:
    """The orders as the shop's API tells them.

    Args:
        orders: as they were sold.
        is_spoilt: asked for each; True: it is told wrong.
    """
    for order in orders:
        number = int(str(order["id"]))
        if is_spoilt() or number % WRONG_BY_NATURE == 0:
            yield _SPOILS[number // 7 % len(_SPOILS)](order)
        else:
            yield order
