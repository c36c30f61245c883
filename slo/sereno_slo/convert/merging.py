"""Parts of one service joined, whichever documents they come from; names made valid, and that is told."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from sereno_slo.convert.draft import DraftSlo, LeftOut, Remark, ServicePart, Slot, warning
from sereno_slo.convert.formats import Format
from sereno_slo.convert.section import Words
from sereno_slo.diagnostics import Diagnostic, Span
from sereno_slo.parse.grammar import DASHBOARDS_OF_ALL

_LONGEST_NAME = 60
_NO_OWNER = "unknown"


@dataclass(frozen=True, slots=True)
class DraftService:
    """One spec to be written."""

    name: str
    owner: str
    span: Span
    owner_span: Span
    origin: str
    formats: tuple[Format, ...]
    paths: tuple[str, ...]
    slos: tuple[DraftSlo | LeftOut, ...]
    remarks: tuple[Remark, ...]


def merged(parts: Iterable[ServicePart]) -> tuple[DraftService, ...]:
    """One service for each name in the source, in the order of their first part."""
    by_name: dict[str, list[ServicePart]] = {}
    for part in parts:
        by_name.setdefault(part.service.text, []).append(part)
    taken: set[str] = set(DASHBOARDS_OF_ALL)
    return tuple(_service(parts_of_one, taken) for parts_of_one in by_name.values())


def _service(parts: list[ServicePart], taken: set[str]) -> DraftService:
    first = parts[0]
    name = _free(valid_name(first.service.text, "service"), taken)
    owner, told = _owner(parts)
    remarks = [*_renamed(first.service, name, Slot.SERVICE, "the service"), *told]
    remarks += [remark for part in parts for remark in part.remarks if remark.slot is Slot.SERVICE]
    names: set[str] = set()
    slos = tuple(_named(slo, part, names) for part in parts for slo in part.slos)
    return DraftService(
        name,
        owner.text,
        first.service.span,
        owner.span,
        first.origin or first.path,
        tuple(dict.fromkeys(part.format for part in parts)),
        tuple(dict.fromkeys(part.path for part in parts)),
        slos,
        tuple(remarks),
    )


def _owner(parts: list[ServicePart]) -> tuple[Words, list[Remark]]:
    """The first owner that is named, made a valid name; others are told."""
    owners = [part.owner for part in parts if part.owner]
    if not owners:
        span = parts[0].service.span
        message = f"nothing tells who owns {parts[0].service.text}: {_NO_OWNER} is written"
        cure = "write the team that is paged; alerts are routed by it"
        return Words(_NO_OWNER, span), [Remark(Slot.OWNER, warning("SLO065", span, message, cure))]
    first = owners[0]
    name = valid_name(first.text, _NO_OWNER)
    remarks = list(_renamed(first, name, Slot.OWNER, "the owner"))
    for other in owners[1:]:
        if other.text != first.text:
            message = f"{other.text} owns a part of it, too; a service has one owner"
            cure = "describe what another team owns as a service of its own"
            remarks.append(Remark(Slot.OWNER, warning("SLO061", other.span, message, cure)))
    return Words(name, first.span), remarks


def _named(slo: DraftSlo | LeftOut, part: ServicePart, names: set[str]) -> DraftSlo | LeftOut:
    if isinstance(slo, LeftOut):
        return slo
    name = _free(valid_name(slo.name.text, "slo"), names)
    remarks = [*_renamed(slo.name, name, Slot.NAME, "the SLO"), *slo.remarks]
    remarks += [remark for remark in part.remarks if remark.slot is not Slot.SERVICE]
    return replace(slo, name=Words(name, slo.name.span), remarks=tuple(remarks))


def _renamed(given: Words, name: str, slot: Slot, what: str) -> Iterator[Remark]:
    if given.text != name:
        message = f"{what} {given.text!r} is called {name}: names are lower-case words with hyphens, each used once"
        cure = "look for the old name in dashboards and routes"
        yield Remark(slot, warning("SLO064", given.span, message, cure))


def valid_name(text: str, otherwise: str) -> str:
    """The nearest name of lower-case letters, digits and hyphens."""
    words = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:_LONGEST_NAME].strip("-")
    return words or otherwise


def _free(name: str, taken: set[str]) -> str:
    """The name, or the same with a number where another one has it."""
    found, number = name, 1
    while found in taken:
        number += 1
        found = f"{name[: _LONGEST_NAME - len(str(number)) - 1]}-{number}"
    taken.add(found)
    return found


def mistakes_of(left_out: LeftOut) -> tuple[Diagnostic, ...]:
    """Why an SLO is left out; the first reason names it."""
    first, *others = left_out.reasons
    message = f"{left_out.name} can't be carried over: {first.message}"
    return (replace(first, message=message), *others)
