"""The backtest page: what another objective would have told, from a real Prometheus' past, and what can go wrong."""

import threading
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from sereno_portal.gateway import History, NotAnswered, Replay, Replayed, Source, TooMuch
from sereno_portal.gateway.history import TookTooLong
from sereno_portal.pages.backtest.jobs import FAILURE_SECONDS, KEPT_SECONDS, MOST_WAITING, Busy, Jobs, State
from sereno_slo import Settings
from sereno_slo.model import ServiceLevelObjective
from support.portal import END, catalogue
from support.prometheus import RunningProcess
from support.waiting import wait_for

SLO = "transactions-api/availability"
OURS = {"Sec-Fetch-Site": "same-origin"}
"""What a browser says when a button of our own page was pressed."""
STRICT = 99.99
"""The past's errors burn its budget seventeen times as fast as may be."""


def question(percent: float = STRICT, source: Source = Source.RECORDED) -> Replay:
    """About a day of the SLO."""
    slo = catalogue().objective(*SLO.split("/"))
    assert isinstance(slo, ServiceLevelObjective)
    return Replay(slo, Settings(), 1, percent, source)


def done(portal: httpx.Client, **asked: Any) -> dict[str, Any]:
    """The answer, once it is there."""
    begun = portal.post("/api/v1/backtests", params={"slo": SLO, "days": 1, **asked})
    assert begun.status_code == 202, begun.text

    def found() -> dict[str, Any] | None:
        answer: dict[str, Any] = portal.get(f"/api/v1/backtests/{begun.json()['id']}").json()
        return answer if answer["state"] in ("done", "failed") else None

    return wait_for(found, what="the backtest's end", timeout_seconds=60)


