"""PromQL: what is printed reads as what was meant, and what users write is read or refused, never pasted."""

from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import promql_parser
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sereno_slo.duration import Duration
from sereno_slo.promql import Aggregation, Binary, Call, Expr, Matcher, MatchOp, Number, Selector, String, regex
from sereno_slo.promql.layout import pretty
from sereno_slo.promql.reading import read_matchers, read_selector
from sereno_slo.promql.tree import all_of, any_of

labels = st.from_regex(r"[a-z_][a-z0-9_]{0,8}", fullmatch=True).filter(lambda name: name != "__name__")
metrics = st.from_regex(r"[a-z]{2}_[a-z0-9_:]{0,12}", fullmatch=True)
durations = st.integers(1, 10**10).map(Duration)
texts = st.text(st.characters(codec="utf-8"), max_size=8) | st.sampled_from(
    ['"', "\\", "\n", "'", "`", "\\n", '\\"', "{}"]
)
plain_matchers = st.builds(Matcher, labels, st.sampled_from([MatchOp.EQUAL, MatchOp.NOT_EQUAL]), texts)
regex_matchers = st.builds(
    Matcher,
    labels,
    st.sampled_from([MatchOp.REGEX, MatchOp.NOT_REGEX]),
    st.sampled_from(
        ["5..", "a|b", r"\d+", r"a\.b", "[^/]+", "(x|y){2,3}", r"\\", r"\"", "", "(?i)a.*", "[[:alpha:]]+"]
    ),
)
matchers = st.lists(plain_matchers | regex_matchers, max_size=3).map(tuple)
selectors = st.builds(Selector, metrics, matchers)
instants = st.builds(Selector, metrics, matchers, st.none(), st.none() | durations)
ranges = st.builds(Selector, metrics, matchers, durations, st.none() | durations)
names = st.lists(labels, min_size=1, max_size=2, unique=True).map(tuple)


def _vectors(inner: st.SearchStrategy[Expr]) -> st.SearchStrategy[Expr]:
    scalars = st.integers(-(10**6), 10**6).map(lambda eighths: Number(eighths / 8))
    arithmetic = st.sampled_from(["+", "-", "*", "/", ">", ">=", "<", "=="])
    sets = st.sampled_from(["and", "or", "unless"])
    return st.one_of(
        st.builds(lambda body: Call("sum_over_time", (body,)), ranges),
        st.builds(lambda body: Call("label_replace", (body, *map(String, ("a", "$1", "b", "(.*)")))), inner),
        st.builds(lambda body, scalar: Call("clamp_min", (body, scalar)), inner, scalars),
        st.builds(Aggregation, st.sampled_from(["sum", "avg", "count"]), inner, st.just(()) | names),
        st.builds(Binary, arithmetic, inner, inner | scalars),
        st.builds(Binary, arithmetic | sets, inner, inner, names | st.just(())),
        st.builds(lambda o, a, b, i: Binary(o, a, b, ignoring=i), arithmetic | sets, inner, inner, names),
        st.builds(Binary, sets, inner, inner),
        st.builds(lambda bodies: all_of(*bodies), st.lists(inner, min_size=1, max_size=4)),
        st.builds(lambda bodies: any_of(*bodies), st.lists(inner, min_size=1, max_size=4)),
    )


expressions = st.recursive(instants, _vectors, max_leaves=12)


def _read(found: promql_parser.Expr) -> Expr:  # noqa: PLR0911 - one a kind of node
    """What promql-parser read, as our tree: parentheses are gone, the structure tells where they stood."""
    match found:
        case promql_parser.ParenExpr():
            return _read(found.expr)
        case promql_parser.NumberLiteral():
            return Number(found.val)
        case promql_parser.StringLiteral():
            return String(found.val)
        case promql_parser.VectorSelector():
            read = tuple(Matcher(m.name, _operator(m), m.value) for m in found.matchers.matchers)
            return Selector(found.name or "", read, offset=_duration(found.offset))
        case promql_parser.MatrixSelector():
            inner = _read(found.vector_selector)
            assert isinstance(inner, Selector)
            return replace(inner, window=_duration(found.range))
        case promql_parser.Call():
            return Call(found.func.name, tuple(map(_read, found.args)))
        case promql_parser.AggregateExpr():
            return Aggregation(str(found.op), _read(found.expr), tuple(found.modifier.labels if found.modifier else ()))
        case promql_parser.BinaryExpr():
            return _read_binary(found)
    raise AssertionError(f"unexpected {type(found)}")


