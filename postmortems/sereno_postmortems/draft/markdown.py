"""Markdown in which nothing that a label or a log says can be markup: every printed value is escaped by default."""

import re
import unicodedata
from typing import Any

LONGEST_TEXT = 400
"""Characters of one value; log messages may be of any length, a draft is read by people."""

INVISIBLE_CATEGORIES = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"})
"""Controls, direction marks and the like: shown by their code, because they can make a text look like another."""

HTML = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
PUNCTUATION = frozenset("\\`*{}[]#|~$")


PLAIN_ADDRESS = re.compile(r"[A-Za-z0-9 :/.,?=&%#~+@_\-\[\]]{1,400}")


class Markdown(str):
    """Text that is Markdown on purpose, and printed as it is. Never made from a value that came from outside."""

    __slots__ = ()


def escaped(value: Any) -> Markdown:
    """A value as Markdown that shows exactly its text, in a paragraph, a list or a table cell.

    Line breaks become ↵, invisible characters their code, and texts over `LONGEST_TEXT` are cut, which is told.
    """
    if isinstance(value, Markdown):
        return value
    text = str(value)
    if len(text) > LONGEST_TEXT:
        text = f"{text[:LONGEST_TEXT]}… ({len(text) - LONGEST_TEXT} more characters)"
    text = text.replace("\r\n", "\n").replace("\n", " ↵ ")
    shown = "".join(_shown(character) for character in text)
    shown = re.sub(r"(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])", r"\\_", shown)  # inside a word it means nothing
    shown = re.sub(r"://", ":&#47;&#47;", shown)  # readers make links of addresses
    shown = re.sub(r"(?i)\b(www)\.", r"\1&#46;", shown)
    shown = re.sub(r"^(\s*)([-+=])(?=\s|$|\2)", r"\1\\\2", shown)  # lists, rules, underlines of headings
    shown = re.sub(r"^(\s*\d+)([.)])(?=\s|$)", r"\1\\\2", shown)
    return Markdown(shown)


def address(value: str) -> Markdown:
    """An address or path as code, to be copied; one with unusual characters is escaped like any text."""
    return Markdown(f"`{value}`") if PLAIN_ADDRESS.fullmatch(value) else escaped(value)


def own_address(url: str) -> Markdown:
    """An address that Sereno made and encoded, of any length, as code; escaped where something could end the code."""
    return escaped(url) if re.search(r"[\s`<>]", url) else Markdown(f"`{url}`")


def _shown(character: str) -> str:
    if character in HTML:
        return HTML[character]
    if character in PUNCTUATION:
        return f"\\{character}"
    if unicodedata.category(character) in INVISIBLE_CATEGORIES:
        return f"(U+{ord(character):04X})"
    return character
