"""What pages say: every text in every language, figures as people read them."""

import re
from datetime import timedelta
from pathlib import Path

import pytest
from sereno_portal.web.figures import figure, lasting
from sereno_portal.web.languages import LANGUAGES, preferred, said, words_of
from sereno_portal.web.rendering import NAVIGATION
from support.portal import ROOT

PORTAL = ROOT / "portal" / "sereno_portal"
SAID = re.compile(r"""\b_\(\s*(?:"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)')""")


def texts(path: Path) -> set[str]:
    """Every text that a template says."""
    return {(double or single) for double, single in SAID.findall(path.read_text(encoding="utf-8"))}


@pytest.mark.parametrize("language", [language for language in LANGUAGES if language != "en"])
def test_every_text_is_translated(language: str) -> None:
    """With the same places to fill in; and nothing is translated that nobody says."""
    wanted = {name for _, name in NAVIGATION}
    for template in (PORTAL / "templates").rglob("*.j2"):
        wanted |= texts(template)
    words = words_of(language)
    assert wanted - set(words) == set()
    for text, translation in words.items():
        assert set(re.findall(r"\{\w+\}", translation)) == set(re.findall(r"\{\w+\}", text)), text


def test_the_first_language_that_we_have_is_spoken() -> None:
    """Region and weight don't matter; English where there is none of ours."""
    assert [preferred(header) for header in ("es-CO,en;q=0.8", "fr,de;q=0.5", "", "fr, ES;q=0.1")] == [
        "es",
        "en",
        "en",
        "es",
    ]
    assert said("Overview", "es") == "Resumen"
    assert said("{count} of them", "es", {"count": 3}) == "3 of them"


@pytest.mark.parametrize(
    ("value", "unit", "decimals", "text"),
    [
        (0.9995, "percentunit", 2, "99.95 %"),
        (None, "short", None, "–"),  # noqa: RUF001 - what stands where there is no figure
        (float("nan"), "s", None, "–"),  # noqa: RUF001 - the same
        (float("inf"), "short", None, "∞"),
        (12_345, "short", None, "12.3 k"),
        (1234567.0, "locale", 0, "1,234,567"),
        (0.25, "s", None, "250 ms"),
        (93_784, "s", None, "1 d 2 h"),
        (3 * 1024**2, "bytes", None, "3 MiB"),
        (14.4, "suffix:×", 1, "14.4×"),  # noqa: RUF001 - as people write it
        (600, "cpm", None, "600/min"),
    ],
)
def test_figures(value: float | None, unit: str, decimals: int | None, text: str) -> None:
    """By Grafana's unit ids."""
    assert figure(value, unit, decimals) == text


def test_durations_have_two_units_at_most() -> None:
    """Whatever is longer than a second."""
    assert [lasting(each) for each in (0, 5, 65, 3600, -90_061, timedelta(days=40))] == [
        "0 s", "5 s", "1 min 5 s", "1 h", "-1 d 1 h", "40 d",
    ]  # fmt: skip
