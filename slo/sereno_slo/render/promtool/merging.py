"""One promtool test for the same case of several SLOs: every test evaluates all rules of the service.

A service of three SLOs would evaluate each SLO's rules three times as often, mostly over nothing.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from sereno_slo.promql import Selector
from sereno_slo.promql.matching import holds
from sereno_slo.render.promtool.cases import Case
from sereno_slo.render.promtool.streams import Series


def merged(cases: Iterable[Case]) -> tuple[Case, ...]:
    """The same cases, side by side in one test where no SLO reads what another one's case feeds."""
    alike: dict[tuple[str, str], list[Case]] = {}
    for case in cases:
        found = alike.setdefault((case.text, str(case.scrape_interval)), [])
        position = next((index for index, other in enumerate(found) if _fit(case, other)), None)
        if position is None:
            found.append(case)
        else:
            found[position] = _side_by_side(found[position], case)
    return tuple(case for found in alike.values() for case in found)


def _fit(one: Case, other: Case) -> bool:
    return not set(one.slos) & set(other.slos) and not _disturbs(one, other) and not _disturbs(other, one)


def _disturbs(one: Case, other: Case) -> bool:
    """Whether a case has a series that the other's rules read, and the other has not that very series."""
    own = {str(series.selector): series for series in other.series}
    return any(
        series != own.get(str(series.selector))
        for series in one.series
        if str(series.selector) in own or any(_reads(selector, series) for selector in other.reads)
    )


def _reads(selector: Selector, series: Series) -> bool:
    labels: Mapping[str, str] = {matcher.label: matcher.value for matcher in series.selector.matchers}
    return selector.metric == series.selector.metric and all(
        holds(matcher, labels.get(matcher.label, "")) for matcher in selector.matchers
    )


def _side_by_side(one: Case, other: Case) -> Case:
    own = {str(series.selector) for series in one.series}
    more = [series for series in other.series if str(series.selector) not in own]
    return replace(
        one,
        slos=(*one.slos, *other.slos),
        series=[*one.series, *more],
        expectations=[*one.expectations, *other.expectations],
        reads=[*one.reads, *other.reads],
    )
