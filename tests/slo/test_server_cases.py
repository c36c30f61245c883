"""Specs beside a server's past: `server_cases/<code>-<words>/`, each with `traffic.yaml` and what is printed.

`expected.txt` is what `sereno validate --prometheus` prints on standard error, `tables.txt` what on standard output.
SERENO_UPDATE_GOLDENS=1 writes them anew.
"""

import os
import re
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from sereno_cli.exit_codes import ExitCode
from sereno_cli.main import run
from sereno_slo.codes import CODES
from support.prometheus import HistorySample, running_prometheus

CASES = Path(__file__).parent / "server_cases"
NAMES = sorted(folder.name for folder in CASES.iterdir())
UPDATE = os.environ.get("SERENO_UPDATE_GOLDENS") == "1"
LINE = re.compile(
    r"spec\.slo\.yaml:[1-9][0-9]*:[1-9][0-9]*: (error|warning)\[(SLO[0-9]{3})\]: .+ \(.+\)"
    r"|[0-9]+ errors?; nothing was written"
)
STEP_SECONDS = 300
DAYS = 8
RETENTION = "60d"
NIGHT = range(5)


def past(now: float) -> Iterator[HistorySample]:
    """The series of all cases; counters grow evenly within an hour, and it is night from 0:00 to 5:00 UTC.

    Every target is up and has a process, unless the case says itself what is up.
    """
    times = range((int(now) - DAYS * 86_400) // 3600 * 3600, int(now), STEP_SECONDS)
    targets: dict[tuple[str, str], dict[str, str]] = {}
    for name in NAMES:
        written = yaml.safe_load((CASES / name / "traffic.yaml").read_text(encoding="utf-8"))
        for series in written:
            yield from _samples(series, times)
        if not any(series["metric"] == "up" for series in written):
            found = ({label: series["labels"][label] for label in ("job", "instance")} for series in written)
            targets |= {(labels["job"], labels["instance"]): labels for labels in found}
    for labels in targets.values():
        for metric, value in (("up", 1), ("process_start_time_seconds", times[0] - 1e6)):
            yield from _samples({"metric": metric, "labels": labels, "value": value}, times)


def _samples(series: dict[str, Any], times: range) -> Iterator[HistorySample]:
    """A gauge of one `value`, or of `values` one after the other; else a counter of so many `day` and `night` an hour.

    `hours` is how much of the end of the past it lives.
    """
    count = 0.0
    first = times[-1] - series.get("hours", 10_000) * 3600
    for number, at in enumerate(times):
        value = series["values"][number % len(series["values"])] if "values" in series else series.get("value", count)
        if at >= first:
            yield HistorySample(series["metric"], series["labels"], float(at), float(value))
        if "day" in series:
            hour = at // 3600 % 24
            count += series["night" if hour in NIGHT else "day"] * STEP_SECONDS / 3600


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One server with the past of all cases."""
    directory = tmp_path_factory.mktemp("cases") / "prometheus"
    with running_prometheus(directory, history=past(time.time()), retention=RETENTION) as server:
        yield server.url


@pytest.mark.parametrize("name", NAMES)
def test_says_what_alerts_need(
    name: str, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each SLO has a table, each finding is one line with place, code and cure; only errors change the exit code."""
    shutil.copy(CASES / name / "spec.slo.yaml", tmp_path)
    monkeypatch.chdir(tmp_path)
    exit_code = run(["validate", "spec.slo.yaml", "--prometheus", url])
    said = capsys.readouterr()
    for file, text in (("expected.txt", said.err), ("tables.txt", said.out)):
        if UPDATE:
            (CASES / name / file).write_text(text, encoding="utf-8")
        assert text == (CASES / name / file).read_text(encoding="utf-8")
    lines = [LINE.fullmatch(line) for line in said.err.splitlines()]
    assert all(lines), said.err
    has_errors = any(line and line[1] == "error" for line in lines)
    assert exit_code == (ExitCode.INVALID_INPUT if has_errors else ExitCode.OK)
    code = name.partition("-")[0]
    assert code not in CODES or code in {line[2] for line in lines if line}, "the case shows what its name says"
    assert ("valid: " in said.out) != has_errors
