"""What may be said of quotas: mistakes have place, code and cure; the page's example has none."""

import re
from pathlib import Path

import pytest
from sereno_exporters.quotas.families import ALL
from support.quotas import read

ROOT = Path(__file__).resolve().parents[3]
FIVE = "name: a, unit: items, limit: 5, usage: {file: {path: x}}"
PAGE = (ROOT / "docs/exporters/quotas.md").read_text(encoding="utf-8")


def told(quota: str) -> list[str]:
    """The mistakes of a configuration with one quota."""
    text = f"version: sereno/v1\nexporters: {{quotas: {{targets: {{a: {{quotas: [{{\n{quota}}}]}}}}}}}}\n"
    return [str(each).removeprefix("exporters.yaml:") for each in read(text).diagnostics]


def test_the_example_of_the_page_is_right() -> None:
    """Copied as it stands, it is a configuration."""
    (example,) = re.findall(r"^```yaml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    parsed = read(example)
    assert [str(each) for each in parsed.diagnostics] == []
    assert parsed.document is not None
    first = parsed.document.exporters.quotas.targets["managed-redis"].quotas
    assert [quota.limit for quota in first] == [500_000, 250_000_000, 100]


def test_every_family_is_listed() -> None:
    """The page's table and the exporter agree, in both directions."""
    rows = [line.split("|") for line in PAGE.splitlines() if line.startswith("| `sereno_quotas_")]
    listed = {row[1].strip(" `"): set(re.findall(r"`(\w+)`", row[2])) for row in rows}
    assert listed == {family.name: set(family.labels) for family in ALL}


@pytest.mark.parametrize(
    ("quota", "message"),
    [
        (
            "name: a, unit: items, limit: 0, usage: {file: {path: x}}",
            "3:30: error[SLO006]: a limit of 0 grants nothing that could be used up (write what is granted)",
        ),
        (
            "name: a, unit: items, limit: 50 GBit, usage: {file: {path: x}}",
            "3:30: error[SLO006]: '50 GBit' is no amount (write for example 500000, 50GB or 250MiB)",
        ),
        (
            "name: a, unit: items, limit: 5, usage: {}",
            "3:40: error[SLO006]: use is read in one place (write http, prometheus, redis or file)",
        ),
        (
            "name: a, unit: items, limit: 5, usage: {file: {path: x}, redis: {info: y}}",
            "3:40: error[SLO006]: use is read in one place (write http, prometheus, redis or file)",
        ),
        (
            f"{FIVE}, restarts: {{month_day: 1, daily: true}}",
            (
                "3:69: error[SLO006]: a period begins on one kind of day (write month_day: 1, weekday: monday or "
                "daily: true)"
            ),
        ),
        (
            f"{FIVE}, restarts: {{month_day: 1, time_zone: Berlin}}",
            "3:95: error[SLO006]: 'Berlin' is no time zone (write for example UTC or Europe/Berlin)",
        ),
        (
            "name: a, unit: items, limit: 5, usage: {http: {url: 'http://a', path: stats, field: b}}",
            "3:71: error[SLO006]: path 'stats' doesn't begin with a slash (write /stats)",
        ),
        (
            f"{FIVE}}},{{{FIVE}",
            "2:35: error[SLO006]: two quotas are called a (give each a name of its own)",
        ),
    ],
)
def test_mistakes_have_place_code_and_cure(quota: str, message: str) -> None:
    """Each is one line that an editor can jump to."""
    assert told(quota) == [message]
