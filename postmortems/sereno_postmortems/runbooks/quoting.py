"""Values of labels in the middle of PromQL, shell and prose. Whoever sends alerts chooses them: none may break out."""

import re
import shlex

HARMLESS = re.compile(r"[A-Za-z0-9@%+=:,./_][A-Za-z0-9@%+=:,./_-]*")
"""Means nothing to a shell, to Markdown or to a program's options, quoted or not."""

_REGEX_SIGNS = re.compile(r"[\\.+*?()|\[\]{}^$]")
_SHORT_ESCAPES = {"\n": "\\n", "\t": "\\t", "\r": "\\r", "\\": "\\\\"}
_BEYOND_FOUR_DIGITS = 0x10000


def in_promql(value: str, quote: str, *, is_regex: bool) -> str | None:
    r"""The value within a string of PromQL that is quoted by `quote`; None where that can't say it.

    >>> print(in_promql('a"b', '"', is_regex=False), in_promql("a.b", '"', is_regex=True))
    a\"b a\\.b
    """
    pattern = _REGEX_SIGNS.sub(r"\\\g<0>", value) if is_regex else value
    if quote == "`":  # has no escapes, and parsers disagree about a backslash at the end
        return pattern if value.isprintable() and not {"`", "\\"} & set(value) else None
    return "".join(_escaped(sign, quote) for sign in pattern)


def _escaped(sign: str, quote: str) -> str:
    if sign == quote:
        return f"\\{sign}"
    if sign in _SHORT_ESCAPES:
        return _SHORT_ESCAPES[sign]
    if sign.isprintable():
        return sign
    return f"\\u{ord(sign):04x}" if ord(sign) < _BEYOND_FOUR_DIGITS else f"\\U{ord(sign):08x}"


def in_shell(value: str, *, is_plain: bool, begins_word: bool) -> str | None:
    """The value as a part of a shell command; None where it isn't safe.

    Args:
        value: Of the label.
        is_plain: Whether the place is outside of quotes, comments and the like, so that quotes can be set around it.
        begins_word: Whether a program would read it as an option if it began with a dash.
    """
    if HARMLESS.fullmatch(value):
        return value
    if begins_word and value.startswith("-"):
        return None
    # A sign that steers the terminal acts while the text is pasted, whatever quotes stand around it.
    return shlex.quote(value) if is_plain and value.isprintable() else None


def in_words(value: str) -> str | None:
    """The value in inline code, whose language nobody knows; None unless it is harmless everywhere."""
    return value if HARMLESS.fullmatch(value) else None
