"""What is asked of CloudWatch: in batches, counted call by call, and never more than the day's budget."""

import time
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest
from sereno_exporters.frame.trouble import FetchError, Reason
from support.aws_exporter import Account, counting_proxy, queries
from support.proxy import Asked, Proxy, Refusal

API_CALLS = "sereno_aws_api_calls_total"
THROTTLED = Refusal(
    400, b'{"__type":"ThrottlingException","message":"Rate exceeded"}', None, "application/x-amz-json-1.0"
)


@pytest.fixture
def proxy(moto: str) -> Iterator[Proxy]:
    """A proxy before moto."""
    with counting_proxy(moto) as found:
        yield found


@pytest.fixture
def account(moto: str, tmp_path: Path) -> Account:
    """An account whose exporter's clock stands."""
    return Account(moto, tmp_path, float(int(time.time())))


def calls(account: Account, proxy: Proxy, **settings: object) -> dict[tuple[str, ...], float]:
    """What the part about calls says, after a restart."""
    source = account.source(url=proxy.url, **settings)
    try:
        return account.fetched(source, "calls")
    finally:
        source.close()


def test_calls_ask_for_500_metrics_each(account: Account, proxy: Proxy) -> None:
    """401 topics with three metrics each are three calls; what is exposed is what the server saw."""
    settings = {"sns_topics": {"names": [f"topic-{number}" for number in range(401)]}, "interval": "1h"}
    source = account.source(url=proxy.url, **settings)
    found = account.fetched(source, "sns", seconds=60)
    source.close()
    assert [queries(asked) for asked in proxy.asked] == [500, 500, 203]
    assert len([key for key in found if key[0] == "sereno_aws_sns_messages_published_total"]) == 401
    told = calls(account, proxy, **settings)
    assert told[API_CALLS, "GetMetricData", "ok"] == len(proxy.asked) == 3
    assert told["sereno_aws_metrics_requested_total",] == 1_203


def test_further_pages_are_fetched_and_put_together(account: Account, proxy: Proxy) -> None:
    """CloudWatch cuts an answer into pages; a series that is in both has the minutes of both."""
    start = account.now // 60 * 60 - 600
    account.put("FunctionName", "paged", ("Invocations", start, 2), ("Invocations", start + 60, 3))
    account.now = start + 300
    settings = {"lambda_functions": {"names": ["paged"]}}
    source = account.source(url=proxy.url, **settings)
    account.fetched(source, "lambda")
    proxy.asked.clear()

    def first_page(asked: Asked) -> Refusal | None:
        if b"NextToken" in asked.body:
            return None
        series = {"Id": "q0", "StatusCode": "PartialData", "Timestamps": [start], "Values": [40.0]}
        return Refusal(200, orjson.dumps({"MetricDataResults": [series], "NextToken": "more"}), None)

    proxy.refuse = first_page
    account.now = start + 600
    found = account.fetched(source, "lambda")
    source.close()
    assert len(proxy.asked) == 2
    # The second page is moto's own, which has all minutes: of one that is in both, the later page holds.
    assert found["sereno_aws_lambda_invocations_total", "paged"] == 5


def test_an_incomplete_answer_fails_and_settles_nothing(account: Account, proxy: Proxy) -> None:
    """A series that CloudWatch couldn't read now is not a series without events."""
    start = account.now // 60 * 60 - 7_200
    account.now = start + 300
    settings = {"lambda_functions": {"names": ["partial"]}}
    source = account.source(url=proxy.url, **settings)
    account.fetched(source, "lambda")
    account.put("FunctionName", "partial", ("Invocations", start, 8))

    def incomplete(asked: Asked) -> Refusal:
        status = ["Complete", "InternalError"]
        results = [{"Id": f"q{number}", "StatusCode": status[number == 0]} for number in range(queries(asked))]
        return Refusal(200, orjson.dumps({"MetricDataResults": results}), None)

    proxy.refuse = incomplete
    account.now = start + 3_600
    with pytest.raises(FetchError, match="Invocations of partial with InternalError") as failure:
        account.fetched(source, "lambda")
    assert failure.value.reason is Reason.ERROR
    proxy.refuse = lambda _: None
    assert account.fetched(source, "lambda")["sereno_aws_lambda_invocations_total", "partial"] == 8
    source.close()


@pytest.mark.parametrize("budget", [{"calls_a_day": 3}, {"metrics_a_day": 9}])
def test_over_the_budget_nothing_is_asked_until_tomorrow(
    account: Account, proxy: Proxy, budget: dict[str, int]
) -> None:
    """The part fails and says why, through restarts; what was asked is still told; a new day begins anew."""
    settings = {"sns_topics": {"names": ["thrifty"]}, "budget": budget, "interval": "12h"}
    account.now = account.now // 86_400 * 86_400 - 3_600
    for _ in range(3):
        source = account.source(url=proxy.url, **settings)
        account.fetched(source, "sns")
        source.close()
    source = account.source(url=proxy.url, **settings)
    with pytest.raises(FetchError, match=f"budget is used up, {next(iter(budget))}: ") as failure:
        account.fetched(source, "sns")
    assert failure.value.reason is Reason.CONFIGURATION
    assert len(proxy.asked) == 3
    told = account.fetched(source, "calls")
    assert told["sereno_aws_budget_used_ratio", next(iter(budget)).split("_")[0]] == 1
    account.now += 3_600
    account.fetched(source, "sns")
    told = account.fetched(source, "calls")
    assert (len(proxy.asked), told[API_CALLS, "GetMetricData", "ok"]) == (4, 4)
    source.close()


def test_throttling_that_passes_is_waited_for(account: Account, proxy: Proxy) -> None:
    """Two refusals and an answer are one fetch, and three calls that are counted."""
    settings = {"sns_topics": {"names": ["patient"]}}
    proxy.refuse = lambda _: THROTTLED if len(proxy.asked) <= 2 else None
    source = account.source(url=proxy.url, **settings)
    found = account.fetched(source, "sns")
    source.close()
    assert found["sereno_aws_sns_messages_published_total", "patient"] == 0
    told = calls(account, proxy, **settings)
    assert (told[API_CALLS, "GetMetricData", "throttled"], told[API_CALLS, "GetMetricData", "ok"]) == (2, 1)


def test_throttling_that_stays_ends_with_the_time(account: Account, proxy: Proxy) -> None:
    """The fetch gives up within its time, says what helps, and asked only a few times."""
    proxy.refuse = lambda _: THROTTLED
    source = account.source(url=proxy.url, sns_topics={"names": ["hopeless"]})
    begun = time.monotonic()
    with pytest.raises(FetchError, match=r"AWS throttles GetMetricData, in [0-9]+ calls; a longer interval") as failure:
        account.fetched(source, "sns", seconds=2)
    source.close()
    assert failure.value.reason is Reason.TIMEOUT
    assert time.monotonic() - begun < 4
    assert 2 <= len(proxy.asked) <= 6


def test_scrapes_within_the_interval_share_one_call(account: Account, proxy: Proxy) -> None:
    """Prometheus may scrape every second: CloudWatch is asked once a minute."""
    with account.scraping(url=proxy.url, sns_topics={"names": ["shared"]}) as exporter:
        for _ in range(5):
            found, failures = exporter.scrape()
            assert failures == {}
    assert len(proxy.asked) == 1
    assert found["sereno_aws_part_age_seconds", (("target", "one"), ("part", "sns"))] < 5
