"""The verdict and the table."""

import io
import math

import pytest
from rich.console import Console

from benchmarks.accuracy.counting import Truth
from benchmarks.accuracy.judge import Measured, Outcome, relative
from benchmarks.accuracy.report import as_json, lines, missed, print_table


def outcome(
    found: float | None, *, true: float = 0.01, missing: int = 0, must: bool = True, name: str = "x"
) -> Outcome:
    """One with a true error ratio and a found one (None: no value)."""
    ratios = {} if found is None else {"": found}
    own = Measured(ratios, asked=("",), coverage=1.0, evaluations=10, missing=missing)
    truth = {"": Truth(events=1000, bad_events=1000 * true)}
    return Outcome(name, "line", must, 99.9, truth, {"sereno": own, "pyrra": Measured({}, asked=())}, 1.0)


@pytest.mark.parametrize(
    ("judged", "complaint"),
    [
        (outcome(0.01), ""),
        (outcome(0.010049), ""),
        (outcome(0.010051), "+0.51% off"),
        (outcome(0.009949), "-0.51% off"),
        (outcome(None), "no error ratio"),
        (outcome(math.nan), "no error ratio"),
        (outcome(0.01, missing=1), "1 values are missing"),
        (outcome(0.02, must=False), ""),
        (outcome(0.0, true=0.0), ""),
        (outcome(0.001, true=0.0), "off"),
    ],
)
def test_the_promise(judged: Outcome, complaint: str) -> None:
    """Half a percent is kept, anything more is missed, and so is a value that isn't there."""
    assert complaint in missed(judged)
    assert bool(missed(judged)) == bool(complaint)


def test_the_worst_group_counts() -> None:
    """An error in one group isn't hidden by the whole, nor by the other groups; a missing group is NaN."""
    truth = {"": Truth(100, 1), "/a": Truth(50, 0.5), "/b": Truth(50, 0.5)}

    def judged(ratios: dict[str, float]) -> Outcome:
        return Outcome(
            "x",
            "x",
            must=True,
            objective_percent=99,
            truth=truth,
            measured={"sereno": Measured(ratios, truth)},
            seconds=1,
        )

    assert judged({"": 0.01, "/a": 0.01, "/b": 0.008}).relative_error("sereno") == pytest.approx(-0.2)
    assert judged({"": 0.01, "/a": 0.01, "/b": 0.008}).budget_error_points("sereno") == pytest.approx(20)
    assert math.isnan(judged({"": 0.01, "/a": 0.01}).relative_error("sereno"))


def test_relative_to_nothing() -> None:
    """Nothing was bad: nothing found is right, anything else infinitely wrong, no value is no value."""
    assert relative(0, 0) == 0
    assert relative(0.1, 0) == math.inf
    assert math.isnan(relative(math.nan, 0))


def test_a_family_shows_its_worst() -> None:
    """One line for all phases of a scenario, and it is the worst one's; a missing value is worse than any error."""
    found = [outcome(0.0101, name="a"), outcome(0.0098, name="b"), outcome(0.01, name="c")]
    assert lines(found)["line"].name == "b"
    assert lines([*found, outcome(None, name="d")])["line"].name == "d"


def test_the_table_and_its_json() -> None:
    """The table names line and errors; JSON has no NaN."""
    console = Console(file=io.StringIO(), width=170)
    found = [outcome(0.0102), outcome(None, name="gone")]
    print_table(found, "title", console)
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert "NaN" in text
    assert "worst of those that are judged" in text
    document = as_json(found, seed=1)
    assert document["seed"] == 1
    errors = [one["measured"]["sereno"]["relative_error"] for one in document["scenarios"]]
    assert errors[0] == pytest.approx(0.02)
    assert errors[1] is None
