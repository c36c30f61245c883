"""How a panel's fields are shown: units, thresholds, mappings, links, and overrides of these; pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sereno_backends.grafana.model import Link, Mapped, Matched, Override, Property, Threshold, Thresholds
from sereno_backends.grafana.written import Written


@dataclass(frozen=True, slots=True)
class FieldSettings:
    """The settings that hold for all fields of a panel."""

    unit: str
    decimals: int | None
    minimum: float | None
    maximum: float | None
    thresholds: Thresholds | None
    mappings: tuple[Mapped, ...]
    no_value: str
    display_name: str
    custom: Mapping[str, Any]
    links: tuple[Link, ...]


def field_settings(written: Written) -> FieldSettings:
    """Those of `fieldConfig.defaults`."""
    return FieldSettings(
        unit=written.text("unit"),
        decimals=written.whole("decimals"),
        minimum=written.number("min"),
        maximum=written.number("max"),
        thresholds=None if written.content.get("thresholds") is None else thresholds(written.inner("thresholds")),
        mappings=tuple(_mappings(written)),
        no_value=written.text("noValue"),
        display_name=written.text("displayName"),
        custom=written.inner("custom").content,
        links=links(written, "links"),
    )


def thresholds(written: Written) -> Thresholds:
    """The colours of values."""
    steps = tuple(Threshold(each.number("value"), each.text("color")) for each in written.each("steps"))
    return Thresholds(steps, written.text("mode") == "percentage")


def overrides(written: Written) -> tuple[Override, ...]:
    """Those of `fieldConfig.overrides`."""
    return tuple(
        Override(
            each.inner("matcher").text("id"),
            each.inner("matcher").content.get("options"),
            tuple(Property(one.text("id"), one.content.get("value")) for one in each.each("properties")),
        )
        for each in written.each("overrides")
    )


def links(written: Written, key: str) -> tuple[Link, ...]:
    """The links of a dashboard, a panel or a field; those of fields have no kind."""
    return tuple(
        Link(
            title=each.text("title"),
            url=each.text("url"),
            kind=each.text("type") or "link",
            tags=each.texts("tags"),
            opens_beside=each.flag("targetBlank"),
            keeps_time=each.flag("keepTime"),
        )
        for each in written.each(key)
    )


def _mappings(written: Written) -> Iterator[Mapped]:
    for each in written.each("mappings"):
        options = each.inner("options")
        match each.text("type"):
            case "value":
                for value in options.content:
                    yield _mapped(Matched(value=value), options.inner(value))
            case "range":
                matched = Matched(start=options.number("from"), end=options.number("to"))
                yield _mapped(matched, options.inner("result"))
            case "regex":
                yield _mapped(Matched(pattern=options.text("pattern")), options.inner("result"))
            case "special":
                yield _mapped(Matched(special=options.text("match")), options.inner("result"))
            case _:
                raise each.wrong("type", each.content.get("type"), "value, range, regex or special")


def _mapped(matched: Matched, result: Written) -> Mapped:
    return Mapped(matched, result.text("text") or None, result.text("color") or None)
