"""What secrets and personal data look like: one rule for each kind, each in time linear in the length of the text.

A rule first looks for a few characters without which it can't match; most texts have none of them. Regular expressions
begin with a lookbehind that admits one start for each run of characters, and repeat nothing that can be split in two
ways, so that no text makes them backtrack over and over.
"""

import base64
import binascii
import re
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final

Replace = Callable[[re.Match[str], str], str]
"""From a match and its mark (`[masked:email]`) to the text that takes its place."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One kind of secret or of personal data."""

    name: str
    says: str
    """What it masks, for the documentation."""
    hints: tuple[str, ...]
    """A text without any of these has no match."""
    pattern: re.Pattern[str]
    replace: Replace
    screen: re.Pattern[str] | None = None
    """For rules without hints: a text without a match of this has none of `pattern`; it must be fast."""


def _whole(_match: re.Match[str], mark: str) -> str:
    return mark


def _second_group(match: re.Match[str], mark: str) -> str:
    return f"{match[1]}{mark}"


def _basic(match: re.Match[str], mark: str) -> str:
    """Base64 that holds `user:password`; any other word after "basic" is a word."""
    try:
        decoded = base64.b64decode(match[2] + "=" * (-len(match[2]) % 4))
    except (binascii.Error, ValueError):
        return match[0]
    return f"{match[1]}{mark}" if b":" in decoded else match[0]


def _card(match: re.Match[str], mark: str) -> str:
    """Every payment card number in a run of digits, also beside numbers that only a space or a hyphen parts from it."""
    text = match[0]
    places = [place for place, character in enumerate(text) if character not in " -"]
    digits = "".join(text[place] for place in places)
    begins = [n for n, place in enumerate(places) if n == 0 or place != places[n - 1] + 1]
    ends = {n for n, place in enumerate(places, 1) if n == len(places) or places[n] != place + 1}
    pieces, done = [], 0
    for begin in begins:
        if places[begin] < done:
            continue
        lengths = (length for length in _card_lengths(digits[begin : begin + 4]) if begin + length in ends)
        for length in lengths:
            if _luhn(digits[begin : begin + length]):
                pieces += [text[done : places[begin]], mark]
                done = places[begin + length - 1] + 1
                break
    return "".join(pieces) + text[done:]


def _card_lengths(head: str) -> tuple[int, ...]:
    """How many digits a card has that begins with these four; none for what is no card (a time, an order's number)."""
    first, two, four = head[:1], head[:2], int(head or "0")
    if first == "4":
        return (19, 16, 13)
    if two in {"34", "37"}:
        return (15,)
    if "51" <= two <= "55" or 2221 <= four <= 2720:  # noqa: PLR2004 - Mastercard's ranges (ISO/IEC 7812)
        return (16,)
    if two in {"30", "36", "38", "39"}:
        return (14, 16, 19)
    return (19, 18, 17, 16) if first == "6" or two == "35" else ()


def _luhn(digits: str) -> bool:
    """The check digit of ISO/IEC 7812-1, annex B."""
    plain = sum(map(int, digits[-1::-2]))
    doubled = sum(_DOUBLED[int(digit)] for digit in digits[-2::-2])
    return (plain + doubled) % 10 == 0


_DOUBLED = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)  # twice the digit, and the digits of that summed


def _iban(match: re.Match[str], mark: str) -> str:
    """ISO 13616: the number behind the letters, country and check digits at its end, is 1 modulo 97."""
    plain = match[0].replace(" ", "").replace("-", "")
    for length in range(min(len(plain), 34), 14, -1):
        moved = plain[4:length] + plain[:4]
        if int("".join(str(int(character, 36)) for character in moved)) % 97 == 1:
            return mark + plain[length:]
    return match[0]


def _address(match: re.Match[str], mark: str) -> str:
    try:
        ip_address(match[0].rstrip(".:"))
    except ValueError:
        return match[0]
    return mark


_KEY_NAME = r"[A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----"
_KEY_BLOCK = rf"-----BEGIN {_KEY_NAME}.*?(?:-----END {_KEY_NAME}|\Z)"
_IPV4 = r"[0-9]{1,3}(?:\.[0-9]{1,3}){3}"
_IPV6 = r"[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{0,4}){2,7}(?:\.[0-9]{1,3}){0,3}"

RULES: Final = (
    Rule(
        "private_key",
        "PEM and PGP blocks of private keys, to the end of the text where the block isn't closed",
        ("PRIVATE KEY",),
        re.compile(_KEY_BLOCK, re.DOTALL),
        _whole,
    ),
    Rule(
        "url_password",
        "the password in `scheme://user:password@host`",
        ("://",),
        re.compile(r"(://[^\s/:@?#\"'<>]{0,256}:)[^\s/\"'<>]{1,1024}@"),
        lambda match, mark: f"{match[1]}{mark}@",
    ),
    Rule(
        "jwt",
        "JSON Web Tokens: `eyJ…` with their parts",
        ("eyJ",),
        re.compile(r"(?<![\w-])eyJ[\w-]+(?:\.[\w-]*){1,4}"),
        _whole,
    ),
    Rule(
        "bearer",
        "what follows the word Bearer, from six characters on",
        ("earer ", "EARER "),
        re.compile(r"(\b(?:[Bb]earer|BEARER) {1,4})[\w.~+/=-]{6,}"),
        _second_group,
    ),
    Rule(
        "basic",
        "what follows the word Basic, if it is Base64 of `user:password`",
        ("asic ", "ASIC "),
        re.compile(r"(\b(?:[Bb]asic|BASIC) {1,4})([A-Za-z0-9+/]{4,})={0,2}"),
        _basic,
    ),
    Rule(
        "aws_key",
        "ids of AWS access keys: `AKIA…`, `ASIA…`",
        ("AKIA", "ASIA"),
        re.compile(r"(?<![A-Z0-9])A[KS]IA[A-Z0-9]{16}(?![A-Z0-9])"),
        _whole,
    ),
    Rule(
        "email",
        "e-mail addresses, also with `%40` for the `@`",
        ("@", "%40"),
        re.compile(r"(?<![\w.%+'-])[\w.%+'-]+(?:@|%40)[\w-]+(?:\.[\w-]+)+"),
        _whole,
    ),
    Rule(
        "card",
        "payment card numbers of 13 to 19 digits whose check digit (Luhn) is right, also in groups",
        (),
        re.compile(r"[0-9](?<![0-9]{2})(?:[ -]?[0-9]){12,}"),
        _card,
        re.compile(r"[0-9][0-9 -]{12}"),  # `re` skips to the next digit by itself
    ),
    Rule(
        "iban",
        "international bank account numbers whose check digits are right, also in groups",
        (),
        re.compile(r"[A-Z](?<![A-Za-z0-9]{2})[A-Z][0-9]{2}(?:[ -]?[A-Z0-9]){11,30}(?![A-Za-z0-9])"),
        _iban,
        re.compile(r"[A-Z]{2}[0-9]{2}"),
    ),
    Rule(
        "ip",
        "IPv4 and IPv6 addresses, `client.ip` of the access log included",
        (".", ":"),
        re.compile(rf"(?<![\w:])(?<![0-9]\.)(?:{_IPV4}|{_IPV6})"),
        _address,
    ),
)
"""All rules, in the order in which they are applied."""

OFF_BY_DEFAULT: Final = frozenset({"iban", "ip"})
"""Left out unless they are asked for: an address is often what the log is read for."""