def _read_binary(found: promql_parser.BinaryExpr) -> Binary:
    left, right = _read(found.lhs), _read(found.rhs)
    matching = found.modifier.matching if found.modifier else None
    if matching is None:
        return Binary(str(found.op), left, right)
    is_on = matching.type == promql_parser.LabelModifierType.Include
    labels_matched = tuple(matching.labels)
    return Binary(
        str(found.op), left, right, on=labels_matched if is_on else None, ignoring=() if is_on else labels_matched
    )


def _operator(matcher: promql_parser.Matcher) -> MatchOp:
    theirs = promql_parser.MatchOp
    pairs = ((theirs.Equal, "="), (theirs.NotEqual, "!="), (theirs.Re, "=~"), (theirs.NotRe, "!~"))
    return next(MatchOp(ours) for op, ours in pairs if op == matcher.op)


def _duration(delta: timedelta | None) -> Duration | None:
    return None if delta is None else Duration(round(delta / timedelta(milliseconds=1)))


@settings(deadline=None)
@given(expressions)
def test_one_line_reads_as_the_tree(expr: Expr) -> None:
    """`str` loses nothing: Prometheus' grammar reads the very tree that was printed."""
    assert _read(promql_parser.parse(str(expr))) == expr


@settings(deadline=None)
@given(expressions)
def test_several_lines_read_as_the_tree(expr: Expr) -> None:
    """`pretty` loses nothing either, however long the expression."""
    assert _read(promql_parser.parse(pretty(expr))) == expr


def test_several_lines_keep_what_binds_to_the_right() -> None:
    """The parentheses of a right operand stay, also in a chain of one operator: `unless` is not associative."""
    a, b, c = (Selector(name * 40) for name in "abc")
    expr = a.unless(b.unless(c))
    assert _read(promql_parser.parse(pretty(expr))) == expr
    expr = a.or_(b.or_(c), ignoring=("x",))
    assert _read(promql_parser.parse(pretty(expr))) == expr


def _renamed(expr: Expr, metric: str, value: str) -> Expr:
    """The same expression with this metric and this value everywhere."""
    match expr:
        case Selector():
            return replace(expr, metric=metric, matchers=tuple(replace(m, value=value) for m in expr.matchers))
        case Call(arguments=arguments):
            return replace(expr, arguments=tuple(_renamed(argument, metric, value) for argument in arguments))
        case Aggregation(body=body):
            return replace(expr, body=_renamed(body, metric, value))
        case Binary(left=left, right=right):
            return replace(expr, left=_renamed(left, metric, value), right=_renamed(right, metric, value))
        case _:
            return expr


@given(expressions, metrics, texts)
def test_names_don_t_move_lines(expr: Expr, metric: str, value: str) -> None:
    """Where lines end depends on what is calculated, not on names: who renames a service sees nothing else change."""
    usual, other = (pretty(_renamed(expr, *names)) for names in (("m" * 25, "v" * 10), (metric, value)))
    indentations = [[len(line) - len(line.lstrip(" ")) for line in text.split("\n")] for text in (usual, other)]
    assert indentations[0] == indentations[1]


@given(expressions)
def test_short_expressions_stay_on_one_line(expr: Expr) -> None:
    """What fits on a line isn't broken, where names have the usual lengths."""
    usual = _renamed(expr, "m" * 25, "v" * 10)
    assert ("\n" in pretty(usual)) == (len(str(usual)) > 100 and not isinstance(usual, Selector))


@given(selectors)
def test_selectors_read_back(selector: Selector) -> None:
    """A selector of any labels and values is read as what it was, quotes and backslashes included."""
    assert read_selector(str(selector)) == selector


@given(matchers)
def test_matchers_read_back(expected: tuple[Matcher, ...]) -> None:
    """Matchers without braces are read as what they were."""
    assert read_matchers(", ".join(map(str, expected))) == expected


pieces = st.sampled_from(
    [*'{}()[]",=!~\\#\n abc019', "a=", '"x"', "=~", "!~", " or ", "offset 5m", "by", "5m", "__name__", "é"]
)


