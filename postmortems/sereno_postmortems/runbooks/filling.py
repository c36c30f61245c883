"""Labels into a runbook: each value is quoted for the place it comes to, or stays away."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import assert_never

from sereno_postmortems.runbooks.blocks import Block, Prose, segments
from sereno_postmortems.runbooks.quoting import in_promql, in_shell, in_words
from sereno_postmortems.runbooks.shell import plain_places
from sereno_postmortems.runbooks.words import placeholders

_SHELLS = frozenset({"sh", "bash", "shell", "zsh", "console"})
_PROMQL_TOKEN = re.compile(r"""\#[^\n]*|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`[^`]*`|[^\#"'`]+|.""", re.DOTALL)
_INLINE_CODE = re.compile(r"(?<!`)`[^`\n]+`(?!`)")
_IN_ANGLES = re.compile(r"<([a-z_][a-z0-9_]*)>")


@dataclass(frozen=True, slots=True)
class Unfilled:
    """A placeholder that stays in the text."""

    placeholder: str
    """As it stands there, such as `JOB`."""
    has_value: bool
    """Whether its label is known, but the value isn't safe in that place."""


@dataclass(frozen=True, slots=True)
class Filled:
    """A text with its labels, and what is still missing there."""

    text: str
    unfilled: tuple[Unfilled, ...]
    """Each once, in the order of the text."""


# A text's part, the labels by placeholder: the part filled in, and what stays.
_Filler = Callable[[str, Mapping[str, str]], Filled]
# A placeholder, its label's value: what to write there, None for nothing.
_Quoting = Callable[[re.Match[str], str], str | None]


def fill(text: str, labels: Mapping[str, str]) -> Filled:
    """Fill labels into a runbook.

    Words in capitals that are labels' names are replaced in the strings of `promql` blocks, in `sh` blocks and in
    inline code; `<name>` in inline code. Other blocks (`sql`, `json`, …) stay: nobody knows how to quote there.

    Args:
        text: A runbook in Markdown.
        labels: Values by the names of the labels; values may hold anything.
    """
    by_placeholder = {name.upper(): labels[name] for name in sorted(labels)}  # of Job and job, the latter
    return _joined(_of_segment(part, by_placeholder) for part in segments(text))


def _of_segment(part: Prose | Block, labels: Mapping[str, str]) -> Filled:
    match part:
        case Prose(text):
            return _by_token(_INLINE_CODE, text, labels, _of_inline_code)
        case Block():
            inner = _of_block(part)(part.text, labels)
            return replace(inner, text=f"{part.opening}{inner.text}{part.closing}")
        case _:
            assert_never(part)


def _of_block(block: Block) -> _Filler:
    if block.kind == "promql":
        return _of_promql
    return _of_shell if block.kind in _SHELLS else _left_alone


def _left_alone(text: str, labels: Mapping[str, str]) -> Filled:  # noqa: ARG001 - one of the fillers
    return Filled(text, ())


def _of_promql(text: str, labels: Mapping[str, str]) -> Filled:
    """Only within strings: a label's value can be nothing else there."""
    parts: list[Filled] = []
    before = ""
    for token in _PROMQL_TOKEN.findall(text):
        is_string = token[0] in "\"'`" and len(token) > 1
        is_regex = before.rstrip().endswith(("=~", "!~"))
        parts.append(
            _replaced(token, labels, _quoting(token[0], is_regex=is_regex)) if is_string else Filled(token, ())
        )
        before = token
    return _joined(parts)


def _quoting(quote: str, *, is_regex: bool) -> _Quoting:
    return lambda _, value: in_promql(value, quote, is_regex=is_regex)


def _of_shell(text: str, labels: Mapping[str, str]) -> Filled:
    plain = plain_places(text)

    def quoted(found: re.Match[str], value: str) -> str | None:
        begins_word = found.start() == 0 or text[found.start() - 1] in " \t\n\"'`("
        return in_shell(value, is_plain=all(plain[found.start() : found.end()]), begins_word=begins_word)

    return _replaced(text, labels, quoted)


def _of_inline_code(code: str, labels: Mapping[str, str]) -> Filled:
    """A code that is nothing but the placeholder speaks of it (`replace SERVICE by …`) and stays."""
    if code.strip("`").isupper() and code.strip("`").isidentifier():
        return Filled(code, ())
    filled = _replaced(code, labels, lambda _, value: in_words(value))
    in_angles = _IN_ANGLES.sub(lambda found: in_words(labels.get(found[1].upper(), "<>")) or found[0], filled.text)
    return replace(filled, text=in_angles)


def _by_token(token: re.Pattern[str], text: str, labels: Mapping[str, str], filler: _Filler) -> Filled:
    """The filler's work on each token, and nothing on what lies between."""
    return _joined(_tokens(token, text, labels, filler))


def _tokens(token: re.Pattern[str], text: str, labels: Mapping[str, str], filler: _Filler) -> Iterator[Filled]:
    end = 0
    for found in token.finditer(text):
        yield Filled(text[end : found.start()], ())
        yield filler(found[0], labels)
        end = found.end()
    yield Filled(text[end:], ())


def _replaced(text: str, labels: Mapping[str, str], quoted: _Quoting) -> Filled:
    """Each placeholder by its value, as `quoted` writes it; None leaves it where it is."""
    parts: list[Filled] = []
    end = 0
    for found in placeholders(text, frozenset(labels)):
        parts.append(Filled(text[end : found.start()], ()))
        value = labels.get(found[0])
        written = None if value is None else quoted(found, value)
        stays = () if written is not None else (Unfilled(found[0], has_value=value is not None),)
        parts.append(Filled(found[0] if written is None else written, stays))
        end = found.end()
    return _joined([*parts, Filled(text[end:], ())])


def _joined(several: Iterable[Filled]) -> Filled:
    parts = list(several)
    stays = dict.fromkeys(each for part in parts for each in part.unfilled)
    return Filled("".join(part.text for part in parts), tuple(stays))
