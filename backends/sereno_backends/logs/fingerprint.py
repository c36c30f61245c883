"""Messages that say the same of different things have one fingerprint and one template; pure.

What varies is recognised by its form (a number, an address, something in quotes), without looking at other messages:
the same message has the same fingerprint in every process, on every machine and in every version of Sereno.
"""

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

MOST_CHARACTERS: Final = 1_024
"""Of a message that are looked at."""
MOST_TEMPLATE_CHARACTERS: Final = 200
"""Of a template. Longer ones are cut: what stands far behind varies with the lengths of what stands before."""
MOST_TYPE_CHARACTERS: Final = 200
LONGEST_NAME: Final = 8
"""Capitals with a number behind them are a name (`ERR42`) if they are shorter than this, else an id."""
IDENTITY_DIGITS: Final = 12

_KEPT: Final = frozenset(
    {
        *("base64", "ec2", "gzip2", "h2", "http1", "http2", "http3", "i18n", "ipv4", "ipv6", "k8s", "log4j", "md5"),
        *("neo4j", "oauth2", "p50", "p90", "p95", "p99", "s3", "sha1", "sha256", "sha512", "utf8", "utf16", "x509"),
        *("amd64", "arm64", "x64", "x86", "x86_64"),
    }
)
"""Words with digits that are names."""

# A pod's name ends with the hash of its template and five signs of its own; Kubernetes leaves out vowels, 0, 1 and 3.
# (k8s.io/apimachinery/pkg/util/rand). All digits here, so that digits alone never decide.
_POD = "[bcdfghjklmnpqrstvwxz0-9]"
_HEX = "[0-9a-fA-F]"
_TIME_UNIT = "(?:ns|us|µs|μs|ms|seconds|secs?|minutes|mins?|hours|days|[smhd])"
_SIZE_UNIT = "(?:[kKMGTP]i?[bB]?|B|bytes)"
_DOMAIN = "(?:com|org|net|io|dev|cloud|local|internal|localdomain|lan|corp|svc|example|test|invalid)"

# What is tried where a word can begin gives nothing back (`++`, `*+`), so that every sign is looked at a few times: the
# time grows with the length, whatever a message holds. Within words nothing is tried but quotes and `=`.
_VARIABLE: Final = re.compile(
    rf"""
      (?P<str> "[^"\n]*+" | `[^`\n]*+` )
    | (?P<val> (?<=\w) = (?![=>]) (?: "[^"\n]*+" | '[^'\n]*+' | [^\s,;()\[\]{{}}"'&|=]++ ) )
    | (?<!\w) (?:
      (?P<date> (?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun),?\ )?+ (?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)
                \ {{1,2}}\d\d?\ \d\d:\d\d:\d\d (?!\w) )
    | (?! [a-zA-Z]++ (?:[\s,;)!?]|\Z) ) (?:  # most words are plain ones
      (?P<quoted> '[^'\n]*+'(?!\w) )
    | (?P<url> (?<!\.) (?:https?|ftp|wss?|amqps?|rediss?|postgres(?:ql)?|mysql|mongodb|jdbc|s3|file|tcp|udp)
               (?::[a-z]++)?+ :// [^\s"'<>,;)\]}}]*+ )
    | (?P<time> (?<!\.) (?:
            \d{{4}}[-/]\d\d[-/]\d\d (?:[T\ ]\d\d:\d\d(?::\d\d(?:[.,]\d++)?+)?+)?+ (?:Z|\ ?[+-]\d\d:?\d\d(?!\d))?+
          | \d\d?[-/ ][A-Z][a-z][a-z][-/ ]\d{{4}} (?:[:\ ]\d\d:\d\d:\d\d)?+ (?:\ [+-]\d{{4}})?+
          | \d\d:\d\d:\d\d (?:[.,]\d++)?+
        ) (?!\w) )
    | (?P<uuid> {_HEX}{{8}}-{_HEX}{{4}}-{_HEX}{{4}}-{_HEX}{{4}}-{_HEX}{{12}} (?!\w) )
    | (?P<email> (?<![.+-]) [\w.+-]++ @ [\w-]++ (?:\.[\w-]++)++ )
    | (?P<ip> (?<![.:]) (?:
            \d{{1,3}} (?:\.\d{{1,3}}){{3}} (?:[:/]\d{{1,5}})?+ (?!\w|\.\d)
          | \[? (?={_HEX}{{0,4}}:) (?=[a-fA-F:]*+\d) (?:{_HEX}{{0,4}}:){{2,7}} {_HEX}{{0,4}} (?:\]:\d++|\])?+ (?![\w:])
        ) )
    | (?P<path> (?<![<>/.~-]) (?:
            (?:~|\.{{1,2}})?+ (?:/[\w.@%+=*~-]++)++ /?+ (?:\?[^\s"']*+)?+
          | [A-Za-z]:\\[^\s"':]++
        ) )
    | (?P<pod> (?<!-) [a-z][a-z0-9-]{{0,200}}-{_POD}{{6,10}}-{_POD}{{5}} (?![\w-]) )
    | (?P<host> (?<![.-]) (?:[a-zA-Z0-9-]++\.){{1,10}} {_DOMAIN} (?::\d++)?+ (?!\w|\.\w) )
    | (?P<hex> (?=\d*+[a-fA-F]) (?=[a-fA-F]*+\d) {_HEX}{{6,64}} (?!\w) )
    | (?P<duration> (?<!\.) (?:\d++(?:\.\d++)?+{_TIME_UNIT}){{1,5}} (?!\w) )
    | (?P<size> (?<!\.) \d++(?:\.\d++)?+{_SIZE_UNIT} (?!\w) )
    | (?P<num> (?<!\.) [-+]?+ \d++ (?:[.,:]\d++)*+ (?:[eE][-+]?+\d++)?+ (?P<unit> %|x|st|nd|rd|th )? (?!\w) )
    | (?P<word> [^\W\d]*+ \d \w*+ )
    ) )
    """,
    re.VERBOSE,
)
_HEX_WORD: Final = re.compile(rf"0[xX]{_HEX}+|{_HEX}{{4,}}")
_COUNTED_WORD: Final = re.compile(r"([^\W\d]{2,})\d+")
_LIST: Final = re.compile(r"(<[a-z]+>)(?:, ?\1)+")


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What messages of one kind have in common."""

    identity: str
    """Twelve hexadecimal digits, of the template and the error's type."""
    template: str
    """The message with `<num>`, `<str>` and so on for what varies; one printable line of at most 200 characters."""


