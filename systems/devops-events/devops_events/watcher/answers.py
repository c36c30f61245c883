"""How the gateway answered each request: one line a request, by UDP, in the form of syslog."""

import asyncio
import re
from typing import Final

import orjson
from prometheus_client import CollectorRegistry, Counter, Histogram

from devops_events.platforms import PROVIDERS, UNKNOWN, WEBHOOKS

METRIC: Final = "devops_events_gateway_request_duration_seconds"
_BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_LINE = re.compile(rb"\{.*\}")
_CODE = re.compile(r"[1-5]\d\d")
_ANSWERED_BY = ("node", "gateway")
_USUAL_CODES = ("200", "202", "401", "500", "503")
_GATEWAY_CODES = ("499", "502", "504")


class Answers(asyncio.DatagramProtocol):
    """Counts the gateway's answers by platform, code and who gave it; what is no such line is counted apart."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._durations = Histogram(
            METRIC,
            "How long the gateway took to answer a webhook, by its code and by who gave the answer.",
            ["platform", "http_response_status_code", "answered_by"],
            buckets=_BOUNDS,
            registry=registry,
        )
        self._retried = Counter(
            "devops_events_gateway_retried_total",
            "Requests that the gateway gave to another node after the first one had not answered.",
            registry=registry,
        )
        self._unreadable = Counter(
            "devops_events_gateway_unreadable_total",
            "Datagrams that are no line of the gateway's.",
            registry=registry,
        )
        for platform in PROVIDERS:  # born at zero, so that the first failure is an increase
            for by, codes in zip(_ANSWERED_BY, (_USUAL_CODES, _GATEWAY_CODES), strict=True):
                for code in codes:
                    self._durations.labels(platform, code, by)

    def datagram_received(self, data: bytes, addr: object) -> None:  # noqa: ARG002 - loopback, whoever it is
        """One line, or nothing of use."""
        found = _LINE.search(data)
        try:
            told = orjson.loads(found[0]) if found else {}
            path, code, seconds = told["path"], str(told["status"]), float(told["seconds"])
            upstreams, header_times = str(told["upstream"]), str(told["header_seconds"])
        except (orjson.JSONDecodeError, KeyError, TypeError, ValueError):
            self._unreadable.inc()
            return
        if not _CODE.fullmatch(code):
            self._unreadable.inc()
            return
        name = str(path).removeprefix(WEBHOOKS)
        platform = name if name in PROVIDERS else UNKNOWN
        # nginx lists what each node that it tried took to begin its answer; "-": it didn't.
        by = "node" if re.search(r"\d\s*$", header_times) and code != "499" else "gateway"
        self._durations.labels(platform, code, by).observe(seconds)
        if "," in upstreams:
            self._retried.inc()
