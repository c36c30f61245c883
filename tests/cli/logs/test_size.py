"""`sereno logs size` as a user calls it."""

import json

import pytest
from sereno_cli.main import run

LOAD = ("logs", "size", "--lines", "2000", "--bytes", "600", "--days", "30")


def test_every_figure_says_what_it_is_made_of(capsys: pytest.CaptureFixture[str]) -> None:
    """The rollover is that of retention files, the ratio the given one."""
    assert run([*LOAD, "--ratio", "0.5"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "lines           172,800,000 a day      2,000 a second"
    assert lines[2].endswith("30 d and up to 7 d more; copies of each shard: 2")
    assert lines[5] == "data nodes      6                      1 TB of disk each, one of them may be lost"


def test_json_has_the_load_and_the_size(capsys: pytest.CaptureFixture[str]) -> None:
    """A larger disk needs fewer nodes; what was asked stands beside the answer."""
    assert run([*LOAD, "--ratio", "0.5", "--disk", "4TB", "--replicas", "0", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["load"]["node_disk_bytes"] == 4 * 2**40
    assert answer["size"]["data_nodes"] == 1


@pytest.mark.parametrize(
    ("wrong", "what"),
    [
        (("--disk", "large"), "'large' is no size; write for example 500gb or 4tb"),
        (("--disk", "0gb"), "'0gb' is no size"),
        (("--rollover-days", "60"), "60 is longer than --days, 30"),
        (("--lines", "0"), "0.0 is not in the range"),
        (("--lines", "nan"), "nan"),
    ],
)
def test_what_cant_be_is_told(wrong: tuple[str, ...], what: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Wrong arguments exit with 2."""
    assert run([*LOAD, *wrong]) == 2
    assert what in capsys.readouterr().err
