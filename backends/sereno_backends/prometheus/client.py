"""The client: one method a question, every failure one of the errors of this package."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx
import orjson

from sereno_backends.addresses import AddressInvalid, http_address, is_loopback, without_credentials
from sereno_backends.prometheus import answers
from sereno_backends.prometheus.errors import (
    PrometheusAddressInvalid,
    PrometheusIncomplete,
    PrometheusRefused,
    PrometheusUnreachable,
)
from sereno_backends.prometheus.model import ActiveAlert, Columns, RuleGroup, Sample, Series

Value = TypeVar("Value")

HTTP_CLIENT_ERROR = 400
HTTP_SERVER_ERROR = 500
# What other servers say to a query: a page, no such path, no such method. Gateways and log-ins have codes of their own.
_FOREIGN = (200, 404, 405, 410, 501)
LONGEST_FOREIGN_TEXT = 200
"""Characters of an unexpected answer that go into a message: enough to recognise a login page."""


class PrometheusClient:
    """Asks one Prometheus (or Thanos, Mimir: whatever speaks its HTTP API) synchronously.

    `url` is the server's address with its path prefix, if any; credentials in it are used and never shown.
    Raises `PrometheusAddressInvalid` at once for an address that can't work. Use it as a context manager or `close` it.
    """

    def __init__(
        self, url: str, *, transport: httpx.BaseTransport | None = None, timeout_seconds: float = 10.0
    ) -> None:
        address = _address(url)
        self._timeout_seconds = timeout_seconds
        is_here = is_loopback(address.host)
        self._http = httpx.Client(
            base_url=address,
            # Within a machine, compressing takes the server longer than everything else that it does for an answer.
            headers={"Accept-Encoding": "identity"} if is_here else None,
            transport=transport,
            timeout=timeout_seconds,
            trust_env=not is_here,  # a proxy of the environment never knows this machine's ports
        )
        self._shown_url = without_credentials(address).rstrip("/")

    @property
    def name(self) -> str:
        """What to call this server in messages and evidence; without credentials."""
        return f"Prometheus {self._shown_url}"

    def instant(self, expression: str, at: datetime) -> tuple[Sample, ...]:
        """The samples of an expression at a moment; empty when it matches nothing. A scalar is one sample."""
        return self._ask("/api/v1/query", answers.samples, {"query": expression, "time": _unix(at)})

    def range(self, expression: str, start: datetime, end: datetime, step: timedelta) -> tuple[Series, ...]:
        """The expression evaluated at `start`, `start + step`, … up to `end`, both included."""
        return self._ask(
            "/api/v1/query_range",
            answers.series,
            {"query": expression, "start": _unix(start), "end": _unix(end), "step": f"{step.total_seconds():.3f}"},
        )

    def columns(self, expression: str, start: datetime, end: datetime, step: timedelta) -> tuple[Columns, ...]:
        """As `range`, for millions of points: plain numbers, a fifth of the time."""
        return self._ask(
            "/api/v1/query_range",
            answers.columns,
            {"query": expression, "start": _unix(start), "end": _unix(end), "step": f"{step.total_seconds():.3f}"},
        )

    def stored(self, range_selector: str, at: datetime) -> tuple[Series, ...]:
        """The samples as stored, with their own timestamps: of a range selector such as `up[5m]` that ends at `at`."""
        return self._ask("/api/v1/query", answers.series, {"query": range_selector, "time": _unix(at)})

    def alerts(self) -> tuple[ActiveAlert, ...]:
        """Every alert that is pending or firing now."""
        return self._ask("/api/v1/alerts", answers.alerts)

    def rules(self) -> tuple[RuleGroup, ...]:
        """Every rule group that is loaded, with the state and health of its rules."""
        return self._ask("/api/v1/rules", answers.rule_groups)

    def head_start(self) -> datetime | None:
        """Since when samples are in the server's head, where they aren't blocks yet; None while it is empty.

        It may lie before the head's first sample, but not before the end of the last block: from then on a server
        accepts samples.
        Only Prometheus itself tells it; others refuse.
        """
        return self._ask("/api/v1/status/tsdb", answers.head_start)

    def metric_names(self, selectors: Sequence[str], start: datetime, end: datetime) -> tuple[str, ...]:
        """The names of the metrics that have series which any of these selectors matches; without one, all names."""
        query = [("match[]", selector) for selector in selectors]
        span = [("start", _unix(start)), ("end", _unix(end))]
        return self._ask("/api/v1/label/__name__/values", answers.texts, query=(*query, *span))

    def metric_types(self, metric: str) -> frozenset[str]:
        """What targets say that the metric is (`counter`, `gauge`, …); empty where none of them says it now.

        Histograms and summaries are known by their name without `_count`, `_sum` and `_bucket`.
        """
        return self._ask("/api/v1/metadata", answers.metric_types, query=(("metric", metric),))

    def retention(self) -> str:
        """How long samples are kept, in the server's words: `15d`, or `15d or 512MiB`. Only Prometheus itself tells."""
        return self._ask("/api/v1/status/runtimeinfo", answers.retention)

    def ready(self) -> bool:
        """Whether the server says that it serves questions; an unreachable one isn't ready."""
        try:
            return self._http.get("/-/ready").is_success
        except httpx.HTTPError:
            return False

    def close(self) -> None:
        """Release connections."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _ask(
        self,
        path: str,
        reader: Callable[[Any], Value],
        form: Mapping[str, str] | None = None,
        query: Sequence[tuple[str, str]] = (),
    ) -> Value:
        """Ask once. Queries go as forms by POST, because long expressions don't fit into a URL."""
        try:
            asked = httpx.QueryParams(list(query))
            response = self._http.get(path, params=asked) if form is None else self._http.post(path, data=form)
        except httpx.TimeoutException as error:
            raise PrometheusUnreachable(f"{self.name} gave no answer in {self._timeout_seconds:g} s") from error
        except httpx.HTTPError as error:
            raise PrometheusUnreachable(f"{self.name} can't be reached: {error}") from error
        body = self._body_of(response)
        warned = body.get("warnings") or ()
        warnings = tuple(map(str, warned if isinstance(warned, list | tuple) else (warned,)))
        if warnings:
            raise PrometheusIncomplete(
                f"{self.name} answered with warnings, so its answer may be partial: {'; '.join(warnings)}", warnings
            )
        try:
            return answers.read(reader, body.get("data"))
        except answers.WrongKind as error:
            raise PrometheusRefused(f"{self.name} was asked the wrong way: {error}") from error
        except answers.NotFloats as error:
            message = f"{self.name} answered native histograms; ask for a number (histogram_count, histogram_fraction)"
            raise PrometheusIncomplete(message, ()) from error
        except answers.UnexpectedAnswer as error:
            raise PrometheusUnreachable(f"{self.name} doesn't answer as a Prometheus does: {error}") from error

    def _body_of(self, response: httpx.Response) -> Mapping[str, Any]:
        """The envelope of a success; every other answer raises."""
        try:
            body = orjson.loads(response.content)
        except ValueError:  # also bytes that aren't text
            body = None
        envelope: Mapping[str, Any] = body if isinstance(body, dict) else {}
        if response.is_success and envelope.get("status") == "success":
            return envelope
        said = envelope.get("error") or response.text[:LONGEST_FOREIGN_TEXT].strip() or "an empty answer"
        doubt = "" if envelope.get("status") or response.status_code not in _FOREIGN else "; is it a Prometheus?"
        message = f"{self.name} answered {response.status_code}: {said}{doubt}"
        if HTTP_CLIENT_ERROR <= response.status_code < HTTP_SERVER_ERROR:
            raise PrometheusRefused(message)
        raise PrometheusUnreachable(message)


def _address(url: str) -> httpx.URL:
    """Take an address apart; every reason why it can't work is a message with a cure."""
    try:
        address = http_address(url, of="Prometheus", example="http://127.0.0.1:9090")
    except AddressInvalid as error:
        raise PrometheusAddressInvalid(str(error)) from error
    if "/api/v1" in address.path:
        shown = without_credentials(address)
        raise PrometheusAddressInvalid(
            f"Prometheus address {shown!r} ends in the API's path; leave out /api/v1 and after"
        )
    return address


def _unix(moment: datetime) -> str:
    if moment.tzinfo is None:
        raise ValueError("moments must carry a time zone")  # our mistake, not a user's
    return f"{moment.timestamp():.3f}"
