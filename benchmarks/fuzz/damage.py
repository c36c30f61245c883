"""Good inputs damaged: cut, doubled, crossed, with odd words in them, and as JSON with odd values in odd places."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from hypothesis import strategies as st

ODD_WORDS: tuple[bytes, ...] = (
    *(b"\0", b"\xff\xfe", b"\xc3\x28", b"\xed\xa0\x80", b"\xe2\x80\xa8", b"\xef\xbb\xbf", b"\r\n", b"\r", b"\x1b[2J"),
    *("İ\u0307".encode(), "\u202e".encode(), "\U0001d7d9".encode(), "٣".encode(), "\x85".encode()),
    *(b"<script>", b"]]>", b"--"),
    *(b"NaN", b"Infinity", b"-1", b"1e999", b"0x1p3", b"9" * 400, b"1" + b"0" * 5000, b"99999999999999999999", b"-0"),
    *(b"0001-01-01T00:00:00Z", b"9999-12-31T23:59:59-12:00", b"2026-02-30", b"1969-12-31T23:59:59Z", b"T", b"+14:00"),
    *(b'"', b"'", b"`", b"\\", b"{", b"}", b"[", b"]", b"(", b"|", b"\n", b"\t", b"\n\n", b": ", b"- ", b"#", b"%00"),
    *(
        b"\\ud800",
        b"\\u0000",
        b"null",
        b"true",
        b"{}",
        b"[]",
        b"&a ",
        b"*a",
        b"!!binary ",
        b"!!python/object:x ",
        b"<<",
    ),
)
ODD_VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 2**31, 2**63, -(2**63) - 1, 10**30, 1e308, -0.0, 0.1, float("nan"), float("inf")),
    *("", " ", "\0", "\ud800", "x" * 3000, "é\u0301", "<script>alert(1)</script>", "javascript:alert(1)", "a\nb", "%s"),
    *("2026-02-30T00:00:00Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59-12:00", "1e999", "NaN", "-1", "٣", "main"),
    *([], {}, [[]], [None], {"": ""}, {"a": {"b": {"c": None}}}, ["x"] * 50),
)
_MOST_REPEATED_BYTES = 60_000
_DEEP = 3_000


@st.composite
def damaged(draw: st.DrawFn, seeds: Sequence[bytes], words: Sequence[bytes]) -> bytes:
    """One of the seeds with some edits; now and then something else altogether."""
    kind = draw(st.integers(0, 19))
    if kind == 0:
        return draw(st.binary(max_size=300))
    data = draw(st.sampled_from(seeds))
    known = [*words, *ODD_WORDS]
    for _ in range(draw(st.integers(1, 6))):
        data = _edited(draw, data, known, seeds)
    return data


def _edited(  # noqa: PLR0911 - one for each kind of damage
    draw: st.DrawFn, data: bytes, words: Sequence[bytes], seeds: Sequence[bytes]
) -> bytes:
    start = draw(st.integers(0, len(data)))
    end = min(len(data), start + draw(st.integers(0, 40)))
    match draw(st.integers(0, 9)):
        case 0:
            return data[:start] + data[end:]
        case 1 | 2 | 3:
            return data[:start] + draw(st.sampled_from(words)) + data[end:]
        case 4:
            return data[:start] + draw(st.sampled_from(words)) + data[start:]
        case 5:
            return data[:start] + draw(st.binary(min_size=1, max_size=8)) + data[end:]
        case 6:
            times = draw(st.sampled_from([2, 3, 50, 2000]))
            return data[:start] + (data[start:end] * times)[:_MOST_REPEATED_BYTES] + data[end:]
        case 7:
            word = draw(st.sampled_from([*words, b"[", b"{a: ", b'{"a":', b"(", b"> ", b"- ", b"a{", b"**", b"[a]("]))
            return data[:start] + (word * _DEEP)[:_MOST_REPEATED_BYTES] + data[start:]
        case 8:
            other = draw(st.sampled_from(seeds))
            return data[:start] + other[draw(st.integers(0, len(other))) :]
        case _:
            return data[:start]


@st.composite
def changed_json(draw: st.DrawFn, seeds: Sequence[bytes], words: Sequence[bytes]) -> bytes:
    """A seed that is JSON with some of its values replaced, removed or called otherwise."""
    document = json.loads(draw(st.sampled_from(seeds)))
    texts = [word.decode(errors="replace") for word in words]
    for _ in range(draw(st.integers(1, 3))):
        place = draw(st.sampled_from(list(_places(document))))
        value = draw(st.sampled_from(ODD_VALUES) | st.sampled_from(texts or [""]) | st.text(max_size=5) | st.integers())
        document = _with(document, place, value, draw(st.sampled_from(["set", "set", "set", "remove", "rename"])))
    return json.dumps(document, ensure_ascii=draw(st.booleans())).encode("utf-8", "surrogatepass")


def _places(value: Any, above: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield above
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in children:
        yield from _places(child, (*above, key))


def _with(document: Any, place: tuple[Any, ...], value: Any, how: str) -> Any:
    """The document with another value there; its own parts stay as they are."""
    if not place:
        return value
    first, rest = place[0], place[1:]
    if isinstance(document, list):
        if how == "remove" and not rest:
            return document[:first] + document[first + 1 :]
        return [_with(each, rest, value, how) if at == first else each for at, each in enumerate(document)]
    if rest or how == "set":
        return {key: _with(each, rest, value, how) if key == first else each for key, each in document.items()}
    others = {key: each for key, each in document.items() if key != first}
    return others if how == "remove" else {**others, str(value)[:50]: document[first]}


def is_json(data: bytes) -> bool:
    """Whether a seed can be changed as JSON."""
    try:
        json.loads(data)
    except ValueError:
        return False
    return True


def inputs_of(seeds: Sequence[bytes], words: Sequence[bytes]) -> st.SearchStrategy[bytes]:
    """Damaged texts, and where seeds are JSON mostly those with odd values."""
    documents = [seed for seed in seeds if is_json(seed)]
    texts = damaged(seeds, words)
    return st.one_of(texts, changed_json(documents, words), changed_json(documents, words)) if documents else texts
