"""Where in a shell script quotes can be set around a word. When in doubt: nowhere."""

import re

_BEGINS_COMMENT = re.compile(r"(?:^|[\s;&|(])#")
_UNCLEAR = re.compile(r"<<|\$'|\$\"|\b(?:ssh|eval)\s|\b(?:ba|da|z)?sh\s+-c\b|\bsu\s+-c\b")
"""Here-documents, quotes with escapes of their own, what a second shell reads: from here on nothing is said."""


def plain_places(script: str) -> list[bool]:
    """For each sign of the script whether it stands outside of quotes, comments and backticks."""
    plain: list[bool] = []
    state = ""
    at = 0
    while at < len(script):
        sign = script[at]
        # A substitution within double quotes has quotes of its own, which no state of ours tells apart.
        is_nested = state == '"' and (sign == "`" or script.startswith("$(", at))
        if is_nested or (not state and _UNCLEAR.match(script, at)):
            return plain + [False] * (len(script) - at)
        if sign == "\\" and state not in {"'", "#"}:
            plain += [False, False]
            at += 2
            continue
        state_before, state = state, _after(script, at, state)
        plain.append(not state_before and not state)
        at += 1
    return plain[: len(script)]


def _after(script: str, at: int, state: str) -> str:
    """What encloses the sign after this one: a quote, a comment, nothing."""
    sign = script[at]
    if state == "#":
        return "" if sign == "\n" else "#"
    if state:
        return "" if sign == state else state
    if sign in "'\"`":
        return sign
    return "#" if sign == "#" and _BEGINS_COMMENT.match(script, max(at - 1, 0)) else ""
