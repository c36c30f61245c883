"""What a scrape serves: labelled by target, bounded, never broken by one part."""

from collections.abc import Mapping
from contextlib import closing
from dataclasses import replace
from typing import Any

import pytest
from prometheus_client.metrics_core import Metric
from sereno_exporters.frame.model import Family, FamilyKind, Part
from sereno_exporters.frame.scraping import Scrapers
from sereno_exporters.frame.serving import as_text
from sereno_exporters.frame.trouble import FetchError, Reason
from support.exporting import VALUE, Samples, configured, counting, part, samples, samples_of


def scraped(*parts: Part[Any], limit: int = 10_000) -> Samples:
    """One scrape of one target."""
    with closing(Scrapers([configured(counting(*parts), limit=limit)], report=lambda _: None)) as scrapers:
        return samples(scrapers.scrape())


def failing(name: str) -> Part[Mapping[str, float]]:
    """A part that can't be fetched."""

    def fetch(_: object) -> Mapping[str, float]:
        raise FetchError(Reason.GARBAGE, "no use")

    return part(name, fetch)


def test_a_part_fails_by_itself() -> None:
    """The others are served; the target is up, the part is not, and its families are absent, not zero."""
    found = scraped(part("good", lambda _: {"a": 1.0}), failing("bad"))
    assert found["sereno_counting_up", (("target", "one"),)] == 1
    assert found["sereno_counting_part_up", (("target", "one"), ("part", "good"))] == 1
    assert found["sereno_counting_part_up", (("target", "one"), ("part", "bad"))] == 0
    assert [labels for name, labels in found if name == VALUE.name] == [(("target", "one"), ("of", "a"))]


def test_a_target_whose_parts_all_fail_is_down() -> None:
    """Nothing of it is served but that it is down."""
    found = scraped(failing("a"), failing("b"))
    assert found["sereno_counting_up", (("target", "one"),)] == 0
    assert not [name for name, _ in found if name == VALUE.name]


def test_a_part_about_the_exporter_itself_does_not_make_a_target_up() -> None:
    """What the exporter knows without asking is served while the target is away, and `_up` is 0 all the same."""
    about = replace(part("calls", lambda _: {"calls": 3.0}), asks_target=False)
    found = scraped(failing("away"), about)
    assert found["sereno_counting_up", (("target", "one"),)] == 0
    assert found["sereno_counting_part_up", (("target", "one"), ("part", "calls"))] == 1
    assert found["sereno_counting_value", (("target", "one"), ("of", "calls"))] == 3


def test_families_that_can_not_be_made_fail_their_part() -> None:
    """A bug in what is made of a snapshot takes nothing else along."""

    def broken(_: Mapping[str, float]) -> list[Metric]:
        raise ZeroDivisionError

    found = scraped(Part("broken", lambda _: {"a": 1.0}, broken), part("good", lambda _: {"b": 2.0}))
    assert found["sereno_counting_part_up", (("target", "one"), ("part", "broken"))] == 0
    assert found[VALUE.name, (("target", "one"), ("of", "b"))] == 2


def test_series_beyond_the_limit_are_left_out_and_counted() -> None:
    """A target with too many series is cut, says by how many, and stays up."""
    found = scraped(part("many", lambda _: {f"v{number}": 1.0 for number in range(15)}), limit=10)
    assert len([1 for name, _ in found if name == VALUE.name]) == 10
    assert found["sereno_counting_series", (("target", "one"),)] == 10
    assert found["sereno_counting_series_left_out", (("target", "one"), ("why", "limit"))] == 5


def test_the_same_series_twice_does_not_spoil_the_scrape() -> None:
    """Prometheus would refuse all of it; the second one is left out and counted."""
    doubled = Part("p", lambda _: None, lambda _: [VALUE.of([(("a",), 1.0), (("a",), 2.0)])])
    found = scraped(doubled)
    assert found[VALUE.name, (("target", "one"), ("of", "a"))] == 1
    assert found["sereno_counting_series_left_out", (("target", "one"), ("why", "double"))] == 1


