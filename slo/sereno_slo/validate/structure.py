"""Mistakes between the parts of a spec.

They are looked for in the plain values, not in the parsed document, so that a spec with errors of grammar still gets
all its mistakes reported at once.
"""

from collections.abc import Callable, Iterator
from typing import Any

from sereno_slo.diagnostics import Diagnostic
from sereno_slo.parse.yaml_tree import Path, YamlTree
from sereno_slo.promql import Matcher
from sereno_slo.promql.reading import read_matchers, read_selector
from sereno_slo.validate.bounds import bound_value
from sereno_slo.validate.gates import gate_mistakes, gate_mistakes_of_settings
from sereno_slo.validate.tiers import tier_mistakes
from sereno_slo.validate.times import exclusion_mistakes

_KINDS = ("ratio", "latency", "threshold", "probe")


def structural_mistakes(tree: YamlTree) -> Iterator[Diagnostic]:
    """All of them, in no particular order."""
    spec = tree.value if isinstance(tree.value, dict) else {}
    yield from exclusion_mistakes(tree, spec)
    slos = spec.get("slos")
    yield from _repeated_names(tree, spec)
    objectives = [each for key in ("slos", "journeys") if isinstance(spec.get(key), list) for each in spec[key]]
    yield from gate_mistakes(tree, spec.get("gate"), objectives)
    for index, slo in enumerate(slos if isinstance(slos, list) else []):
        if isinstance(slo, dict):
            yield from _of_slo(tree, ("slos", index), slo)
    journeys = spec.get("journeys")
    for index, journey in enumerate(journeys if isinstance(journeys, list) else []):
        if isinstance(journey, dict):
            yield from _of_journey(tree, ("journeys", index), journey)


def structural_mistakes_of_settings(tree: YamlTree) -> Iterator[Diagnostic]:
    """The same for a `sereno.yaml`."""
    settings = tree.value if isinstance(tree.value, dict) else {}
    yield from tier_mistakes(tree, ("alerting", "tiers"), _at(settings, ("alerting", "tiers")))
    yield from gate_mistakes_of_settings(tree, settings.get("gate"))


def _of_slo(tree: YamlTree, path: Path, slo: dict[str, Any]) -> Iterator[Diagnostic]:
    yield from tier_mistakes(tree, (*path, "alerting", "tiers"), _at(slo, ("alerting", "tiers")))
    indicator = slo.get("indicator")
    if isinstance(indicator, dict):
        yield from _of_indicator(tree, (*path, "indicator"), indicator)
        yield from _of_traffic(tree, (*path, "alerting", "traffic_drop"), slo)


def _of_journey(tree: YamlTree, path: Path, journey: dict[str, Any]) -> Iterator[Diagnostic]:
    yield from tier_mistakes(tree, (*path, "alerting", "tiers"), _at(journey, ("alerting", "tiers")))
    if _at(journey, ("alerting", "traffic_drop")) in ("page", "ticket"):
        message = "a journey has the traffic of its first step, which watches it"
        yield Diagnostic("SLO039", tree.key_span((*path, "alerting", "traffic_drop")), message, "remove traffic_drop")


def _of_traffic(tree: YamlTree, path: Path, slo: dict[str, Any]) -> Iterator[Diagnostic]:
    kinds = [kind for kind in ("threshold", "probe") if slo["indicator"].get(kind) is not None]
    if kinds and _at(slo, ("alerting", "traffic_drop")) in ("page", "ticket"):
        message = f"a {kinds[0]} has one event a minute, whatever the traffic: it can't drop"
        yield Diagnostic("SLO039", tree.key_span(path), message, "remove traffic_drop")


def _at(value: Any, path: Path) -> Any:
    for part in path:
        value = value.get(part) if isinstance(value, dict) else None
    return value


def _repeated_names(tree: YamlTree, spec: dict[str, Any]) -> Iterator[Diagnostic]:
    """Journeys have ledgers as SLOs have, under the same label."""
    first: dict[str, Path] = {}
    for section, what in (("slos", "SLO"), ("journeys", "journey")):
        described = spec.get(section)
        for index, one in enumerate(described if isinstance(described, list) else []):
            name, path = one.get("name") if isinstance(one, dict) else None, (section, index, "name")
            if not isinstance(name, str):
                continue
            if name in first:
                kind = "SLO" if first[name][0] == "slos" else "journey"
                message = f"{name} is the name of the {kind} in line {tree.span(first[name]).line}, too"
                yield Diagnostic("SLO015", tree.span(path), message, f"give each {what} a name of its own")
            first.setdefault(name, path)


