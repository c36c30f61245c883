"""A real Prometheus that holds the past of the example services."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from support import recorded
from support.prometheus import running_prometheus
from support.recorded import Ask
from support.slo_services import SETTINGS, all_services


@pytest.fixture(scope="package")
def ask(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ask]:
    """Ask Prometheus at the end of the past, or over its last ten minutes with `instant=False`.

    `by_days` asks at the midnight before that end, as Grafana does where points are a day apart.
    """
    directory = tmp_path_factory.mktemp("prometheus")
    with running_prometheus(directory, history=recorded.history(all_services(), SETTINGS)) as server:

        def query(expr: str, *, instant: bool = True, by_days: bool = False) -> list[dict[str, Any]]:
            end = recorded.END - (recorded.END % 86_400 if by_days else 0)
            time = {"time": end} if instant else {"start": end - 600, "end": end, "step": 60}
            path = "query" if instant else "query_range"
            response = httpx.get(f"{server.url}/api/v1/{path}", params={"query": expr, **time}, trust_env=False)
            assert response.status_code == 200, f"{expr}\n{response.text}"
            result: list[dict[str, Any]] = response.json()["data"]["result"]
            return result

        yield query
