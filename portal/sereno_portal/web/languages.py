"""The pages' words in other languages: the English text is the key, `languages/<language>/*.yaml` has the others."""

from collections.abc import Mapping
from functools import cache
from importlib import resources

import yaml

ENGLISH = "en"
LANGUAGES = (ENGLISH, "es")
NAMES = {ENGLISH: "English", "es": "Español"}


@cache
def words_of(language: str) -> Mapping[str, str]:
    """English text to text of the language; nothing for English."""
    if language == ENGLISH:
        return {}
    folder = resources.files("sereno_portal") / "languages" / language
    words: dict[str, str] = {}
    for path in folder.iterdir():
        if path.name.endswith(".yaml"):
            words |= yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    return words


def said(text: str, language: str, values: Mapping[str, object] | None = None) -> str:
    """The text in a language, `{name}` filled in; a text that nobody has translated stays English."""
    found = words_of(language).get(text, text)
    return found.format_map(values) if values else found


def preferred(accepted: str) -> str:
    """The first of our languages in an Accept-Language header; its weights are its order in practice."""
    for part in accepted.split(","):
        language = part.split(";")[0].strip().lower().partition("-")[0]
        if language in LANGUAGES:
            return language
    return ENGLISH
