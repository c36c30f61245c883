"""The file that says how long logs are kept."""

from datetime import timedelta
from pathlib import Path

import pytest
from sereno_backends.logs.lifecycle import Retention, Retentions
from sereno_cli.log_retention import EXAMPLE, read_retentions

DAY = timedelta(days=1)

MISTAKES = """\
version: sereno/v2
default:
  keep: 30
  rollover_sice: 3
datasets:
  audit: {keep: 5y, rollover_size: 40}
  access: {keep: 7 days, rollover_size: big}
  web: {keep: 1d, rollover_age: 7d}
  trace: {keep: 1s}
  mail: {}
"""
EXPECTED = """\
logs.retention.yaml:1:10: error[SLO010]: version 'sereno/v2' is not known (write version: sereno/v1)
logs.retention.yaml:3:9: error[SLO014]: 30 has no unit (add one: 30d for days)
logs.retention.yaml:4:3: error[SLO004]: rollover_sice is no key of default (did you mean rollover_size?)
logs.retention.yaml:6:36: error[SLO006]: 40 has no unit (add one: 40gb)
logs.retention.yaml:7:18: error[SLO014]: '7 days' is not a duration (write 7d)
logs.retention.yaml:7:41: error[SLO006]: 'big' is no size of at least 1mb (write for example 50gb)
logs.retention.yaml:8:8: error[SLO006]: rollover_age 7d is longer than keep 1d: only whole indices are deleted, so \
that data would live for more than twice as long (write at most 1d)
logs.retention.yaml:9:17: error[SLO014]: '1s' is shorter than an hour or longer than 100 years (write for example 30d)
logs.retention.yaml:10:9: error[SLO005]: datasets.mail has no keep (write keep: 30d)
"""


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the file is."""
    monkeypatch.chdir(tmp_path)
    return Path("logs.retention.yaml")


def test_every_mistake_has_its_place_code_and_cure(file: Path) -> None:
    """All mistakes come at once, each with line, column, code and what to write instead."""
    file.write_text(MISTAKES, encoding="utf-8")
    found = read_retentions(file)
    assert isinstance(found, tuple)
    assert "".join(f"{each}\n" for each in found) == EXPECTED


def test_names_of_datasets_are_those_of_streams(file: Path) -> None:
    """A dataset that no stream can have the name of is refused with the name that its stream has."""
    file.write_text("version: sereno/v1\ndefault: {keep: 30d}\ndatasets:\n  Payments-API: {keep: 7d}\n")
    found = read_retentions(file)
    assert isinstance(found, tuple)
    (only,) = found
    assert str(only) == (
        "logs.retention.yaml:4:3: error[SLO006]: 'Payments-API' is no dataset as its stream names it: a-z, 0-9, dots, "
        "underscores (write payments_api)"
    )


def test_default_and_datasets_are_read(file: Path) -> None:
    """Times and sizes become values, sizes in units of 1,024; what isn't said follows from what is kept."""
    file.write_text(
        "version: sereno/v1\ndefault: {keep: 30d}\n"
        "datasets: {audit: {keep: 5y, rollover_age: 30d, rollover_size: 40 GiB}, web: {keep: 12h}}\n"
    )
    assert read_retentions(file, "prod") == Retentions(
        Retention(30 * DAY),
        {"audit": Retention(5 * 365 * DAY, 30 * DAY, 40 * 1024**3), "web": Retention(DAY / 2)},
        "prod",
    )


def test_the_example_that_is_shown_is_right(file: Path) -> None:
    """What the command tells to write can be read."""
    file.write_text(EXAMPLE)
    assert isinstance(read_retentions(file), Retentions)
