"""What the shop has sold: a function of the time, so that restarts forget nothing and pages are the same again."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import blake2b
from math import ceil, floor

from reference_system.traffic import relative_traffic

# So many possible orders for each that is made on the mean: the day's busiest hour has 1.30 times the mean.
_SLOTS_FOR_AN_ORDER = 1.4

# Who asks for the beginning of time gets an empty page, and not all of it.
_MOST_SLOTS_FOR_A_PAGE = 5000

_CURRENCIES = ("EUR", "USD", "COP")
_COUNTRIES = ("CO", "DE", "ES", "FR", "US")


@dataclass(frozen=True, slots=True)
class Page:
    """Some orders, and where the next page begins."""

    orders: tuple[dict[str, object], ...]
    last: int
    """The number up to which there is nothing to fetch any more."""
    has_more: bool


class Shop:
    """Sells `orders_per_second` on the mean of a day, more at noon than at night.

    Time is divided into slots that are numbered since the epoch. In a slot there is an order or none; which it is, and
    what was ordered, its number alone decides.
    """

    def __init__(self, orders_per_second: float) -> None:
        self._slots_per_second = orders_per_second * _SLOTS_FOR_AN_ORDER

    def newest(self, now: datetime) -> int:
        """The number of the slot that ended last."""
        return floor(now.timestamp() * self._slots_per_second) - 1

    def page(self, after: int, limit: int, now: datetime) -> Page:
        """Up to `limit` orders with numbers above `after`, in their order."""
        newest = self.newest(now)
        found: list[dict[str, object]] = []
        for number in range(after + 1, newest + 1):
            if len(found) == limit or number - after > _MOST_SLOTS_FOR_A_PAGE:
                return Page(tuple(found), number - 1, has_more=True)
            found.extend(self._sold(number))
        return Page(tuple(found), max(after, newest), has_more=False)

    def after_time(self, moment: datetime) -> int:
        """The number after which orders are younger than this moment."""
        return ceil(moment.timestamp() * self._slots_per_second) - 1

    def _sold(self, number: int) -> Iterator[dict[str, object]]:
        moment = datetime.fromtimestamp(number / self._slots_per_second, UTC)
        draw = _draws(number)
        if draw[0] / 2**32 * _SLOTS_FOR_AN_ORDER < relative_traffic(moment):
            yield {
                "id": number,
                "customer": f"C-{draw[1] % 5000:05d}",
                "amount": f"{1 + draw[2] % 40_000 / 100:.2f}",
                "currency": _CURRENCIES[draw[3] % len(_CURRENCIES)].lower(),
                "country": _COUNTRIES[draw[4] % len(_COUNTRIES)],
                "ordered_at": moment.isoformat(),
            }


def _draws(number: int) -> tuple[int, ...]:
    digest = blake2b(number.to_bytes(8), digest_size=20).digest()
    return tuple(int.from_bytes(digest[at : at + 4]) for at in range(0, 20, 4))
