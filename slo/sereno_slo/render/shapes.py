"""Most SLOs of a fleet are alike but for names: their text is printed once, with marks, and filled in for each.

A shape is the SLO itself with marks where names stood, so nothing that decides about the text can be forgotten: what
isn't a name is the same. A mark of a label's value holds a quote and a backslash, which show how often it was escaped.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, assert_never

from sereno_slo.model import (
    BadEventsRatio,
    GoodEventsRatio,
    Indicator,
    Latency,
    NativeLatency,
    Probe,
    ServiceLevelObjective,
    Threshold,
)
from sereno_slo.plan.annotations import dashboard_uid, literal
from sereno_slo.plan.spenders import HTTP_METRICS
from sereno_slo.promql import Selector
from sereno_slo.render.yaml_text import begins_text, is_printable, pieces, quoted, scalar

# Marks are of Unicode's private use: SLOs that have such characters themselves are printed directly, and so are those
# with more lines, control characters, or the signs that Go's printf would take for verbs.
_OPEN, _CLOSE, _PADDING = "\ue000", "\ue001", "\ue002"
_MARK = re.compile(
    rf'{_OPEN}(?P<name>\d+)(?:(?P<escapes>\\*)")?{_CLOSE}{_PADDING}*|%EE%80%80(?P<in_url>\d+)%EE%80%81(?:%EE%80%82)*'
)
# Nothing that YAML could take for more than text, wherever in a text without quotes it stands.
_PLAIN = re.compile(r"[A-Za-z0-9_./|*+?()\[\]^$-]*")
_LONGEST_NAME = 60
_SERVICE, _SLO, _OWNER, _IMPACT, _UID = range(5)


@dataclass(frozen=True, slots=True)
class Shape:
    """An SLO with marks instead of names, and the names."""

    slo: ServiceLevelObjective
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Hole:
    """Where a name goes."""

    name: int
    escapes: int
    is_quoted: bool

    def filled(self, names: Sequence[str]) -> str:
        """The name as it is written here."""
        text = names[self.name]
        for _ in range(self.escapes):
            text = text.replace("\\", "\\\\").replace('"', '\\"')
        return text.replace("'", "''") if self.is_quoted else text


@dataclass(frozen=True, slots=True)
class Undecided:
    """A text that needs quotes or not, depending on the names in it."""

    parts: tuple[str | Hole, ...]
    indent: str

    def filled(self, names: Sequence[str]) -> str:
        """The text with or without quotes."""
        texts = (part if isinstance(part, str) else part.filled(names) for part in self.parts)
        return scalar("".join(texts), self.indent)


@dataclass(frozen=True, slots=True)
class Form:
    """Fixed texts, and which of the holes lies between each and the next."""

    texts: tuple[str, ...]
    holes: tuple[Hole | Undecided, ...]
    between: tuple[int, ...]

    def filled(self, names: Sequence[str]) -> str:
        """The text with these names in it."""
        values = [hole.filled(names) for hole in self.holes]
        parts = [""] * (2 * len(self.between) + 1)
        parts[::2] = self.texts
        parts[1::2] = [values[hole] for hole in self.between]
        return "".join(parts)


@dataclass(frozen=True, slots=True)
class Template:
    """The text of a shape: for names that never need quotes, and for any."""

    plain: Form
    any: Form

    def filled(self, names: Sequence[str]) -> str:
        """The text with these names in it."""
        is_plain = all(_PLAIN.fullmatch(name) for position, name in enumerate(names) if position != _IMPACT)
        return (self.plain if is_plain else self.any).filled(names)


def shape_of(slo: ServiceLevelObjective) -> Shape | None:
    """The SLO's shape; None where its names aren't fit to be filled in."""
    names = [slo.service, slo.name, slo.owner, literal(slo.impact), dashboard_uid(slo.service)]
    marks: dict[tuple[str, bool], str] = {}

    def mark(text: str, *, is_value: bool) -> str:
        if (text, is_value) not in marks:
            marks[text, is_value] = _mark(len(names), '\\"' if is_value else "")
            names.append(text)
        return marks[text, is_value]

    indicator = _marked(slo.indicator, mark)
    if "%" in "".join(names[_UID:]) or not all(map(_is_tame, names)):
        return None
    marked = replace(
        slo,
        service=_service_mark(slo.service),
        name=_mark(_SLO),
        owner=_mark(_OWNER),
        impact=_mark(_IMPACT),
        description="",
        indicator=indicator,
    )
    return Shape(marked, tuple(names))


def template_of(shape: ServiceLevelObjective, document: Any) -> Template:
    """What the document of a shape is printed as."""
    uid = dashboard_uid(shape.service)

    def form(*, is_plain: bool) -> Form:
        def write(text: str, indent: str) -> tuple[str | Hole | Undecided, ...]:
            return _written(text.replace(uid, _mark(_UID)), indent, is_plain=is_plain)

        return _form(pieces(document, write))

    return Template(form(is_plain=True), form(is_plain=False))


def _form(written: Iterable[str | tuple[str | Hole | Undecided, ...]]) -> Form:
    texts, order = [""], []
    holes: dict[Hole | Undecided, int] = {}
    for piece in written:
        for part in (piece,) if isinstance(piece, str) else piece:
            if isinstance(part, str):
                texts[-1] += part
            else:
                order.append(holes.setdefault(part, len(holes)))
                texts.append("")
    return Form(tuple(texts), tuple(holes), tuple(order))


def _is_tame(text: str) -> bool:
    return (text.isascii() and text.isprintable()) or (is_printable(text) and not re.search("[\ue000-\uf8ff]", text))


def _mark(name: int, sample: str = "") -> str:
    return f"{_OPEN}{name}{sample}{_CLOSE}"


def _service_mark(service: str) -> str:
    """As long as needed for the uid of its dashboard to be cut where the service's own is."""
    is_cut = not dashboard_uid(service).endswith(service)
    return _mark(_SERVICE) + _PADDING * (_LONGEST_NAME if is_cut else 0)


