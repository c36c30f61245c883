"""The shop that is extracted from: what it sells, what it tells wrong, how often it may be asked."""

from datetime import UTC, datetime, timedelta

from etl.transform.rows import reshape
from etl.upstream.garbage import WRONG_BY_NATURE, served
from etl.upstream.quota import Quota
from etl.upstream.shop import Page, Shop

NOON = datetime(2026, 11, 20, 13, tzinfo=UTC)
NIGHT = datetime(2026, 11, 20, 4, tzinfo=UTC)


def pages(shop: Shop, begin: datetime, end: datetime) -> list[Page]:
    """All pages of a time."""
    found = [shop.page(shop.after_time(begin), 100, end)]
    while found[-1].has_more:
        found.append(shop.page(found[-1].last, 100, end))
    return found


def sold(shop: Shop, begin: datetime, seconds: int) -> list[dict[str, object]]:
    """All orders of a time."""
    return [order for page in pages(shop, begin, begin + timedelta(seconds=seconds)) for order in page.orders]


def test_more_is_sold_at_noon_than_at_night() -> None:
    """1.30 times the mean at 13 o'clock, 0.75 times at 4."""
    shop = Shop(10)
    assert 12.0 < len(sold(shop, NOON, 600)) / 600 < 14.0
    assert 6.5 < len(sold(shop, NIGHT, 600)) / 600 < 8.5


def test_pages_follow_each_other_without_gap_or_double() -> None:
    """Whoever asks page by page has each order once, whatever the pages' size, and again the same after a restart."""
    once = [order["id"] for order in sold(Shop(10), NOON, 300)]
    assert once == sorted(set(map(int, map(str, once))))
    shop, after = Shop(10), Shop(10).after_time(NOON)
    small: list[object] = []
    while True:
        page = shop.page(after, 7, NOON + timedelta(seconds=300))
        small.extend(order["id"] for order in page.orders)
        after = page.last
        if not page.has_more:
            break
    assert small == once


def test_who_asks_for_the_beginning_of_time_gets_a_page_soon() -> None:
    """A page looks at a bounded number of slots; an empty one still leads on."""
    page = Shop(10).page(0, 100, NOON)
    assert page.has_more
    assert 0 < page.last < 100_000


def test_orders_are_right_but_for_one_in_many() -> None:
    """By nature one of five hundred is told wrong; a fault spoils what it says."""
    orders = sold(Shop(50), NOON, 200)
    natural = sum(int(str(order["id"])) % WRONG_BY_NATURE == 0 for order in orders)
    assert natural > 0
    assert rejected(orders, spoilt=False) == natural
    assert rejected(orders, spoilt=True) == len(orders)


def rejected(orders: list[dict[str, object]], *, spoilt: bool) -> int:
    """How many of these orders transform rejects as they are told."""
    lines = [str(row).replace("'", '"').encode() for row in served(orders, lambda: spoilt)]
    return len(reshape(lines, NOON + timedelta(days=1))[1])


def test_an_hours_requests_are_counted() -> None:
    """So many are granted, then none until the clock's next hour; looking costs nothing."""
    now = 7200.0 + 3500
    quota = Quota(3, lambda: 0.0, lambda: now)
    assert [quota.ask().remaining for _ in range(3)] == [2, 1, 0]
    refused = quota.ask()
    assert not refused.granted
    assert refused.headers()["Retry-After"] == "101"
    assert quota.ask(0).granted
    now += 100
    assert quota.ask().remaining == 2


def test_what_others_take_with_our_key_is_missing() -> None:
    """They use it up; once the shop has stopped them, ours is there again."""
    now, others = 7200.0, 0.0
    quota = Quota(100, lambda: others, lambda: now)
    quota.ask()
    others, now = 10.0, now + 5
    assert quota.ask(0).remaining == 49
    now += 60
    assert not quota.ask().granted
    others = 0.0
    assert quota.ask().remaining == 98
