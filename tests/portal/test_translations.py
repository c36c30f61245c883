"""Every text of a page is there in every language, and means one thing."""

import re
from pathlib import Path

import pytest
import sereno_portal
import yaml

PACKAGE = Path(sereno_portal.__file__).parent
_SAID = re.compile(r'\b(?:_|say|no_such|NoSuch)\("((?:[^"\\]|\\.)*)"')
SPANISH = sorted((PACKAGE / "languages" / "es").glob("*.yaml"))


@pytest.fixture(scope="module")
def spanish() -> dict[str, str]:
    """All files together; the same text has the same translation wherever it stands."""
    words: dict[str, str] = {}
    for path in SPANISH:
        for english, translated in yaml.safe_load(path.read_text(encoding="utf-8")).items():
            assert words.setdefault(english, translated) == translated, f"{path.name}: {english}"
    return words


def test_every_text_is_translated(spanish: dict[str, str]) -> None:
    """Of templates and of charts."""
    sources = [*(PACKAGE / "templates").rglob("*.j2"), *(PACKAGE / "pages").rglob("*.py")]
    said = {text for path in sources for text in _SAID.findall(path.read_text(encoding="utf-8"))}
    assert len(said) > 100
    assert sorted(said - spanish.keys()) == []


def test_translations_fill_in_the_same_values(spanish: dict[str, str]) -> None:
    """A placeholder that is missing or misspelt would break a page in one language only."""
    for english, translated in spanish.items():
        assert set(re.findall(r"{\w+}", english)) == set(re.findall(r"{\w+}", translated)), english
