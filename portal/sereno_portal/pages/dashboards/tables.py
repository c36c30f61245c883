"""Panels of tables: answers side by side, merged, named and ordered as the panel's transformations say."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from sereno_backends.grafana import Link, Target
from sereno_backends.prometheus import Sample

from sereno_portal.pages.dashboards.asking import Asking
from sereno_portal.pages.dashboards.fields import Look, look_of, told
from sereno_portal.pages.dashboards.links import address_of
from sereno_portal.pages.dashboards.models import Cell, Column, TablePanel

MOST_ROWS = 200
_DONE = frozenset({"merge", "organize", "sortBy"})
Row = Mapping[str, "str | float"]


@dataclass(frozen=True, slots=True)
class _Table:
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    sources: Mapping[str, str]
    """The query that gave a column of values."""


def table_of(asking: Asking, title: str) -> TablePanel:
    """The rows, in the order that the panel says.

    Raises:
        NotAnswered: a query has no answer.
        DashboardInvalid: an override says what can't be understood.
    """
    table = _joined(asking)
    for step in asking.panel.transformations:
        if step.is_disabled:
            continue
        if step.id not in _DONE:
            asking.note("The step {step} of this table isn't done here", step=step.id)
        elif step.id == "organize":
            table = _organized(table, step.options)
        elif step.id == "sortBy":
            table = _sorted(table, step.options.get("sort"), "field")
    table = _sorted(table, asking.panel.options.get("sortBy"), "displayName")
    if len(table.rows) > MOST_ROWS:
        asking.note("{shown} of {all} rows are shown", shown=MOST_ROWS, all=len(table.rows))
    looks = {name: look_of(asking.panel, name, table.sources.get(name, "")) for name in table.columns}
    shown = [name for name in table.columns if not looks[name].is_hidden]
    rows = tuple(
        tuple(_cell(asking, looks[name], row, row.get(name)) for name in shown) for row in table.rows[:MOST_ROWS]
    )
    columns = tuple(Column(looks[name].name, name in table.sources) for name in shown)
    return TablePanel(title, columns if rows else (), rows, asking.panel.no_value, asking.trouble)


def _joined(asking: Asking) -> _Table:
    """One table of all queries where they are merged, else that of the one query that is chosen."""
    targets = asking.targets
    is_merged = any(step.id == "merge" and not step.is_disabled for step in asking.panel.transformations)
    if not is_merged and len(targets) > 1:
        chosen = asking.panel.options.get("frameIndex")
        targets = (
            targets[chosen : chosen + 1] if isinstance(chosen, int) and 0 <= chosen < len(targets) else targets[:1]
        )
    frames = [_frame(asking, target, "Value" if len(targets) == 1 else f"Value #{target.ref_id}") for target in targets]
    return _merged([frame for frame in frames if frame.rows])


def _frame(asking: Asking, target: Target, value_name: str) -> _Table:
    samples = asking.instant(target)
    labels = sorted({name for sample in samples for name in sample.labels})
    rows = tuple(_row(sample, value_name) for sample in samples)
    return _Table((*labels, value_name), rows, {value_name: target.ref_id})


def _row(sample: Sample, value_name: str) -> Row:
    return {**sample.labels, value_name: sample.value}


def _merged(frames: Sequence[_Table]) -> _Table:
    """Rows that agree in all labels that every answer has become one, unless they differ in another."""
    if not frames:
        return _Table((), (), {})
    values = {name: ref_id for frame in frames for name, ref_id in frame.sources.items()}
    common = set.intersection(*(set(frame.columns) - set(frame.sources) for frame in frames))
    rows: dict[tuple[object, ...], list[dict[str, str | float]]] = {}
    for frame in frames:
        for row in frame.rows:
            alike = rows.setdefault(tuple(row.get(name) for name in sorted(common)), [])
            fitting = next(
                (each for each in alike if all(each.get(name, row[name]) == row[name] for name in row)), None
            )
            if fitting is None:
                alike.append(dict(row))
            else:
                fitting.update(row)
    labels = [name for name in dict.fromkeys(name for frame in frames for name in frame.columns) if name not in values]
    return _Table((*labels, *values), tuple(row for alike in rows.values() for row in alike), values)


def _organized(table: _Table, options: Mapping[str, Any]) -> _Table:
    excluded, order, names = (_mapping(options, key) for key in ("excludeByName", "indexByName", "renameByName"))
    kept = [name for name in table.columns if not excluded.get(name)]
    last = len(order) + len(kept)
    kept.sort(key=lambda name: order[name] if isinstance(order.get(name), int) else last)
    renamed = {name: str(names.get(name) or name) for name in kept}
    rows = tuple({renamed.get(name, name): value for name, value in row.items()} for row in table.rows)
    sources = {renamed[name]: ref_id for name, ref_id in table.sources.items() if name in renamed}
    return _Table(tuple(renamed.values()), rows, sources)


def _sorted(table: _Table, wanted: object, key: str) -> _Table:
    """By each of the wanted columns, the last first, so that the first counts most; rows without a value come last."""
    rows = list(table.rows)
    for each in reversed(wanted if isinstance(wanted, list) else []):
        name = each.get(key) if isinstance(each, dict) else None
        if name not in table.columns:
            continue
        ordered = [(order, row) for row in rows if (order := _order(row.get(name))) is not None]
        ordered.sort(key=lambda pair: pair[0], reverse=bool(each.get("desc")))
        rows = [*(row for _, row in ordered), *(row for row in rows if _order(row.get(name)) is None)]
    return _Table(table.columns, tuple(rows), table.sources)


def _order(value: str | float | None) -> tuple[int, float, str] | None:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    return (1, 0.0, value.casefold()) if isinstance(value, str) else (0, value, "")


def _cell(asking: Asking, look: Look, row: Row, value: str | float | None) -> Cell:
    if value is None or isinstance(value, str):
        text, number, hue = value or "", None, None
    else:
        number = value if math.isfinite(value) else None
        text, hue = told(value, look, asking.now)
    address = next(filter(None, (_address(asking, link, row, text) for link in look.links)), "")
    return Cell(text, number, hue if look.is_coloured else None, address)


def _address(asking: Asking, link: Link, row: Row, text: str) -> str:
    """Where a cell leads: what it and its neighbours say is quoted, and dashboards are ours."""
    url = link.url.replace("${__url_time_range}", f"from={asking.shown.length}")
    for name, value in _fields(row, text):
        url = url.replace(f"${{{name}}}", quote(value, safe=""))
    return address_of(asking.text(url))


def _fields(row: Row, text: str) -> Iterator[tuple[str, str]]:
    yield "__value.text", text
    yield "__value.raw", text
    for name, value in row.items():
        yield f"__data.fields.{name}", str(value)
        yield f'__data.fields["{name}"]', str(value)


def _mapping(options: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = options.get(key)
    return found if isinstance(found, dict) else {}
