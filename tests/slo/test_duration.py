"""Durations: read as Prometheus reads them, written so that they read back the same."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sereno_slo.duration import Duration


@given(st.integers(1, 10**13))
def test_what_is_written_reads_back_the_same(milliseconds: int) -> None:
    """Every duration prints to text that parses to it."""
    assert Duration.parse(str(Duration(milliseconds))).milliseconds == milliseconds


@pytest.mark.parametrize(
    ("text", "milliseconds"),
    [
        ("1ms", 1),
        ("300ms", 300),
        ("1s", 1_000),
        ("1m", 60_000),
        ("1h30m", 5_400_000),
        ("1d", 86_400_000),
        ("1w", 604_800_000),
        ("1y", 31_536_000_000),
        ("1y2w3d4h5m6s7ms", 33_019_506_007),
        ("0h5m", 300_000),
        ("090s", 90_000),
    ],
)
def test_units_are_prometheus_s(text: str, milliseconds: int) -> None:
    """A year has 365 days, a week seven, and units stand in descending order."""
    assert Duration.parse(text).milliseconds == milliseconds


@pytest.mark.parametrize("text", ["", "5", "m", "5 m", "5m1h", "1.5h", "-5m", "5M", "٣m", "5m\n", "0s", "0h0m", "1h1h"])
def test_what_prometheus_refuses_is_refused(text: str) -> None:
    """Anything else is a ValueError that quotes the text."""
    with pytest.raises(ValueError, match=r"is not a duration|is no time at all"):
        Duration.parse(text)


@pytest.mark.parametrize(
    ("milliseconds", "text"),
    [
        (300, "300ms"),
        (90_000, "1m30s"),
        (299_999, "4m59s999ms"),
        (2_592_000_000, "30d"),
        (604_800_000, "7d"),
        (0, "0s"),
    ],
)
def test_is_written_as_people_write_it(milliseconds: int, text: str) -> None:
    """Days, not weeks: `30d` says more than `4w2d`."""
    assert str(Duration(milliseconds)) == text


def test_arithmetic() -> None:
    """Durations divide into ratios, multiply by whole numbers, compare, and shrink by the least that there is."""
    day, hour = Duration.parse("1d"), Duration.parse("1h")
    assert day / hour == 24
    assert hour * 24 == day
    assert hour < day
    assert hour.seconds == 3600
    assert str(day.just_under()) == "23h59m59s999ms"