def _marked(indicator: Indicator, mark: Callable[..., str]) -> Indicator:
    def metric(name: str) -> str:
        # Pages break these metrics down by other labels than the rest.
        return name if name in HTTP_METRICS else mark(name, is_value=False)

    def selector(found: Selector, name: str | None = None) -> Selector:
        matchers = tuple(replace(matcher, value=mark(matcher.value, is_value=True)) for matcher in found.matchers)
        return Selector(name or metric(found.metric), matchers)

    match indicator:
        case BadEventsRatio(total=total, bad=bad):
            return BadEventsRatio(selector(total), selector(bad))
        case GoodEventsRatio(total=total, good=good):
            return GoodEventsRatio(selector(total), selector(good))
        case Latency(total=total, fast=fast):
            name = metric(indicator.metric)
            ends = (found.metric.removeprefix(indicator.metric) for found in (total, fast))
            total, fast = (selector(found, name + end) for found, end in zip((total, fast), ends, strict=True))
            return replace(indicator, total=total, fast=fast, metric=name)
        case NativeLatency(histogram=histogram):
            return replace(indicator, histogram=selector(histogram))
        case Threshold(gauge=gauge) | Probe(gauge=gauge):
            return replace(indicator, gauge=selector(gauge))
        case _:
            assert_never(indicator)


def _written(text: str, indent: str, *, is_plain: bool) -> tuple[str | Hole | Undecided, ...]:
    """A text of the document: what quotes or makes a block of it are its fixed parts, or it is undecided."""
    written = scalar(text, indent)
    if not _MARK.search(text):
        return (written,)
    if written.startswith("|-\n"):
        return tuple(_cut(written, is_quoted=False))
    if written == quoted(text):
        return tuple(_cut(written, is_quoted=True))
    parts = tuple(_cut(text, is_quoted=False))
    # Behind what can only begin a text plain names change nothing; alone they may read as numbers or nothing.
    if (
        is_plain
        and begins_text(str(parts[0]))
        and not any(isinstance(part, Hole) and part.name == _IMPACT for part in parts)
    ):
        return parts
    return (Undecided(parts, indent),)


def _cut(text: str, *, is_quoted: bool) -> Iterator[str | Hole]:
    end = 0
    for found in _MARK.finditer(text):
        yield text[end : found.start()]
        # Escaped n times the backslash before the quote has become 2^(n+1) - 1 of them.
        escapes = len(found["escapes"]).bit_length() - 1 if found["escapes"] else 0
        yield Hole(int(found["name"] or found["in_url"]), escapes, is_quoted)
        end = found.end()
    yield text[end:]
