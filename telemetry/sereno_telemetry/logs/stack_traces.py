"""Stack traces in bounded time whatever an exception holds: chains, groups, notes, deep recursion.

The form is the interpreter's, without its marks below the lines of code: finding what to mark costs two thirds of the
time of `traceback.format_exception`.
"""

import linecache
from collections import deque
from collections.abc import Iterator
from itertools import groupby, islice
from types import TracebackType

from sereno_telemetry.logs.values import text_of

FIRST_FRAMES = 10
LAST_FRAMES = 40
"""Of each exception's stack; frames that repeat count once."""

MOST_EXCEPTIONS = 32
"""Of all chains and groups together."""

MOST_OF_A_GROUP = 8
MOST_NOTES = 16

# The sentences of the interpreter, so that people and tools find them.
_CAUSED = "\nThe above exception was the direct cause of the following exception:\n"
_WHILE_HANDLING = "\nDuring handling of the above exception, another exception occurred:\n"

_MOST_WORDS = 65_536

_Frame = tuple[str, int, str]


def stack_trace(error: BaseException, traceback: TracebackType | None) -> str:
    """The exception as the interpreter would print it, without what goes beyond the limits."""
    try:
        budget = iter(range(MOST_EXCEPTIONS))
        return "\n".join(_chain(error, traceback, budget))
    except Exception:  # noqa: BLE001 - exceptions that break while they are looked at
        return f"{type(error).__qualname__} (its stack can't be told)"


def type_name(kind: type[BaseException]) -> str:
    """The name of an exception's type with its module, which built-in ones don't have."""
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def error_text(error: BaseException | None) -> str:
    """What an exception says, or its type if it says nothing: never empty, so that messages can be counted."""
    try:
        return str(error) or type(error).__qualname__
    except Exception:  # noqa: BLE001 - an exception whose own text raises
        return type(error).__qualname__


def _chain(error: BaseException, traceback: TracebackType | None, budget: Iterator[int]) -> Iterator[str]:
    """The exception and what it followed from, the oldest first."""
    links: list[tuple[BaseException, TracebackType | None, str]] = []
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        if next(budget, None) is None:
            yield "… [earlier exceptions left out] …"
            break
        seen.add(id(current))
        cause = current.__cause__
        links.append((current, traceback, _CAUSED if cause is not None else _WHILE_HANDLING))
        current = cause if cause is not None or current.__suppress_context__ else current.__context__
        traceback = current.__traceback__ if current is not None else None
    for number, (link, frames, sentence) in enumerate(reversed(links)):
        if number:
            yield sentence
        yield from _one(link, frames, budget)


def _one(error: BaseException, traceback: TracebackType | None, budget: Iterator[int]) -> Iterator[str]:
    if traceback is not None:
        yield "Traceback (most recent call last):"
        yield from _frames(traceback)
    if isinstance(error, SyntaxError):
        yield f'  File "{error.filename}", line {error.lineno}'
        if error.text:
            yield f"    {text_of(error.text).strip()[:256]}"
    words = error_text(error)[-_MOST_WORDS:]
    name = type_name(type(error))
    yield name if words == type(error).__qualname__ else f"{name}: {words}"
    notes = getattr(error, "__notes__", ())
    if isinstance(notes, (list, tuple)):
        yield from (text_of(note) for note in notes[:MOST_NOTES])
    if isinstance(error, BaseExceptionGroup):
        yield from _group(error, budget)


def _group(group: BaseExceptionGroup[BaseException], budget: Iterator[int]) -> Iterator[str]:
    for number, error in enumerate(group.exceptions, 1):
        if number > MOST_OF_A_GROUP:
            yield f"  | … [{len(group.exceptions)} exceptions in this group] …"
            return
        yield f"  +---------------- {number} ----------------"
        for text in _chain(error, error.__traceback__, budget):
            yield "\n".join(f"  | {line}" for line in text.split("\n"))


def _frames(traceback: TracebackType) -> Iterator[str]:
    folded = ((frame, sum(1 for _ in same)) for frame, same in groupby(_walk(traceback)))
    first = list(islice(folded, FIRST_FRAMES))
    last: deque[tuple[_Frame, int]] = deque(maxlen=LAST_FRAMES)
    count = 0
    for told in folded:
        last.append(told)
        count += 1
    for told in first:
        yield _frame(*told)
    if count > LAST_FRAMES:
        yield f"  … [{count - LAST_FRAMES} frames cut] …"
    for told in last:
        yield _frame(*told)


def _walk(traceback: TracebackType | None) -> Iterator[_Frame]:
    while traceback is not None:
        code = traceback.tb_frame.f_code
        yield code.co_filename, traceback.tb_lineno, code.co_name
        traceback = traceback.tb_next


def _frame(frame: _Frame, times: int) -> str:
    path, line, function = frame
    told = f'  File "{path}", line {line}, in {function}'
    source = linecache.getline(path, line).strip()[:256]
    if source:
        told += f"\n    {source}"
    return told if times == 1 else f"{told}\n  [{times} times in a row]"
