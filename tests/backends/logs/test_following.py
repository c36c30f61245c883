"""A search that goes on gives every record once, on both stores."""

from datetime import datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st
from sereno_backends.logs import LogQuery, LogRecord, LogStore
from sereno_backends.logs.following import LATE, FollowedSearch, News
from support.log_records import NOON, MakeRecord


class _Clock:
    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now


def _ids(news: News) -> list[str]:
    return [record.record_id for record in news.records]


def _query(limit: int = 2) -> LogQuery:
    return LogQuery(NOON - timedelta(hours=1), NOON, services=("checkout",), limit=limit)


def test_each_record_is_given_once_and_late_ones_too(store: LogStore, record: MakeRecord) -> None:
    """First the newest, then what comes: also what is stored late, is ahead of the clock, or came in between."""
    clock = _Clock()
    store.write([record(f"old-{number}", at=-50 + number) for number in range(5)])
    search = FollowedSearch(store, _query(), now=clock)
    assert _ids(search.first()) == ["old-3", "old-4"]
    assert _ids(search.look()) == []
    clock.now += timedelta(seconds=10)
    store.write([record("new", at=9), record("late", at=-40), record("ahead", at=100), record("other", service="mail")])
    assert _ids(search.look()) == ["late", "new", "ahead"]
    assert _ids(search.look()) == []
    clock.now += timedelta(seconds=200)
    store.write([record("after", at=205)])
    assert _ids(search.look()) == ["after"]
    clock.now += timedelta(seconds=1)
    assert _ids(search.look()) == []


def test_what_is_older_than_what_was_asked_for_is_no_news(store: LogStore, record: MakeRecord) -> None:
    """A record that is stored late, but is older than the query's beginning, is not shown."""
    clock = _Clock()
    query = LogQuery(NOON - timedelta(seconds=10), NOON, services=("checkout",), limit=2)
    search = FollowedSearch(store, query, now=clock)
    search.first()
    for seconds in (1, 2):
        clock.now += timedelta(seconds=1)
        store.write([record(f"old-{seconds}", at=-30), record(f"late-{seconds}", at=-5)])
        assert _ids(search.look()) == [f"late-{seconds}"]


def test_what_does_not_fit_into_a_look_is_told(store: LogStore, record: MakeRecord) -> None:
    """More new records than a look holds: the newest are given, and that others are missing is said."""
    search = FollowedSearch(store, _query(), now=_Clock(), most_records=3)
    search.first()
    store.write([record(f"one-{number}", at=number) for number in range(5)])
    news = search.look()
    assert (_ids(news), news.is_cut) == (["one-2", "one-3", "one-4"], True)
    store.write([record("next", at=6)])
    news = search.look()
    assert (_ids(news), news.is_cut) == (["next"], False)


class _Stored:
    """A store that holds records in memory; only what following asks is there."""

    def __init__(self) -> None:
        self.records: list[LogRecord] = []

    def search(self, query: LogQuery) -> tuple[LogRecord, ...]:
        matching = [one for one in self.records if query.start <= one.timestamp < query.end]
        return tuple(sorted(matching, key=lambda one: one.timestamp)[-query.limit :])


@settings(max_examples=200)
@given(
    st.lists(st.tuples(st.floats(0, 20), st.lists(st.floats(-LATE.total_seconds() + 25, 200), max_size=4)), max_size=15)
)
def test_no_order_of_coming_loses_or_doubles(rounds: list[tuple[float, list[float]]]) -> None:
    """However looks and late records alternate, each record that is not later than the overlap is given once."""
    store, clock = _Stored(), _Clock()
    search = FollowedSearch(store, _query(limit=1000), now=clock)  # type: ignore[arg-type]
    given_ids = _ids(search.first())
    for seconds, ats in rounds:
        clock.now += timedelta(seconds=seconds)
        for at in ats:
            timestamp = clock.now + timedelta(seconds=at)
            store.records.append(LogRecord(f"r{len(store.records)}", timestamp, "checkout", "info", "hello"))
        given_ids += _ids(search.look())
    assert sorted(given_ids) == sorted(record.record_id for record in store.records)
