"""How a field is shown: unit, colour, mappings, by the panel's defaults and the overrides that match; pure."""

import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from sereno_backends.grafana import Link, Mapped, Override, Panel, Property, Thresholds
from sereno_backends.grafana.fields import links, thresholds
from sereno_backends.grafana.written import Written

from sereno_portal.charts import Hue
from sereno_portal.web.figures import NOTHING, figure, lasting

_HUES = {
    "green": Hue.GOOD,
    "blue": Hue.GOOD,
    "yellow": Hue.WARNING,
    "orange": Hue.WARNING,
    "red": Hue.BAD,
    "purple": Hue.OTHER,
}
_MOST_DECIMALS = 15
_SHADE = re.compile(r"^(?:super-light|light|semi-dark|dark)-")


@dataclass(frozen=True, slots=True)
class Look:
    """The settings of one field."""

    name: str
    unit: str
    decimals: int | None
    minimum: float | None
    maximum: float | None
    thresholds: Thresholds | None
    mappings: tuple[Mapped, ...]
    links: tuple[Link, ...]
    color: str = ""
    is_coloured: bool = False
    """Of a table's cells: whether thresholds colour them."""
    is_right: bool = False
    is_hidden: bool = False


def look_of(panel: Panel, name: str, ref_id: str = "") -> Look:
    """The look of the field of this name, which the query `ref_id` gave.

    Raises:
        DashboardInvalid: an override says what can't be understood.
    """
    cells = panel.custom.get("cellOptions")
    look = Look(
        name,
        panel.unit or "short",
        _decimals(panel.decimals),
        panel.minimum,
        panel.maximum,
        panel.thresholds,
        panel.mappings,
        panel.field_links,
        is_coloured=_colours_cells(cells),
        is_right=panel.custom.get("axisPlacement") == "right",
        is_hidden=panel.custom.get("hidden") is True,
    )
    for override in panel.overrides:
        if _matches(override, name, ref_id):
            for each in override.properties:
                look = _with(look, each)
    return look


def hue_of(color: str | None) -> Hue | None:
    """What a colour's name means; None for those that mean nothing, such as `text` or `#0072B2`."""
    return _HUES.get(_SHADE.sub("", color or ""))


def told(value: float | None, look: Look, now: datetime) -> tuple[str, Hue | None]:
    """The value in words, and what it means."""
    for mapped in look.mappings:
        if _is_mapped(value, mapped):
            return mapped.text or _in_words(value, look, now), hue_of(mapped.color) or _threshold_hue(value, look)
    return _in_words(value, look, now), _threshold_hue(value, look)


def bounds_of(look: Look) -> Iterator[tuple[float, Hue | None]]:
    """The thresholds that are values, with what their colours mean."""
    if look.thresholds is not None and not look.thresholds.is_percentage:
        for step in look.thresholds.steps:
            if step.value is not None:
                yield step.value, hue_of(step.color)


def _in_words(value: float | None, look: Look, now: datetime) -> str:
    if value is not None and math.isfinite(value):
        try:
            if look.unit == "dateTimeFromNow":
                return f"{lasting(now.timestamp() - value / 1000)} ago"
            if look.unit.startswith("dateTime"):
                return f"{datetime.fromtimestamp(value / 1000, UTC):%Y-%m-%d %H:%M} UTC"
        except (OverflowError, ValueError, OSError):  # no moment of a calendar
            return NOTHING
    return figure(value, look.unit, look.decimals)


def _threshold_hue(value: float | None, look: Look) -> Hue | None:
    if value is None or math.isnan(value) or look.thresholds is None:
        return None
    if look.thresholds.is_percentage:
        if look.minimum is None or look.maximum is None or look.maximum <= look.minimum:
            return None
        value = (value - look.minimum) / (look.maximum - look.minimum) * 100
    reached = [step for step in look.thresholds.steps if step.value is None or value >= step.value]
    return hue_of(reached[-1].color) if reached else None


def _is_mapped(value: float | None, mapped: Mapped) -> bool:
    matched = mapped.matched
    if matched.special is not None:
        is_nan = value is not None and math.isnan(value)
        return {"null": value is None, "nan": is_nan, "null+nan": value is None or is_nan}.get(matched.special, False)
    if value is None:
        return False
    if matched.value is not None:
        return _number(matched.value) == value
    if matched.pattern is not None:
        return _found(matched.pattern, f"{value:g}")
    low = -math.inf if matched.start is None else matched.start
    return low <= value <= (math.inf if matched.end is None else matched.end)


def _number(text: str) -> float | None:
    """As Grafana compares: 315360000 is matched, however a figure is printed; a word is matched by no number."""
    try:
        return float(text)
    except ValueError:
        return None


def _matches(override: Override, name: str, ref_id: str) -> bool:
    options = override.matcher_options
    match override.matcher:
        case "byName":
            return bool(options == name)
        case "byFrameRefID":
            return bool(options == ref_id)
        case "byRegexp":
            return isinstance(options, str) and _found(options.strip("/"), name)
        case "byType":
            return bool(options == "number")
        case _:
            return False


def _found(pattern: str, text: str) -> bool:
    try:
        return re.search(pattern, text) is not None
    except re.error:
        return False


def _with(look: Look, setting: Property) -> Look:
    change = _CHANGES.get(setting.id)
    return look if change is None else change(look, Written({"value": setting.value}, setting.id))


def _coloured(look: Look, written: Written) -> Look:
    return replace(look, is_coloured=_colours_cells(written.inner("value").content))


def _decimals(written: int | None) -> int | None:
    """As many as a figure can have."""
    return None if written is None else min(max(written, 0), _MOST_DECIMALS)


def _colours_cells(options: object) -> bool:
    return isinstance(options, dict) and str(options.get("type", "")).startswith("color-")


_CHANGES: dict[str, Callable[[Look, Written], Look]] = {
    "displayName": lambda look, written: replace(look, name=written.text("value") or look.name),
    "unit": lambda look, written: replace(look, unit=written.text("value")),
    "decimals": lambda look, written: replace(look, decimals=_decimals(written.whole("value"))),
    "min": lambda look, written: replace(look, minimum=written.number("value")),
    "max": lambda look, written: replace(look, maximum=written.number("value")),
    "thresholds": lambda look, written: replace(look, thresholds=thresholds(written.inner("value"))),
    "links": lambda look, written: replace(look, links=links(written, "value")),
    "color": lambda look, written: replace(look, color=written.inner("value").text("fixedColor")),
    "custom.cellOptions": _coloured,
    "custom.axisPlacement": lambda look, written: replace(look, is_right=written.text("value") == "right"),
    "custom.hidden": lambda look, written: replace(look, is_hidden=written.flag("value")),
}
