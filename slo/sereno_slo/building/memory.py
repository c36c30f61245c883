"""What a run remembers for the next one: unchanged specs with untouched files needn't be compiled again.

It lies beside the files, in a folder that git ignores. Whoever loses it, or finds it damaged or of another compiler,
compiles everything.
"""

import contextlib
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass, replace
from functools import cache
from hashlib import blake2b
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Self

import orjson

from sereno_slo.building.order import Order
from sereno_slo.diagnostics import Diagnostic, Severity, Span
from sereno_slo.model import OtherAlert, SloReference
from sereno_slo.promql import Matcher, MatchOp
from sereno_slo.source import SourceFile
from sereno_slo.validate.description import Description, Mention
from sereno_slo.writing import Stamp

FOLDER = ".sereno_cache"
_PACKAGE = Path(__file__).resolve().parents[1]
_LIBRARIES = ("grafana_foundation_sdk", "jinja2", "promql_parser", "pydantic", "pydantic_core", "yaml")


@dataclass(frozen=True, slots=True)
class Known:
    """A spec as it was compiled."""

    description: Description
    warnings: tuple[Diagnostic, ...]
    files: tuple[Stamp, ...]


@dataclass(frozen=True, slots=True)
class Memory:
    """Specs by the digest of their text, and the dashboards of all services by the digest of what they tell."""

    order: Order
    specs: Mapping[str, Known]
    overview: tuple[str, tuple[Stamp, ...]] | None

    @classmethod
    def of(cls, order: Order) -> Self:
        """What was remembered of such an order; nothing where it can't be read."""
        try:
            document = orjson.loads(_place(order).read_bytes())
            if document["order"] == _digest_of_order(order):
                specs = {digest: _known(entry) for digest, entry in document["specs"].items()}
                overview = document["overview"]
                stamps = tuple(Stamp(*stamp) for stamp in overview[1]) if overview else ()
                return cls(order, specs, (overview[0], stamps) if overview else None)
        except (OSError, ValueError, TypeError, KeyError, IndexError, AttributeError):
            pass
        return cls(order, {}, None)

    def intact(self, sources: Iterable[SourceFile]) -> dict[SourceFile, Known]:
        """The specs that are as they were, with files that nobody has touched."""
        found = ((source, self.specs.get(_digest_of(source))) for source in sources)
        return {
            source: known
            for source, known in found
            if known is not None and all(stamp.holds(self.order.root) for stamp in known.files)
        }

    def intact_overview(self, descriptions: Sequence[Description]) -> tuple[Stamp, ...] | None:
        """The dashboards of all services, if they tell of these specs and nobody has touched one."""
        if self.overview is None or self.overview[0] != _digest_of_descriptions(descriptions):
            return None
        return self.overview[1] if all(stamp.holds(self.order.root) for stamp in self.overview[1]) else None

    def save(
        self, known: Mapping[SourceFile, Known], descriptions: Sequence[Description], overview: tuple[Stamp, ...] | None
    ) -> None:
        """Remember this run. Some of the specs leave what is known of the others; a failure is no loss."""
        learnt = {_digest_of(source): entry for source, entry in known.items()}
        remembered = replace(
            self,
            specs=learnt if self.order.is_complete else {**self.specs, **learnt},
            overview=(_digest_of_descriptions(descriptions), overview) if overview else self.overview,
        )
        if remembered != self:
            with contextlib.suppress(OSError, orjson.JSONEncodeError):  # a path that is no text can't be remembered
                _save(remembered)


def _save(memory: Memory) -> None:
    place = _place(memory.order)
    document = {
        "order": _digest_of_order(memory.order),
        "specs": {digest: _entry(known) for digest, known in memory.specs.items()},
        "overview": memory.overview and (memory.overview[0], [astuple(stamp) for stamp in memory.overview[1]]),
    }
    place.parent.mkdir(parents=True, exist_ok=True)
    ignored = place.with_name(".gitignore")
    if not ignored.exists():
        ignored.write_text("*\n", encoding="utf-8")
    temporary = place.with_name(f"{place.name}.{os.getpid():x}")
    temporary.write_bytes(orjson.dumps(document))
    temporary.replace(place)


def _entry(known: Known) -> tuple[Any, ...]:
    """As plain lists: dataclasses by themselves would be mappings, three times as long."""
    of = known.description
    return (
        (of.name, of.source, of.path, _place_of(of.span), of.slos, of.journeys, of.group_labels),
        [(mention.slo, str(mention.of), _place_of(mention.span), mention.is_step) for mention in of.mentions],
        [(slo, on.alert, [(m.label, str(m.op), m.value) for m in on.matchers]) for slo, on in of.stands_on],
        [(w.code, _place_of(w.span), w.message, w.hint, str(w.severity)) for w in known.warnings],
        [(stamp.path, stamp.size, stamp.time_ns) for stamp in known.files],
    )


def _place_of(span: Span) -> tuple[str, int, int]:
    return span.path, span.line, span.column


def _known(entry: Any) -> Known:
    (name, source, path, span, slos, journeys, group_labels), mentions, standings, warnings, files = entry
    named = (Mention(slo, SloReference.parse(of), Span(*place), step) for slo, of, place, step in mentions)
    stands_on = tuple((slo, OtherAlert(alert, tuple(map(_matcher, matchers)))) for slo, alert, matchers in standings)
    return Known(
        Description(
            *(name, source, path, Span(*span)),
            slos=tuple(slos),
            journeys=tuple(journeys),
            mentions=tuple(named),
            stands_on=stands_on,
            group_labels=tuple(group_labels),
        ),
        tuple(
            Diagnostic(code, Span(*place), message, hint, Severity(severity))
            for code, place, message, hint, severity in warnings
        ),
        tuple(Stamp(*file) for file in files),
    )


def _matcher(parts: Sequence[str]) -> Matcher:
    label, operator, value = parts
    return Matcher(label, MatchOp(operator), value)


def _place(order: Order) -> Path:
    """Each choice of kinds and format has a memory of its own."""
    choice = _digest(repr(sorted(order.kinds)), repr(order.layout), order.rule_format)
    return order.root / FOLDER / f"compile-{choice[:12]}.json"


def _digest(*parts: str) -> str:
    return blake2b("\0".join(parts).encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def _digest_of(source: SourceFile) -> str:
    return _digest(source.path, source.origin, source.text)


def _digest_of_order(order: Order) -> str:
    parts = (repr(order.settings), repr(order.layout), repr(sorted(order.kinds)), order.rule_format)
    return _digest(_compiler(), *parts)


def _digest_of_descriptions(descriptions: Iterable[Description]) -> str:
    told = ((one.name, one.source, one.objective_names, one.group_labels, one.dependencies) for one in descriptions)
    return _digest(*map(repr, told))


@cache
def _compiler() -> str:
    """This very compiler: its files, the libraries that it prints with, and Python."""
    own = (path for path in sorted(_PACKAGE.rglob("*")) if path.suffix in {".py", ".j2"})
    libraries = (Path(spec.origin) for name in _LIBRARIES if (spec := find_spec(name)) and spec.origin)
    states = ((str(path), path.stat()) for path in (*own, *libraries))
    return repr((sys.version, [(path, state.st_size, state.st_mtime_ns) for path, state in states]))
