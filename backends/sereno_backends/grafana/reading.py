"""From a dashboard's file to frozen values; what isn't a dashboard raises `DashboardInvalid`."""

import json
from collections.abc import Iterator

from sereno_backends.grafana.fields import field_settings, links, overrides
from sereno_backends.grafana.model import (
    Annotation,
    Dashboard,
    DataSource,
    GridPosition,
    Panel,
    Target,
    Transformation,
    Variable,
    VariableOption,
)
from sereno_backends.grafana.written import DashboardInvalid, Written

__all__ = ["DashboardInvalid", "read_dashboard"]


def read_dashboard(text: str | bytes) -> Dashboard:
    """The dashboard of a file as Grafana exports it, or as its HTTP API answers it (below `dashboard`).

    Raises:
        DashboardInvalid: it is none; the message says where and why.
    """
    try:
        content = json.loads(text)
    except ValueError as error:  # also bytes that aren't text
        raise DashboardInvalid(f"this is no JSON: {error}") from error
    except RecursionError as error:
        raise DashboardInvalid("this is nested too deeply for a dashboard") from error
    if not isinstance(content, dict):
        raise DashboardInvalid("this is no dashboard: a JSON object is expected")
    if isinstance(content.get("dashboard"), dict):
        content = content["dashboard"]
    for key in ("title", "panels"):
        if key not in content:
            raise DashboardInvalid(f"this is no dashboard of Grafana's classic form: it has no {key!r}")
    return _dashboard(Written(content, ""))


def _dashboard(written: Written) -> Dashboard:
    time = written.inner("time")
    refresh = written.content.get("refresh")
    return Dashboard(
        uid=written.text("uid"),
        title=written.text("title"),
        description=written.text("description"),
        tags=written.texts("tags"),
        is_editable=written.flag("editable", default=True),
        time_from=time.text("from", "now-6h"),
        time_to=time.text("to", "now"),
        timezone=written.text("timezone", "browser"),
        refresh="" if isinstance(refresh, bool) else written.text("refresh"),  # `false` is never
        variables=tuple(map(_variable, written.inner("templating").each("list"))),
        panels=tuple(_panels(written)),
        links=links(written, "links"),
        annotations=tuple(map(_annotation, written.inner("annotations").each("list"))),
    )


def _panels(written: Written) -> Iterator[Panel]:
    row: str | None = None
    for each in written.each("panels"):
        panel = _panel(each, row)
        yield panel
        if panel.is_row:
            row = panel.title
            yield from (_panel(inner, row) for inner in each.each("panels"))


def _panel(written: Written, row: str | None) -> Panel:
    kind = written.text("type")
    defaults = field_settings(written.inner("fieldConfig").inner("defaults"))
    return Panel(
        id=written.whole("id"),
        type=kind,
        title=written.text("title"),
        description=written.text("description"),
        grid=_grid(written),
        datasource=_datasource(written),
        unit=defaults.unit,
        decimals=defaults.decimals,
        minimum=defaults.minimum,
        maximum=defaults.maximum,
        thresholds=defaults.thresholds,
        mappings=defaults.mappings,
        no_value=defaults.no_value,
        display_name=defaults.display_name,
        custom=defaults.custom,
        field_links=defaults.links,
        overrides=overrides(written.inner("fieldConfig")),
        transformations=tuple(map(_transformation, written.each("transformations"))),
        targets=tuple(_target(each, number) for number, each in enumerate(written.each("targets"))),
        options=written.inner("options").content,
        interval=written.text("interval"),
        time_from=written.text("timeFrom"),
        time_shift=written.text("timeShift"),
        repeat=written.text("repeat"),
        links=links(written, "links"),
        is_transparent=written.flag("transparent"),
        is_collapsed=written.flag("collapsed"),
        row=None if kind == "row" else row,
    )


def _grid(written: Written) -> GridPosition | None:
    if written.content.get("gridPos") is None:
        return None
    place = written.inner("gridPos")
    values = {key: place.whole(key) or 0 for key in ("x", "y", "w", "h")}
    for key, value in values.items():
        if value < (1 if key in "wh" else 0):
            raise place.wrong(key, value, "at least 1" if key in "wh" else "0 or more")
    return GridPosition(values["x"], values["y"], values["w"], values["h"])


def _datasource(written: Written) -> DataSource | None:
    value = written.content.get("datasource")
    if value is None:
        return None
    if isinstance(value, str):  # as older Grafanas wrote it: a name or a variable
        return DataSource("", value)
    found = written.inner("datasource")
    return DataSource(found.text("type"), found.text("uid"))


def _transformation(written: Written) -> Transformation:
    return Transformation(written.text("id"), written.inner("options").content, written.flag("disabled"))


def _target(written: Written, number: int) -> Target:
    is_instant = written.flag("instant")
    return Target(
        ref_id=written.text("refId") or chr(ord("A") + number % 26),
        expr=written.text("expr"),
        legend=written.text("legendFormat"),
        is_instant=is_instant,
        is_range=written.flag("range", default=not is_instant),
        format=written.text("format") or "time_series",
        is_hidden=written.flag("hide"),
        has_exemplars=written.flag("exemplar"),
        query=written.text("query") if isinstance(written.content.get("query"), str) else "",
        datasource=_datasource(written),
        raw=written.content,
    )


def _variable(written: Written) -> Variable:
    if not (name := written.text("name")):
        raise DashboardInvalid(f"{written.place} has no name")
    query = written.content.get("query")
    current = written.inner("current")
    return Variable(
        name=name,
        kind=written.text("type"),
        label=written.text("label"),
        description=written.text("description"),
        query=query.get("query", "") if isinstance(query, dict) else written.text("query"),
        regex=written.text("regex"),
        all_value=written.text("allValue"),
        options=tuple(_option(each) for each in written.each("options")),
        current=tuple(value for value in current.texts("value") if value or written.text("type") == "textbox"),
        is_multi=written.flag("multi"),
        includes_all=written.flag("includeAll"),
        is_hidden=written.content.get("hide") == _HIDDEN,
        follows_time=written.content.get("refresh") == _ON_TIME_RANGE_CHANGE,
        datasource=_datasource(written),
    )


# Grafana's numbers of what it calls by a name elsewhere.
_HIDDEN = 2
_ON_TIME_RANGE_CHANGE = 2


def _option(written: Written) -> VariableOption:
    (value, *_) = written.texts("value") or ("",)
    (text, *_) = written.texts("text") or (value,)
    return VariableOption(text, value)


def _annotation(written: Written) -> Annotation:
    return Annotation(
        name=written.text("name"),
        expr=written.text("expr"),
        color=written.text("iconColor"),
        is_enabled=written.flag("enable", default=True),
        title_format=written.text("titleFormat"),
        text_format=written.text("textFormat"),
        value_is_time=written.content.get("useValueForTime") in (True, "on"),
        datasource=_datasource(written),
    )