def _of_indicator(tree: YamlTree, path: Path, indicator: dict[str, Any]) -> Iterator[Diagnostic]:
    kinds = [kind for kind in _KINDS if indicator.get(kind) is not None]
    if len(kinds) != 1:
        found = f"{len(kinds)} kinds ({', '.join(kinds)})" if kinds else "no kind"
        message = f"the indicator has {found}"
        yield Diagnostic("SLO017", tree.span(path), message, "write exactly one of ratio, latency, threshold, probe")
    ratio = indicator.get("ratio")
    if isinstance(ratio, dict):
        yield from _of_ratio(tree, (*path, "ratio"), ratio)
    latency = indicator.get("latency")
    if isinstance(latency, dict):
        yield from _of_histogram(tree, (*path, "latency", "metric"), latency.get("metric"))
        yield from _of_bucket(tree, (*path, "latency", "match"), latency)
    threshold = indicator.get("threshold")
    if isinstance(threshold, dict):
        yield from _of_bounds(tree, (*path, "threshold"), threshold)


def _of_ratio(tree: YamlTree, path: Path, ratio: dict[str, Any]) -> Iterator[Diagnostic]:
    span = tree.span(path)
    # A key without a value is none.
    ratio = {key: value for key, value in ratio.items() if value is not None}
    if ("bad" in ratio) == ("good" in ratio):
        which = "both bad and good events" if "bad" in ratio else "neither bad nor good events"
        yield Diagnostic("SLO018", span, f"the ratio names {which}", "write one of bad and good")
    if ("metric" in ratio) == ("total" in ratio):
        which = "both metric and total" if "metric" in ratio else "neither metric nor total"
        cure = "write metric, match and bad for one metric, or total and bad with two selectors"
        yield Diagnostic("SLO023", span, f"the ratio has {which}", cure)
    elif "total" in ratio and "match" in ratio:
        cure = "put the matchers into the braces of total and bad"
        yield Diagnostic("SLO023", tree.key_span((*path, "match")), "match belongs to metric, not to total", cure)
    else:
        yield from _of_counted(tree, path, ratio)


def _of_counted(tree: YamlTree, path: Path, ratio: dict[str, Any]) -> Iterator[Diagnostic]:
    """`bad` and `good` are matchers beside `metric`, and selectors beside `total`."""
    read: Callable[[str], object] = read_matchers if "metric" in ratio else read_selector
    wanted = (
        'matchers, for example code=~"5.."' if "metric" in ratio else 'a selector, for example errors_total{job="x"}'
    )
    keys = ("bad", "good") if "metric" in ratio else ("total", "bad", "good")
    for key in keys:
        text = ratio.get(key)
        if not isinstance(text, str) or not text:
            continue
        if not _reads(read, text) and (_reads(read_matchers, text) or _reads(read_selector, text)):
            beside = "metric" if "metric" in ratio else "total"
            message = f"beside {beside}, {key} has to be {wanted.partition(',')[0]}"
            yield Diagnostic("SLO019", tree.span((*path, key)), message, f"write {wanted.partition(', ')[2]}")


def _reads(read: Callable[[str], object], text: str) -> bool:
    try:
        read(text)
    except ValueError:
        return False
    return True


def _of_histogram(tree: YamlTree, path: Path, metric: Any) -> Iterator[Diagnostic]:
    for suffix in ("_bucket", "_count", "_sum"):
        if isinstance(metric, str) and metric.endswith(suffix):
            message = f"{metric} is one series of a histogram"
            yield Diagnostic("SLO019", tree.span(path), message, f"write {metric.removesuffix(suffix)}")


def _of_bucket(tree: YamlTree, path: Path, latency: dict[str, Any]) -> Iterator[Diagnostic]:
    match = latency.get("match")
    if isinstance(match, str) and any(matcher.label == "le" for matcher in _matchers_in(match)):
        is_native = latency.get("histogram") == "native"
        whose = "no label of native histograms" if is_native else "the threshold's label"
        yield Diagnostic("SLO019", tree.span(path), f"le is {whose}", "remove it: threshold chooses the bound")


def _of_bounds(tree: YamlTree, path: Path, threshold: dict[str, Any]) -> Iterator[Diagnostic]:
    bounds = {key: threshold.get(key) for key in ("min", "max") if threshold.get(key) is not None}
    if not bounds:
        yield Diagnostic("SLO026", tree.span(path), "the threshold has no bound", "write max, min or both")
        return
    least, most = (_number(bounds.get(key)) for key in ("min", "max"))
    if least is not None and most is not None and least >= most:
        message = f"min {bounds['min']} is not below max {bounds['max']}: every minute would be bad"
        yield Diagnostic("SLO026", tree.span((*path, "min")), message, "a good value lies between min and max")


def _number(bound: Any) -> float | None:
    """A bound in the gauge's unit; None where the grammar refuses it anyway."""
    if isinstance(bound, bool) or not isinstance(bound, int | float | str):
        return None
    try:
        return bound_value(bound)
    except ValueError:
        return None


def _matchers_in(text: str) -> tuple[Matcher, ...]:
    try:
        return read_matchers(text)
    except ValueError:
        return ()
