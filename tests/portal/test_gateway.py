"""What protects Prometheus from whoever looks: shared answers, bounded spans and answers, no questions of strangers."""

import json
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from sereno_backends.grafana import read_dashboard
from sereno_backends.prometheus import PrometheusClient
from sereno_portal.gateway import Gateway, NotAnswered, PanelText, TooMuch, gateway, span_of
from sereno_portal.gateway.cache import FAILURE_SECONDS, SharedAnswers
from sereno_portal.pages.dashboards import choices

NOW = datetime(2026, 11, 27, 12, 0, 7, tzinfo=UTC)


class Broken(Exception):  # noqa: N818 - reads as what happened
    """What a test's question may fail with."""


def test_questions_at_the_same_time_are_one() -> None:
    """Fifty viewers wait for one answer."""
    asked, begun, go_on = [], threading.Event(), threading.Event()
    answers = SharedAnswers()

    def ask() -> int:
        asked.append(1)
        begun.set()
        assert go_on.wait(5)
        return 7

    got: list[int] = []

    def look() -> None:
        got.append(answers.get("x", ask, fresh_seconds=10, stale_seconds=60, failures=Broken).value)

    threads = [threading.Thread(target=look) for _ in range(50)]
    for thread in threads:
        thread.start()
    assert begun.wait(5)
    go_on.set()
    for thread in threads:
        thread.join(5)
    assert (got, len(asked)) == ([7] * 50, 1)


def test_a_failure_falls_back_on_what_was_known() -> None:
    """For a while, with its age; later it is told. A crowd doesn't ask a broken server again at once."""
    now, asked = [0.0], [0]
    answers = SharedAnswers(clock=lambda: now[0])

    def get(ask: Callable[[], int]) -> tuple[int, float, bool]:
        kept = answers.get("x", ask, fresh_seconds=10, stale_seconds=60, failures=Broken)
        return kept.value, kept.age_seconds, kept.failure is None

    def fail() -> int:
        asked[0] += 1
        raise Broken

    assert get(lambda: 1) == (1, 0.0, True)
    now[0] = 9.0
    assert get(fail) == (1, 9.0, True), "it is fresh: nobody asks"
    now[0] = 20.0
    assert get(fail) == (1, 20.0, False)
    now[0] = 20.0 + FAILURE_SECONDS / 2
    get(fail)
    assert asked == [1]
    now[0] = 61.0
    with pytest.raises(Broken):
        get(fail)
    now[0] = 70.0
    assert get(lambda: 2) == (2, 0.0, True)


def answering(series: int) -> Gateway:
    """A gateway whose server answers everything with so many series."""
    result = [{"metric": {"n": str(number)}, "value": [0, "1"], "values": [[0, "1"]]} for number in range(series)]

    def answer(request: httpx.Request) -> httpx.Response:
        kind = "matrix" if request.url.path.endswith("query_range") else "vector"
        return httpx.Response(200, json={"status": "success", "data": {"resultType": kind, "result": result}})

    client = PrometheusClient("http://127.0.0.1:1", transport=httpx.MockTransport(answer))
    return Gateway(client, lambda: NOW)


def test_answers_are_bounded() -> None:
    """A panel that matches everything can't fill the portal's memory, and the others go on."""
    crowded = answering(gateway.MOST_SERIES + 1)
    with pytest.raises(TooMuch, match="6001 series; a page takes 6000"):
        crowded.instant(PanelText("up"))
    few = answering(300)
    assert len(few.instant(PanelText("up")).value) == 300
    with pytest.raises(TooMuch):
        few.range(PanelText("up"), span_of(timedelta(hours=3), NOW))


def test_what_is_too_much_is_asked_once() -> None:
    """A crowd before such a panel doesn't fetch megabytes again and again."""
    crowded = answering(gateway.MOST_SERIES + 1)
    for _ in range(3):
        with pytest.raises(TooMuch):
            crowded.instant(PanelText("up"))
    assert crowded.asked == 1


def test_a_label_may_have_more_values_than_a_page_has_series(monkeypatch: pytest.MonkeyPatch) -> None:
    """They are texts alone; there is an end to them, too."""
    monkeypatch.setattr(gateway, "MOST_VALUES", 7_000)
    values = answering(gateway.MOST_SERIES + 1).label_values(PanelText("up"), "n").value
    assert values == tuple(sorted(map(str, range(gateway.MOST_SERIES + 1))))
    with pytest.raises(TooMuch, match="takes 7000"):
        answering(7_001).label_values(PanelText("up"), "n")


