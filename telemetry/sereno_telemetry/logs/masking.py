"""Which secrets and personal data never reach a log, and what replaces them.

What was masked stays visible as masked: `[masked:email]`, `password=[masked:key]`. A text that can't be searched is
replaced as a whole, so a failure costs words, never a secret.
"""

import contextlib
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from sereno_telemetry.logs.fragments import NamedSecrets
from sereno_telemetry.logs.patterns import OFF_BY_DEFAULT, RULES

SECRET_KEYS: Final = (
    "access_key",
    "access_keys",
    "api_key",
    "api_keys",
    "authorization",
    "connection_string",
    "cookie",
    "cookies",
    "credential",
    "credentials",
    "csrf",
    "cvc",
    "cvv",
    "otp",
    "passphrase",
    "passwd",
    "password",
    "passwords",
    "private_key",
    "pwd",
    "secret",
    "secret_key",
    "secrets",
    "session_id",
    "sessionid",
    "signature",
    "token",
    "xsrf",
)
"""Names of keys whose values are masked; see `Masking.keys`."""

ALL_RULES: Final = tuple(rule.name for rule in RULES)
DEFAULT_RULES: Final = tuple(name for name in ALL_RULES if name not in OFF_BY_DEFAULT)

KEY_RULE: Final = "key"
FAILURE_RULE: Final = "failure"
"""The mark of a text that was left out as a whole, because searching it failed."""

_MOST_KNOWN_KEYS = 2_048
_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")

Counted = Callable[[str, int], None]
"""Called with the name of a rule and how many values it masked."""


@dataclass(frozen=True, slots=True)
class Masking:
    """What is masked in log records.

    Raises:
        ValueError: a rule isn't known, a name or a regular expression isn't valid, or a pattern matches empty text.
    """

    keys: Collection[str] = SECRET_KEYS
    """Keys whose values are masked in labels, ECS fields, nested values, query strings and in fragments of texts
    (`key=value`, `"key": "value"`). Compared without case and without `_`, `-`, `.` and spaces, with the end of a key:
    `token` masks `accessToken`, not `token_count`."""
    rules: Collection[str] = DEFAULT_RULES
    """Names of the built-in rules that are applied."""
    patterns: Mapping[str, str] = field(default_factory=dict)
    """Rules of your own: from a name (lower case) to a regular expression; what it matches is masked."""

    def __post_init__(self) -> None:
        for name in self.rules:
            if name not in ALL_RULES:
                raise ValueError(f"masking knows no rule {name!r}; it knows {', '.join(ALL_RULES)}")
        for key in self.keys:
            if not any(character.isascii() and character.isalnum() for character in key):
                raise ValueError(f"masking compares letters and digits of keys, and {key!r} has none")
        for name, expression in self.patterns.items():
            if not _NAME.fullmatch(name) or name in {*ALL_RULES, KEY_RULE, FAILURE_RULE}:
                raise ValueError(f"masking: {name!r} is no free name of a pattern: lower case letters, digits and _")
            try:
                matches_nothing = re.compile(expression).search("") is not None
            except re.error as error:
                raise ValueError(f"masking: the pattern {name!r} is no regular expression: {error}") from error
            if matches_nothing:
                raise ValueError(
                    f"masking: the pattern {name!r} matches empty text, so it would mask between all letters"
                )
        object.__setattr__(self, "keys", tuple(self.keys))
        object.__setattr__(self, "rules", tuple(self.rules))
        object.__setattr__(self, "patterns", MappingProxyType(dict(self.patterns)))


def mark_of(rule: str) -> str:
    """What stands in the place of what `rule` masked."""
    return f"[masked:{rule}]"


class Masker:
    """A `Masking` at work. No method raises."""

    def __init__(self, masking: Masking, counted: Counted) -> None:
        self._counted = counted
        self._names = NamedSecrets(masking.keys)
        self._known_keys: dict[str, tuple[str, bool]] = {}
        rules = [rule for rule in RULES if rule.name in masking.rules]
        own = [(name, re.compile(expression)) for name, expression in masking.patterns.items()]
        self._hints = tuple(hint for rule in rules for hint in rule.hints)
        self._screens = tuple(rule.screen.search for rule in rules if rule.screen) + tuple(
            each.search for _, each in own
        )
        self._steps = (
            *(self._step(rule.name, rule.pattern, rule.replace) for rule in rules),
            *(self._step(name, expression, lambda _match, mark: mark) for name, expression in own),
        )

    def text(self, text: str) -> str:
        """`text` without secrets."""
        try:
            if "=" in text or ":" in text or "," in text or "%3" in text:
                text, count = self._names.masked(text, KEY_MARK)
                if count:
                    self._count(KEY_RULE, count)
            # Most texts need no more than this; a loop costs a third of any() with a generator.
            for hint in self._hints:
                if hint in text:
                    return self._searched(text)
            for screen in self._screens:
                if screen(text):
                    return self._searched(text)
        except Exception:  # noqa: BLE001 - fail closed: what wasn't searched is not written
            return self._failed()
        return text

    def key(self, key: str) -> tuple[str, bool]:
        """A key as it may be written, and whether its value is secret."""
        known = self._known_keys.get(key)
        if known is None:
            try:
                known = self.text(key), self._names.is_secret(key)
            except Exception:  # noqa: BLE001 - fail closed
                known = self._failed(), True
            if len(self._known_keys) >= _MOST_KNOWN_KEYS:
                self._known_keys.clear()
            self._known_keys[key] = known
        return known

    def secret(self) -> str:
        """What is written for the value of a secret key."""
        self._count(KEY_RULE, 1)
        return KEY_MARK

    def _searched(self, text: str) -> str:
        for step in self._steps:
            text = step(text)
        return text

    def _step(
        self, name: str, pattern: re.Pattern[str], replace: Callable[[re.Match[str], str], str]
    ) -> Callable[[str], str]:
        mark = mark_of(name)

        def apply(text: str) -> str:
            found = pattern.search(text)
            if found is None:
                return text
            count = 0

            def put(match: re.Match[str]) -> str:
                nonlocal count
                put_in = replace(match, mark)
                count += put_in != match[0]
                return put_in

            masked = pattern.sub(put, text)
            if count:
                self._count(name, count)
            return masked

        return apply

    def _failed(self) -> str:
        self._count(FAILURE_RULE, 1)
        return mark_of(FAILURE_RULE)

    def _count(self, rule: str, count: int) -> None:
        with contextlib.suppress(Exception):  # a metric that fails costs the count, not the record
            self._counted(rule, count)


KEY_MARK: Final = mark_of(KEY_RULE)