@given(st.lists(pieces, max_size=12).map("".join))
def test_any_text_is_read_or_refused(text: str) -> None:
    """Whatever a user writes is a ValueError, or reads as a selector that prints and reads the same."""
    for read in (read_selector, lambda text: Selector("m", read_matchers(text))):
        with suppress(ValueError):
            selector = read(text)
            assert read_selector(str(selector)) == selector


@pytest.mark.parametrize(
    ("pattern", "text", "is_match"),
    [
        ("5..", "500", True),
        ("5..", "5000", False),
        ("a|bc", "bc", True),
        ("a|bc", "ac", False),
        ("", "", True),
        (".*", "a\nb", True),
        ("a(?i)b", "aB", True),
        (r"\pN+", "12", True),
        (r"\d", "٣", True),
        ("[[:alpha:]]+", "abc", True),
        (r"a\.b", "axb", False),
        ("x{", "x{", True),
        ("{x}", "{x}", True),
        ("[{]", "{", True),
        ("x{2}", "xx", True),
        ("a$", "a\n", False),
        ("(", "(", False),
    ],
)
def test_regular_expressions_match_as_in_prometheus(pattern: str, text: str, is_match: bool) -> None:
    """The whole value has to match; syntax that Python's own engine lacks is understood."""
    assert regex.matches(pattern, text) is is_match


@pytest.mark.parametrize(
    "pattern",
    [
        "5..",
        "a+?",
        "a??",
        "(?i)a",
        "(?i:a)",
        "(?P<n>a)",
        r"\bfoo\b",
        r"\[a&&b",
        "[+*?]",
        "[[:alpha:]-]",
        "x{10,1000}",
        "/v[0-9]+",
    ],
)
def test_what_prometheus_reads_has_no_problem(pattern: str) -> None:
    """Ordinary regular expressions are left alone."""
    assert regex.problem_of(pattern) is None


@pytest.mark.parametrize(
    "pattern",
    [
        *(
            "(?x) a",
            "(?R)a",
            "(?ix)a",
            "(?<n>a)",
            r"\u0061",
            r"\b{start}",
            r"\<a",
            "[a&&b]",
            "[a--b]",
            "[a~~b]",
            "[[a]b]",
        ),
        *("a**", "a+*", "a{2}{3}", "a+??", "x{,3}", "x{1001}", "x{1,1001}"),
    ],
)
def test_what_only_rust_reads_has_a_problem(pattern: str) -> None:
    """Syntax that promql-parser lets pass, and that Prometheus refuses or reads otherwise, is told."""
    assert regex.problem_of(pattern)


@pytest.mark.parametrize("operator", list(MatchOp))
def test_negated_operators_are_each_other_s(operator: MatchOp) -> None:
    """Negating twice is nothing."""
    assert operator.negated is not operator
    assert operator.negated.negated is operator


def test_formulas_in_code_look_like_formulas_on_paper() -> None:
    """Python's operators build PromQL's, numbers included, on both sides."""
    a, b = Selector("a"), Selector("b", window=None).ago(Duration.parse("1m"))
    assert str((1 - a / b) * 2 + 0.1) == "((1 - (a / b offset 1m)) * 2) + 0.1"
    assert (
        str((2 * a >= 1).and_((b < 3).unless(a, on=("x",)))) == "((2 * a) >= 1) and ((b offset 1m < 3) unless on (x) a)"
    )
    assert str(a.where(Matcher("c", MatchOp.REGEX, "5.."), job='"x"').equals(1)) == 'a{c=~"5..", job="\\"x\\""} == 1'
    assert str((a > 1).or_(b, ignoring=("c", "d"))) == "(a > 1) or ignoring (c, d) b offset 1m"


def test_chains_are_flat() -> None:
    """Conditions joined by `and` or `or` read as one list, whatever joined them first; matching keeps its place."""
    a, b, c, d = map(Selector, "abcd")
    assert all_of(a, all_of(b, c), d) == all_of(a, b, c, d)
    assert any_of(any_of(a, b), any_of(c, d)) == any_of(a, b, c, d)
    assert all_of(a, any_of(b, c)) == Binary("and", a, Binary("or", b, c))
    on_x = b.and_(c, on=("x",))
    assert all_of(a, on_x) == Binary("and", a, on_x)
