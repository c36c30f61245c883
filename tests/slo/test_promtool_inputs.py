"""What behaviour tests are fed with: labels that really are selected, and numbers that promtool reads as meant."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sereno_slo.promql import Matcher, MatchOp, Selector, regex
from sereno_slo.promql.matching import holds
from sereno_slo.promql.reading import read_matchers
from sereno_slo.render.promtool.labels import examples, labels_for
from sereno_slo.render.promtool.streams import Counted, Series, phases, steady

atoms = st.sampled_from(
    ["a", "5", ".", r"\d", r"\w", r"\.", "[0-9]", "[^/]", "[a-c]", "(a|b)", "(?:x|yz|)", "200", "/", r"\s", "[^a]"]
)
repeats = st.sampled_from(["", "", "*", "+", "?", "{2}", "{1,3}", "+?"])
patterns = st.lists(st.tuples(atoms, repeats).map("".join), max_size=5).map("".join)
alternatives = st.lists(patterns, min_size=1, max_size=3).map("|".join)


@given(alternatives)
def test_examples_are_full_matches(pattern: str) -> None:
    """Every string that is offered matches the whole pattern; ordinary patterns have one."""
    found = examples(pattern)
    assert found
    assert all(regex.matches(pattern, text) for text in found)


@given(st.text(st.characters(codec="utf-8"), max_size=12))
def test_examples_of_any_pattern_are_full_matches_or_none(pattern: str) -> None:
    """No pattern, however broken, raises; and none has an example that doesn't match."""
    assert all(regex.matches(pattern, text) for text in examples(pattern))


@pytest.mark.parametrize(
    ("pattern", "has_example"),
    [
        ("5..", True),
        ("hit|miss", True),
        (r"/v[0-9]+/.*", True),
        (r"^2\d\d$", True),
        ("[[:alpha:]]+", False),  # Python reads it as a nested set; the usual values are tried instead
        (r"\pN", False),
        ("a(?i)b", False),
        ("x{1000}", False),
        (r"\bword\b", True),
        ("(?i)word", True),
        ("[^\x00-\x7f]", False),
        ("[é-ü]", True),
        ("[^a]", True),
        (r"\D\S\W", True),
        (r"[^\s\S]", False),
        ("(?=a)a", False),
        ("x{99999999999}", False),
        ("((((((((((a{9}){9}){9}){9}){9}){9}){9}){9}){9}){9})", False),
    ],
)
def test_examples_of_known_patterns(pattern: str, has_example: bool) -> None:
    """The simple generator does what is usual, and gives up on the rest."""
    assert bool(examples(pattern)) is has_example


@pytest.mark.parametrize(
    ("wanted", "refused"),
    [
        ('code=~"5.."', ""),
        ('code!~"20[01]"', ""),
        ('job="a"', 'code=~"5..|429"'),
        ('code=~"[[:digit:]]+"', ""),
        (r'code=~"\\pN+"', ""),
        ('shard!="", job=~"search-(eu|us)"', 'outcome=~"hit|miss"'),
        ('a!="x", a!="500", a!="200", a!="404"', ""),
        ('path="C:\\\\new"', 'user!="o\\"neil"'),
        ("", 'result="refused"'),
        ("", 'result!=""'),
    ],
)
def test_found_labels_are_selected(wanted: str, refused: str) -> None:
    """Labels satisfy every wanted matcher, and not all of the refused ones."""
    wants, refuses = read_matchers(wanted), read_matchers(refused)
    labels = labels_for(wants, refuses)
    assert labels is not None
    assert all(labels.values())
    assert all(holds(matcher, labels.get(matcher.label, "")) for matcher in wants)
    assert not refuses or not all(holds(matcher, labels.get(matcher.label, "")) for matcher in refuses)


@pytest.mark.parametrize(
    ("wanted", "refused"), [('a="x", a="y"', ""), ('a="x"', 'a="x"'), ('a="x"', 'a=~".*"'), ('a=~"[^ -~]{3}"', "")]
)
def test_no_labels_rather_than_wrong_ones(wanted: str, refused: str) -> None:
    """Where nothing satisfies the matchers, or nothing is found, there are no labels."""
    assert labels_for(read_matchers(wanted), read_matchers(refused)) is None


def test_the_search_for_labels_ends() -> None:
    """A great many combinations are not all tried."""
    many = tuple(Matcher(f"label{n}", MatchOp.REGEX, "ab|cd|ef|gh|ij|kl") for n in range(12))
    assert labels_for(many, refused=(Matcher("label0", MatchOp.REGEX, ".*"),)) is None


def _expanded(text: str) -> list[float | None]:
    """What promtool makes of its notation (Prometheus documentation, "Unit testing for rules")."""
    values: list[float | None] = []
    for piece in text.split():
        if missing := re.fullmatch(r"_x([0-9]+)", piece):
            values += [None] * int(missing[1])
        elif run := re.fullmatch(r"(-?[0-9.e+-]+?)([+-][0-9.e+-]+)x([0-9]+)", piece):
            values += [float(run[1]) + float(run[2]) * index for index in range(int(run[3]) + 1)]
        else:
            values.append(float(piece))
    return values


samples = st.none() | st.integers(-(10**6), 10**9) | st.integers(0, 5) | st.integers(0, 400).map(lambda n: n / 8)


@given(st.lists(samples, max_size=30))
def test_run_lengths_expand_to_the_same_values(values: list[float | None]) -> None:
    """The shortened notation means exactly the values that it was made from."""
    assert _expanded(Series(Selector("m"), values).text()) == values


@given(st.integers(0, 50), st.integers(0, 10**6), st.integers(0, 10**6))
def test_steady_counters_are_one_run(count: int, events: int, bad_events: int) -> None:
    """Growth that stays the same is one run, from zero, with one value more than steps."""
    counted = steady(count, events, bad_events)
    assert counted.events == tuple(events * index for index in range(count + 1))
    assert len(Series(Selector("m"), counted.bad_events).text().split()) == 1


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 99), st.integers(0, 99)), max_size=5))
def test_phases_add_up(parts: list[tuple[int, int, int]]) -> None:
    """Each scrape of a phase adds that phase's events; the counters begin at zero."""
    counted = phases(*parts)
    assert len(counted.events) == len(counted.bad_events) == 1 + sum(count for count, _, _ in parts)
    assert counted.events[0] == counted.bad_events[0] == 0
    assert counted.events[-1] == sum(count * events for count, events, _ in parts)
    assert counted.bad_events[-1] == sum(count * bad for count, _, bad in parts)


def test_later_series_do_not_exist_before() -> None:
    """A series that is born later has no samples until then; one that is removed ends with a staleness marker."""
    born = Counted((0, 1, 2), (0, 0, 0)).later(2)
    assert Series(Selector("m"), born.events).text() == "_x2 0+1x2"
    assert Series(Selector("m"), (5, 5), ends_stale=True).text() == "5+0x1 stale"