def fingerprint(message: str, error_type: str | None = None) -> Fingerprint:
    """The fingerprint of a message; never an exception, in time that grows with its first 1,024 characters alone.

    >>> fingerprint("user 4711 not found in 12.5ms").template
    'user <num> not found in <duration>'
    """
    template = _template(message)
    kind = (error_type or "")[:MOST_TYPE_CHARACTERS]
    content = f"{kind}\0{template}".encode("utf-8", "backslashreplace")
    return Fingerprint(hashlib.sha256(content).hexdigest()[:IDENTITY_DIGITS], template)


def _template(message: str) -> str:
    text = message
    if len(message) > MOST_CHARACTERS:
        head = message[:MOST_CHARACTERS]
        text = head.rpartition(" ")[0] or head  # the last word may be half of one
    text = _VARIABLE.sub(_placeholder, text)
    if not text.isprintable():
        text = "".join(sign if sign.isprintable() else " " for sign in text)
    text = _LIST.sub(r"\1, …", " ".join(text.split()))
    return text if len(text) <= MOST_TEMPLATE_CHARACTERS else f"{text[: MOST_TEMPLATE_CHARACTERS - 1]}…"


def _placeholder(found: re.Match[str]) -> str:
    kind = found.lastgroup or ""
    return _SHOWN[kind](found) if kind in _SHOWN else f"<{kind}>"


def _place(found: re.Match[str]) -> str:
    """What ends a sentence is none of the path or address."""
    return f"<{found.lastgroup}>{found[0][-1] if found[0][-1] in '.:' else ''}"


def _number(found: re.Match[str]) -> str:
    return f"<num>{found['unit'] or ''}"


def _word(found: re.Match[str]) -> str:
    """A word with digits in it: a name, a number in hexadecimal digits, a name with a number behind it, or an id."""
    word = found[0]
    if word.lower() in _KEPT:
        return word
    if _HEX_WORD.fullmatch(word):
        return "<num>"
    counted = _COUNTED_WORD.fullmatch(word)
    if counted is None or (len(word) >= LONGEST_NAME and counted[1].isupper()):
        return "<id>"
    return f"{counted[1]}<num>"


_SHOWN: Final[dict[str, Callable[[re.Match[str]], str]]] = {
    "num": _number,
    "unit": _number,
    "date": lambda _: "<time>",
    "val": lambda _: "=<val>",
    "quoted": lambda _: "<str>",
    "path": _place,
    "url": _place,
    "hex": lambda _: "<num>",
    "word": _word,
}