def test_label_values_that_no_exposition_can_hold_are_replaced() -> None:
    """Lone surrogates, line feeds and quotes in a name break nothing."""
    with closing(Scrapers([configured(counting(part("p", lambda _: {'\ud800"\n\\': 1.0})))])) as scrapers:
        text = as_text(scrapers.scrape().metrics)
    assert samples_of(text)[VALUE.name, (("of", '?"\n\\'), ("target", "one"))] == 1


def test_targets_share_families() -> None:
    """Each name has one HELP and TYPE, whatever number of targets has it."""
    kind = counting(part("p", lambda _: {"a": 1.0}))
    with closing(Scrapers([configured(kind, "one"), configured(kind, "two")])) as scrapers:
        text = as_text(scrapers.scrape().metrics)
    assert text.count(f"# TYPE {VALUE.name} gauge") == 1
    found = samples_of(text)
    assert {labels[1][1] for name, labels in found if name == VALUE.name} == {"one", "two"}


def test_a_name_has_one_type_in_all_targets() -> None:
    """Two targets whose users gave one name to a gauge and to a counter: the second part fails, and says so."""
    gauge, counter = Family("sereno_x", FamilyKind.GAUGE, "A."), Family("sereno_x_total", FamilyKind.COUNTER, "B.")
    first = counting(Part("p", lambda _: gauge, lambda family: [family.value(1)]), name="first")
    second = counting(Part("p", lambda _: counter, lambda family: [family.value(1)]), name="second")
    with closing(Scrapers([configured(first), configured(second)], report=lambda _: None)) as scrapers:
        exposition = scrapers.scrape()
    found = samples(exposition)
    assert found["sereno_first_up", (("target", "one"),)] == 1
    assert found["sereno_second_up", (("target", "one"),)] == 0
    assert "a counter here, and a gauge in another target" in exposition.failures[0][2].message


def test_only_what_is_asked_for_is_scraped() -> None:
    """By exporter, or by exporter and target."""
    kinds = counting(part("p", lambda _: {"a": 1.0})), counting(part("p", lambda _: {"a": 1.0}), name="other")
    targets = [configured(kinds[0], "one"), configured(kinds[0], "two"), configured(kinds[1], "one")]
    with closing(Scrapers(targets)) as scrapers:
        assert len([1 for name, _ in samples(scrapers.scrape("counting")) if name == VALUE.name]) == 2
        assert [labels for name, labels in samples(scrapers.scrape("counting", "two")) if name.endswith("_up")] == [
            (("target", "two"),),
            (("target", "two"), ("part", "p")),
        ]


@pytest.mark.parametrize(
    ("name", "kind", "labels"),
    [
        ("sereno_x_total", FamilyKind.GAUGE, ()),
        ("sereno_x", FamilyKind.COUNTER, ()),
        ("sereno_x", FamilyKind.GAUGE, ("region",)),
        ("sereno_x", FamilyKind.GAUGE, ("target",)),
    ],
)
def test_families_keep_the_conventions(name: str, kind: FamilyKind, labels: tuple[str, ...]) -> None:
    """A name or label that Prometheus' users understand otherwise is refused when the exporter is written."""
    with pytest.raises(ValueError, match=name):
        Family(name, kind, "help", labels)


def test_counters_and_infos_are_what_they_are_called() -> None:
    """Names are served as they are documented."""
    counter = Family("sereno_counting_things_total", FamilyKind.COUNTER, "Things.")
    info = Family("sereno_counting_info", FamilyKind.INFO, "About it.")
    served = Part("p", lambda _: None, lambda _: [counter.value(3), info.info([{"version": "1"}])])
    with closing(Scrapers([configured(counting(served))])) as scrapers:
        found = samples_of(as_text(scrapers.scrape().metrics))
    assert found["sereno_counting_things_total", (("target", "one"),)] == 3
    assert found["sereno_counting_info", (("target", "one"), ("version", "1"))] == 1
