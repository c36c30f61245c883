"""Regular expressions of matchers, as Prometheus reads them: RE2, anchored at both ends."""

import re
from functools import lru_cache

from pydantic_core import SchemaError, SchemaValidator, ValidationError, core_schema

# promql-parser checks regular expressions with Rust's engine. It is of RE2's family (no backtracking, the same
# syntax), but a little richer: what only Rust reads makes a rule file that Prometheus refuses as a whole, or that
# means something else there. (RE2's syntax: github.com/google/re2/wiki/Syntax)
_ESCAPE = re.compile(r"\\(?:[pP]\{[^}]*\}|x\{[^}]*\}|b\{|.)", re.DOTALL)
_POSIX_CLASS = re.compile(r"\[:\^?[a-z]+:\]")
_CLASS = re.compile(r"\[\^?\]?([^\]]*)\]")
_SET_OPERATION = re.compile(r"\[|&&|--|~~")
_REPETITION = r"(?:[*+?]|\{[0-9]+(?:,[0-9]*)?\})"
_TOO_RICH = (
    (re.compile(r"\(\?<"), "groups named by (?<name>…)", "write (?P<name>…)"),
    (re.compile(r"\(\?[a-zA-Z-]*?[^imsUP:)-][a-zA-Z-]*[:)]"), "flags other than i, m, s and U", "leave them out"),
    (re.compile(rf"{_REPETITION}\??+{_REPETITION}"), "a repetition of a repetition", "use parentheses"),
    (re.compile(r"\{,[0-9]+\}"), "a repetition without a lower bound", "write {0,…}"),
)
_MOST_REPETITIONS = 1000


@lru_cache(maxsize=1024)
def problem_of(pattern: str) -> str | None:
    """What in a pattern that Rust reads Prometheus doesn't read alike, and what to write; None if nothing."""
    for escape in _ESCAPE.findall(pattern):
        if escape[1] in "uU<>" or escape == r"\b{":
            return f"it has the escape {escape}, which means something else to Prometheus, or nothing"
    plain = _ESCAPE.sub("x", pattern)
    for members in _CLASS.findall(_POSIX_CLASS.sub("x", plain)):
        if _SET_OPERATION.search(members):
            return "it has [, &&, -- or ~~ between brackets, which Prometheus reads otherwise: escape them"
    plain = _CLASS.sub("x", _POSIX_CLASS.sub("x", plain))
    for found, what, cure in _TOO_RICH:
        if found.search(plain):
            return f"it has {what}, which Prometheus doesn't read: {cure}"
    if any(int(count) > _MOST_REPETITIONS for count in re.findall(r"[{,]([0-9]+)(?=[,}])", plain)):
        return f"it repeats something more than {_MOST_REPETITIONS} times, which Prometheus refuses"
    return None


def matches(pattern: str, text: str) -> bool:
    r"""Whether the whole text matches, as in Prometheus.

    Python's own `re` refuses or misreads some of RE2's syntax (`\pN`, `[[:alpha:]]`, `a(?i)b`), so pydantic's Rust
    engine judges. A pattern that it can't read matches nothing.
    """
    validator = _validator(pattern)
    if validator is None:
        return False
    try:
        validator.validate_python(text)
    except ValidationError:
        return False
    return True


# A brace that begins no repetition is a literal one in RE2, and an error in Rust.
_ESCAPE_OR_BRACE = re.compile(rf"({_ESCAPE.pattern})|\{{(?![0-9]+(?:,[0-9]*)?\}})", re.DOTALL)


@lru_cache(maxsize=256)
def _validator(pattern: str) -> SchemaValidator | None:
    braced = _ESCAPE_OR_BRACE.sub(lambda found: found[1] or r"\{", pattern)
    try:
        return SchemaValidator(core_schema.str_schema(pattern=rf"\A(?s:{braced})\z", regex_engine="rust-regex"))
    except SchemaError:
        return None