@pytest.mark.parametrize(
    ("series", "offered", "said"),
    [
        (gateway.MOST_SERIES + 1, choices.MOST_OPTIONS, "n has 6001 values; the first 500 can be chosen"),
        (7_001, 0, "n: the answer has 7001 series"),
    ],
)
def test_a_variable_with_very_many_values_opens(
    monkeypatch: pytest.MonkeyPatch, series: int, offered: int, said: str
) -> None:
    """The rest of the dashboard can be read all the same."""
    monkeypatch.setattr(gateway, "MOST_VALUES", 7_000)
    variable = {"name": "n", "type": "query", "query": "label_values(up, n)"}
    written = {"title": "Many", "panels": [], "templating": {"list": [variable]}}
    found = choices.choices_of(answering(series), read_dashboard(json.dumps(written)), {})
    assert len(found.shown[0].options) == offered
    assert found.trouble.startswith(said)


def test_a_question_waits_for_its_turn_for_some_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever comes while four questions hang is told so."""
    monkeypatch.setattr(gateway, "_TURN_SECONDS", 0.1)
    may_end, asked = threading.Event(), threading.Semaphore(0)

    def hang(request: httpx.Request) -> httpx.Response:
        asked.release()
        may_end.wait(10)
        raise httpx.ReadTimeout("no answer", request=request)

    def look(text: str) -> None:
        with pytest.raises(NotAnswered, match="no answer in"):
            hanging.instant(PanelText(text))

    client = PrometheusClient("http://127.0.0.1:1", transport=httpx.MockTransport(hang))
    hanging = Gateway(client, lambda: NOW)
    looking = [threading.Thread(target=look, args=(f"up{number}",)) for number in range(4)]
    for each in looking:
        each.start()
    assert all(asked.acquire(timeout=5) for _ in looking)
    with pytest.raises(NotAnswered, match="4 questions are on their way"):
        hanging.instant(PanelText("up"))
    may_end.set()
    for each in looking:
        each.join(5)
    assert hanging.asked == 4


def test_lines_stay_while_the_server_is_away() -> None:
    """What ended some minutes ago stands in for what ends now, with the reason; not for another length or day."""
    now, is_away = [NOW], [False]

    def answer(request: httpx.Request) -> httpx.Response:
        if is_away[0]:
            raise httpx.ConnectError("refused", request=request)
        result = [{"metric": {}, "values": [[NOW.timestamp() // 15 * 15, "1"]]}]
        return httpx.Response(200, json={"status": "success", "data": {"resultType": "matrix", "result": result}})

    client = PrometheusClient("http://127.0.0.1:1", transport=httpx.MockTransport(answer))
    asked = Gateway(client, lambda: now[0])
    hours = timedelta(hours=3)
    known = asked.range(PanelText("up"), span_of(hours, NOW))
    now[0], is_away[0] = NOW + timedelta(minutes=5), True
    kept = asked.range(PanelText("up"), span_of(hours, now[0]))
    assert kept.value == known.value
    assert "can't be reached" in kept.trouble
    for length, until in ((timedelta(hours=2), now[0]), (hours, NOW - timedelta(days=1))):
        with pytest.raises(NotAnswered):
            asked.range(PanelText("up"), span_of(length, now[0], until=until))


def test_the_same_minute_is_the_same_question() -> None:
    """Spans begin and end at whole steps."""
    few = answering(1)
    for second in (7, 9, 13):
        few.range(PanelText("up"), span_of(timedelta(hours=3), NOW.replace(second=second)))
    assert few.asked == 1
    few.range(PanelText("down"), span_of(timedelta(hours=3), NOW))
    assert few.asked == 2


@pytest.mark.parametrize("length", [timedelta(0), timedelta(minutes=5), timedelta(days=30), timedelta(days=4000)])
def test_spans_are_bounded(length: timedelta) -> None:
    """From a minute to 92 days, in 720 steps at most, never into the future."""
    span = span_of(length, NOW, until=NOW + timedelta(days=1))
    assert span.end <= NOW
    assert timedelta(minutes=1) <= span.end - span.start + span.step
    assert span.end - span.start <= timedelta(days=92, hours=12)
    assert (span.end - span.start) / span.step <= 722


def test_a_server_that_is_away() -> None:
    """The message names the server and no password."""

    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused", request=request)

    client = PrometheusClient("http://somebody:secret@127.0.0.1:1", transport=httpx.MockTransport(refuse))
    with pytest.raises(NotAnswered) as told:
        Gateway(client, lambda: NOW).instant(PanelText("up"))
    assert "127.0.0.1:1" in str(told.value)
    assert "secret" not in str(told.value)