def test_a_stricter_objective_would_have_paged(portal: httpx.Client) -> None:
    """Three hours are known: the present objective pages nobody, the strict one does; machines and people are told."""
    answer = done(portal, objective=STRICT)
    found = answer["replayed"]
    assert (answer["trouble"], found["source"], found["end"]) == ("", "recorded", END // 60 * 60)
    assert (found["events"], found["bad_events"]) == (178 * 600, 178)
    assert found["asked"]["pages"] >= 1 > found["present"]["pages"] == 0
    page = next(each for each in found["told"] if each["kind"] == "page")
    assert "SLOErrorBudgetBurn" in page["alerts"]
    assert page["peak_burn_rate"] == pytest.approx(1 / 600 / 0.0001, rel=0.01)
    assert [each["kind"] for each in found["told_at_present"]].count("page") == 0
    shown = portal.get("/backtest", params={"slo": SLO, "days": 1, "objective": STRICT, "lang": "en"}).text
    assert page["alerts"] in shown
    assert "The known past begins" in shown
    assert "2 h 58 min" in shown or "2 h 57 min" in shown


def test_charts_tell_the_same(portal: httpx.Client) -> None:
    """Budget with both objectives, and errors over what both allow; each page is a mark."""
    answer = done(portal, objective=STRICT)
    budget, errors = (
        portal.get(f"/api/v1/backtests/{answer['id']}/charts/{name}").json() for name in ("budget", "errors")
    )
    assert [line["label"] for line in budget["lines"]] == ["99.99 %", "99.9 %"]
    asked, present = (line["values"][-1] for line in budget["lines"])
    assert present == pytest.approx(1 - (1 - asked) * 0.01 / 0.1)
    assert [bound["value"] for bound in errors["bounds"]] == pytest.approx([0.0001, 0.001])
    assert len(budget["marks"]) == len(answer["replayed"]["told"])


def test_the_same_question_is_asked_once(without_prometheus: httpx.Client) -> None:
    """Without an objective it is that of the spec."""
    address = f"/api/v1/backtests?slo={SLO}&days=2"
    addresses = (address, f"{address}&objective=99.9", f"{address}&objective=99.90&source=recorded")
    ids = {without_prometheus.post(each).json()["id"] for each in addresses}
    assert len(ids) == 1


def test_foreign_pages_begin_nothing(without_prometheus: httpx.Client) -> None:
    """A link of theirs shows the form as it would be sent, and the answer once somebody here has asked."""
    asked: dict[str, Any] = {"slo": SLO, "days": 3, "objective": 97.5, "lang": "en"}
    for headers in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
        assert without_prometheus.post("/api/v1/backtests", params=asked, headers=headers).status_code == 403
    linked = {"Sec-Fetch-Site": "cross-site"}
    shown = without_prometheus.get("/backtest", params=asked, headers=linked).text
    assert "press the button" in shown
    assert 'name="objective" type="number" min="50" max="99.999" step="any" value="97.5"' in shown
    assert "data-backtest=" not in shown
    begun = without_prometheus.get("/backtest", params=asked, headers=OURS).text
    assert "press the button" not in begun
    assert "press the button" not in without_prometheus.get("/backtest", params=asked, headers=linked).text


@pytest.mark.parametrize("referer", ["", "http://evil.example/", "http://127.0.0.1.evil.example/", "http://[", "null"])
def test_a_link_begins_nothing_where_browsers_do_not_say_where_they_come_from(
    without_prometheus: httpx.Client, referer: str
) -> None:
    """Over plain HTTP under a public name there is no Sec-Fetch-Site: only a Referer of ours begins a backtest."""
    asked = {"slo": SLO, "days": 4, "objective": 97.5, "lang": "en"}
    public = {"Host": "localhost:8080"}
    linked = without_prometheus.get("/backtest", params=asked, headers={**public, "Referer": referer}).text
    assert "press the button" in linked
    assert "data-backtest=" not in linked


def test_a_button_of_ours_begins_where_browsers_say_it_by_referer_only(without_prometheus: httpx.Client) -> None:
    """The page's own form, over plain HTTP."""
    asked = {"slo": SLO, "days": 5, "objective": 97.5, "lang": "en"}
    own = {"Host": "localhost:8080", "Referer": "http://localhost:8080/backtest"}
    assert "data-backtest=" in without_prometheus.get("/backtest", params=asked, headers=own).text


def test_a_past_that_nobody_knows_is_told(portal: httpx.Client) -> None:
    """Neither recorded nor raw: this service has no raw series in this past."""
    unknown = "tournaments/availability"
    answer = done(portal, slo=unknown, source="raw")
    assert answer["replayed"]["attained_ratio"] is None
    shown = portal.get("/backtest", params={"slo": unknown, "days": 1, "source": "raw", "lang": "es"}).text
    assert "No se conoce ningún evento de este período" in shown


@pytest.mark.parametrize(
    ("parameters", "code", "told"),
    [
        ({"slo": "transactions-api/availabilty"}, 404, "do you mean transactions-api/availability"),
        ({"slo": SLO, "days": 31}, 422, "days"),
        ({"slo": SLO, "objective": "nan"}, 422, "objective"),
        ({"slo": SLO, "objective": 100}, 422, "objective"),
    ],
)
def test_what_cannot_be_asked_is_told(
    without_prometheus: httpx.Client, parameters: dict[str, Any], code: int, told: str
) -> None:
    """With what is wrong; nothing is begun."""
    answer = without_prometheus.post("/api/v1/backtests", params=parameters)
    assert answer.status_code == code
    assert told in answer.json()["error"].replace("&#39;", "'")
    assert without_prometheus.get("/backtest", params=parameters).status_code == code


def test_a_job_that_is_gone(without_prometheus: httpx.Client) -> None:
    """404, as it, and as its charts."""
    for address in ("/api/v1/backtests/none", "/api/v1/backtests/none/charts/budget"):
        assert without_prometheus.get(address).status_code == 404


def test_a_server_that_is_away_is_told_on_the_page(without_prometheus: httpx.Client) -> None:
    """As the answer, without a traceback."""
    asked = {"slo": SLO, "lang": "en"}
    first = without_prometheus.get("/backtest", params=asked, headers=OURS).text
    assert 'http-equiv="refresh"' in first, "without JavaScript it looks again by itself"

    def shown() -> str:
        text = without_prometheus.get("/backtest", params=asked, headers=OURS).text
        return text if "There is no answer:" in text else ""

    assert "was not read, in two tries" in wait_for(shown, what="the answer", timeout_seconds=60)


def test_work_ends_when_time_is_up(past: RunningProcess) -> None:
    """Its process is gone as well."""
    with pytest.raises(TookTooLong, match="sereno backtest"):
        History(past.url, longest_seconds=0.05).replay(question(), int(END) * 1000)


def test_more_raw_series_than_a_page_may_read(past: RunningProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are counted first."""
    from sereno_portal.gateway import replaying  # noqa: PLC0415 - as the process does; nothing else imports it

    monkeypatch.setattr(replaying, "MOST_RAW_POINTS", -1)
    with pytest.raises(TooMuch, match="too many for a page"):
        replaying.replayed(past.url, question(source=Source.RAW), int(END) * 1000)


class Clock:
    """Moves when it is told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        """Seconds."""
        return self.now


def _waited(jobs: Jobs, name: str, state: State) -> None:
    wait_for(lambda: (job := jobs.get(name)) is not None and job.state is state, what=f"{name} is {state}")


def test_one_is_worked_on_and_a_few_wait() -> None:
    """The fifth that would wait is refused; who waits is told how many come first; each is asked once."""
    go_on = threading.Event()
    begun: list[Replay] = []

    def work(asked: Replay) -> Replayed:
        begun.append(asked)
        go_on.wait(10)
        raise NotAnswered("away")

    clock = Clock()
    jobs = Jobs(work, clock)
    first = jobs.ask(question(90))
    _waited(jobs, first.id, State.RUNNING)
    waiting = [jobs.ask(question(91 + place)) for place in range(MOST_WAITING)]
    assert [job.before for job in waiting] == list(range(1, MOST_WAITING + 1))
    assert jobs.ask(question(90)).id == first.id
    with pytest.raises(Busy):
        jobs.ask(question(98))
    go_on.set()
    _waited(jobs, waiting[-1].id, State.FAILED)
    assert [asked.objective_percent for asked in begun] == [90, *(91 + place for place in range(MOST_WAITING))]
    assert jobs.ask(question(90)).trouble == "away"
    clock.now += FAILURE_SECONDS
    assert jobs.get(first.id) is None


def _kept(work: Callable[[Replay], Replayed]) -> tuple[Jobs, Clock]:
    clock = Clock()
    return Jobs(work, clock), clock


def test_a_bug_is_told_as_one_and_the_next_is_worked_on(caplog: pytest.LogCaptureFixture) -> None:
    """Its words go to the log only."""

    def work(_: Replay) -> Replayed:
        raise ZeroDivisionError("secret")

    jobs, clock = _kept(work)
    for percent in (90, 95):
        job = jobs.ask(question(percent))
        _waited(jobs, job.id, State.FAILED)
        found = jobs.get(job.id)
        assert found is not None
        assert "secret" not in found.trouble
    assert "secret" in caplog.text
    clock.now += KEPT_SECONDS
    assert jobs.get(job.id) is None
