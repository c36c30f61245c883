"""The queries of all runbooks, and the incidents in whose middle they are asked."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import yaml
from sereno_postmortems.runbooks import Block, blocks

from support.prometheus import HistorySample

ROOT = Path(__file__).resolve().parents[2]
RUNBOOKS = ROOT / "runbooks"
INTERVAL_SECONDS = 30
# Of the compiler's own tests, those whose input is a service that fails: a tenth of its events, or some of its minutes.
FAILING = re.compile(r"counts steady traffic$|bad when any value in it is$")


def of_alerts() -> list[Path]:
    """Every `<AlertName>.md`."""
    return sorted(path for path in RUNBOOKS.glob("*.md") if path.name != "README.md")


def of_slos() -> list[Path]:
    """Every `<service>/<slo>.md`."""
    return sorted(RUNBOOKS.glob("*/*.md"))


def queries(path: Path) -> tuple[Block, ...]:
    """The queries of a runbook."""
    return tuple(block for block in blocks(path.read_text(encoding="utf-8")) if block.kind == "promql")


def failures(client: httpx.Client, url: str, path: Path, at: float) -> list[str]:
    """What is wrong with a runbook's queries: not accepted, no number, or nothing without saying so."""
    found: list[str] = []
    for query in queries(path):
        parameters = {"query": query.content, "time": str(at)}
        answer = client.post(f"{url}/api/v1/query", data=parameters).json()
        values = [float(series["value"][1]) for series in answer.get("data", {}).get("result", [])]
        if answer["status"] != "success":
            found.append(f"line {query.line}: {answer['error']}")
        elif not all(abs(value) < float("inf") for value in values):
            found.append(f"line {query.line}: {values}")
        elif not values and not query.may_be_empty:
            found.append(f"line {query.line}: nothing: {query.content}")
    return found


def slo_incident(recorded: Mapping[str, tuple[float, float]], now: float) -> Iterator[HistorySample]:
    """All SLOs fail: what the compiler's own tests give to their services, and what rules record of it.

    Args:
        recorded: Recorded series by name, with the value at the beginning and the growth a minute.
        now: Unix time of the last sample.
    """
    inputs: dict[str, list[float]] = {}
    for path in sorted((ROOT / "alerting/tests/generated").glob("*.test.yaml")):
        if path.name.count(".") == 2:  # the minute's tests; those by five minutes and by days have a name between
            inputs |= dict(_inputs(yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)))
    for series, values in {**inputs, **dict(_buckets_of_all(inputs))}.items():
        yield from _samples(series, values, INTERVAL_SECONDS, now)
    for path in of_slos():
        for name, (start, growth) in recorded.items():
            series = f'{name}{{service="{path.parent.name}", slo="{path.stem}"}}'
            yield from _samples(series, [start + growth * minute for minute in range(21)], 60, now)


def _inputs(document: Mapping[str, Any]) -> Iterator[tuple[str, list[float]]]:
    """Series with their values. A minute that is bad stands after steady ones: of one name, the later input counts."""
    cases = [case for case in document["tests"] if FAILING.search(case["name"])]
    for case in sorted(cases, key=lambda each: "bad when any" in each["name"]):
        for series in case["input_series"]:
            yield series["series"], [value for part in series["values"].split() for value in _expanded(part)]


def _expanded(part: str) -> Iterator[float]:
    """Promtool's notation of values: `1`, `2x3`, `0+5x20`, `240-120x1`."""
    found = re.fullmatch(r"(-?[\d.]+)(?:([+-][\d.]+)?x(\d+))?", part)
    assert found, part
    for number in range(int(found[3] or 0) + 1):
        yield float(found[1]) + float(found[2] or 0) * number


def _buckets_of_all(inputs: Mapping[str, list[float]]) -> Iterator[tuple[str, list[float]]]:
    """The bucket `+Inf`, without which no histogram is served and no percentile computed."""
    for series, values in inputs.items():
        if "_bucket{" in series:
            count = re.sub(r', le="[^"]*"|le="[^"]*", ', "", series.replace("_bucket{", "_count{"))
            yield re.sub(r'le="[^"]*"', 'le="+Inf"', series), inputs.get(count, values)


def _samples(series: str, values: list[float], interval_seconds: int, now: float) -> Iterator[HistorySample]:
    name, _, rest = series.partition("{")
    labels = dict(re.findall(r'(\w+)="([^"]*)"', rest))
    for number, value in enumerate(reversed(values)):
        yield HistorySample(name, labels, now - interval_seconds * number, value)
