"""What one service's raw series, roll-ups and groups said in the portal's past: the parts that explanations read."""

from collections.abc import Iterator

from sereno_slo.plan import series

from support.prometheus import HistorySample

SERVICE, SLO = "transactions-api", "availability"
FAILING_ROUTE, CALM_ROUTE = "/pay", "/list"
EVENTS_A_MINUTE = {FAILING_ROUTE: 400, CALM_ROUTE: 200}
FAILED_A_MINUTE = 1
"""Of the failing route, in the last hours; nothing failed before. Minute entries tell the same."""
DEPLOYED = "v7"
GROUPS_LEFT_OUT = 2
_HOURS = 3
_ROLL_UPS = 288


def service_history(end: float) -> Iterator[HistorySample]:
    """Up to three hours of raw series, a day of roll-ups."""
    yield from _requests(end)
    yield from _roll_ups(end)
    yield from _groups(end)
    labels = {"service": SERVICE, "environment": "production", "production": "true", "version": DEPLOYED, "sha": "abc"}
    for minute in range(10):
        yield HistorySample(series.DEPLOYED, labels, end - 60 * minute, end - 5_400)


def _requests(end: float) -> Iterator[HistorySample]:
    name = "http_server_request_duration_seconds"
    for route, a_minute in EVENTS_A_MINUTE.items():
        labels = {"job": SERVICE, "instance": "a:1", "http_route": route, "http_request_method": "POST"}
        well, failed, fails = 0.0, 0.0, FAILED_A_MINUTE if route == FAILING_ROUTE else 0
        for minute in range(_HOURS * 60 + 1):
            at = end - 60 * (_HOURS * 60 - minute)
            well, failed = well + a_minute - fails, failed + fails
            for status, count in (("200", well), ("500", failed)):
                of_status = {**labels, "http_response_status_code": status}
                yield HistorySample(f"{name}_count", of_status, at, count)
                for bound in ("0.1", "0.25", "+Inf"):
                    share = 0.5 if bound == "0.1" else 1.0
                    yield HistorySample(f"{name}_bucket", {**of_status, "le": bound}, at, count * share)
    for minute in range(_HOURS * 60 + 1):
        for metric, value in (("up", 1.0), ("process_start_time_seconds", end - 86_400)):
            yield HistorySample(metric, {"job": SERVICE, "instance": "a:1"}, end - 60 * minute, value)


def _roll_ups(end: float) -> Iterator[HistorySample]:
    labels = {"service": SERVICE, "slo": SLO}
    last = end // 300 * 300
    for index in range(_ROLL_UPS):
        at = last - 300 * index
        bad = 5.0 * FAILED_A_MINUTE if index < _HOURS * 12 else 0.0
        for name, value in (
            (series.EVENTS_ROLL_UP, 5.0 * sum(EVENTS_A_MINUTE.values())),
            (series.BAD_EVENTS_ROLL_UP, bad),
            (series.COVERAGE_ROLL_UP, 5.0),
            (series.ROLL_UP_MARK, 1.0),
        ):
            yield HistorySample(name, labels, at, value)


def _groups(end: float) -> Iterator[HistorySample]:
    labels = {"service": SERVICE, "slo": SLO}
    for route, remaining in ((FAILING_ROUTE, -0.5), (CALM_ROUTE, 1.0)):
        of_route = {**labels, "http_route": route}
        for name, value in (
            ("sereno:group_error_budget_remaining:ratio", remaining),
            ("sereno:group_events:window", 5_000.0),
            ("sereno:group_bad_events:window", 7.5 if remaining < 0 else 0.0),
            ("sereno:group_error_ratio:window", 0.0015 if remaining < 0 else 0.0),
        ):
            yield HistorySample(name, of_route, end - 60, value)
    yield HistorySample("sereno:groups_left_out:count", labels, end - 60, GROUPS_LEFT_OUT)
