"""Somebody at a browser, before a portal in this process: with an address, cookies and headers of one's own."""

import asyncio
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path
from typing import Any

import httpx
from sereno_portal import PortalConfiguration, create_portal
from sereno_postmortems.sources import DatabaseIncidents, IncidentPlace
from sereno_postmortems.store import IncidentStore

from support.incident_story import record
from support.incidents import reported, webhook
from support.portal import END, ROOT
from support.ports import free_port

OURS = "127.0.0.1:19097"
STARTED = datetime.fromtimestamp(END, UTC) - timedelta(minutes=30)
HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>"
LABELS = {
    "alertname": "SLOErrorBudgetBurn",
    "severity": "critical",
    "service": "transactions-api",
    "slo": "availability",
    "owner": "payments",
    "burn": "fast",
    "long_window": "1h",
}
ANNOTATIONS = {
    "summary": f"5 % fail {HOSTILE}",
    "impact": "Customers can't pay",
    "dashboard_url": "https://grafana.example/d/x",
    "logs_url": "javascript:alert(3)",
}


class Visitor:
    """Asks an application; `address` is where the connection comes from, `host` under which name it asks."""

    def __init__(self, app: Any, *, address: str = "127.0.0.1", host: str = OURS, **headers: str) -> None:
        self._app = app
        self._address = address
        self._host = host
        self._headers = _sent(headers)
        self.cookies = httpx.Cookies()

    def get(self, path: str, **headers: str) -> httpx.Response:
        """A page."""
        return asyncio.run(self._ask("GET", path, {}, headers))

    def post(self, path: str, fields: Mapping[str, str], **headers: str) -> httpx.Response:
        """A form."""
        return asyncio.run(self._ask("POST", path, {"data": dict(fields)}, headers))

    def post_json(self, path: str, body: Any, **headers: str) -> httpx.Response:
        """A body of JSON."""
        return asyncio.run(self._ask("POST", path, {"json": body}, headers))

    async def _ask(self, method: str, path: str, body: Mapping[str, Any], headers: Mapping[str, str]) -> httpx.Response:
        transport = httpx.ASGITransport(self._app, client=(self._address, 40_000))
        async with httpx.AsyncClient(
            transport=transport, base_url=f"http://{self._host}", cookies=self.cookies, headers=self._headers
        ) as client:
            answer = await client.request(method, path, headers=_sent(headers), **body)
            self.cookies = client.cookies
            return answer


def _sent(headers: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    """`X_Name` is the header X-Name; a value of several lines is sent as several headers."""
    return [
        (name.replace("_", "-").encode(), value.encode())
        for name, values in headers.items()
        for value in values.split("\n")
    ]


def hidden(page: str, kind: str = "") -> dict[str, str]:
    """The hidden fields of a form that writes, as the browser would send them.

    Args:
        page: the first such form of it is taken.
        kind: of the entries that the form is for; empty: of the form that asks for it.
    """
    for body in re.findall(r'<form method="post".*?</form>', page, re.DOTALL):
        found = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', body)
        fields = {name: unescape(value) for name, value in found}
        if fields.get("kind", "") == kind:
            return fields
    raise AssertionError(f"no form for {kind or 'any kind'} in {page}")


def incident_store(path: Path) -> IncidentStore:
    """A database with one open incident of the SLO that the portal's past has overspent."""
    store = IncidentStore(path)
    store.prepare()
    record(store, webhook([reported(LABELS, STARTED, annotations=ANNOTATIONS)]), STARTED + timedelta(seconds=10))
    return store


def configured(place: IncidentPlace | IncidentStore | None, **more: Any) -> PortalConfiguration:
    """A portal of the repository's own specs over incidents; without a Prometheus unless `prometheus` names one."""
    return PortalConfiguration(
        **{
            "prometheus": f"http://127.0.0.1:{free_port()}",
            "root": ROOT,
            "incidents": DatabaseIncidents(place) if isinstance(place, IncidentStore) else place,
            "clock": lambda: datetime.fromtimestamp(END, UTC),
            **more,
        }
    )


def visitor(place: IncidentPlace | IncidentStore | None, *, user_header: str | None = None, **of: str) -> Visitor:
    """Somebody before a portal of their own."""
    return Visitor(create_portal(configured(place, user_header=user_header)), **of)
