"""Labels in runbooks: in the right places, and never more than a value."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import promql_parser
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sereno_postmortems.runbooks import Unfilled, fill

ROOT = Path(__file__).resolve().parents[3]
HOSTILE = [
    'a"} or vector(1) or up{a="',
    "it's; touch OWNED",
    "$(touch OWNED)",
    "`touch OWNED`",
    'a"; touch OWNED; "',
    "a\\",
    "back\\slash and 'both\" quotes",
    "*",
    "ähnlich 日本",
    "",
]


def promql(query: str, labels: dict[str, str]) -> str:
    """The query of a block, filled in."""
    return fill(f"```promql\n{query}\n```\n", labels).text.split("\n", 1)[1].rsplit("\n```", 1)[0]


def matchers(query: str) -> dict[str, str]:
    """Names and values of the matchers of a query that is one selector."""
    selector = promql_parser.parse(query)
    assert isinstance(selector, promql_parser.VectorSelector), query
    return {matcher.name: matcher.value for matcher in selector.matchers.matchers}


@settings(max_examples=150, deadline=None)
@given(st.one_of(st.sampled_from(HOSTILE), st.text(st.characters(codec="utf-8"))))
def test_a_value_is_one_value_in_promql(value: str) -> None:
    """Whatever the label holds, the matcher has exactly that value, in each kind of quotes."""
    labels = {"service": value}
    assert matchers(promql('up{a="SERVICE"}', labels)) == {"a": value}
    assert matchers(promql("up{a='SERVICE'}", labels)) == {"a": value}
    can_be_raw = value.isprintable() and "`" not in value and "\\" not in value
    assert matchers(promql("up{a=`SERVICE`}", labels)) == {"a": value if can_be_raw else "SERVICE"}


@settings(max_examples=100, deadline=None)
@given(st.text(st.sampled_from("a.+*?()|[]{}^$\\\"'-#& ~/é"), max_size=12))
def test_a_value_matches_itself_only_as_regex(value: str) -> None:
    """In =~ the value stands for itself: its signs aren't the regular expression's."""
    query = promql('up{a=~"SERVICE|other"}', {"service": value})
    pattern = matchers(query)["a"]
    assert re.fullmatch(pattern, value)
    assert re.fullmatch(pattern, "other")
    assert re.fullmatch(pattern, f"{value}x") is None


def test_only_strings_of_promql_are_filled_in() -> None:
    """Names, comments and words that aren't labels stay; words of HTTP do even if a label has that name."""
    query = '# SERVICE\nSERVICE{job="SERVICE-worker", method="POST", kind="UNKNOWN_WORD", slo="MYSLO"}'
    filled = promql(query, {"service": "shop", "post": "x", "slo": "y"})
    assert filled == query.replace('"SERVICE-worker"', '"shop-worker"')


def test_a_value_is_not_filled_in_again() -> None:
    """A value that reads like a placeholder is a value."""
    text = '```promql\nup{a="SERVICE", b="SLO"}\n```\n`<service>/SLO`\n'
    assert fill(text, {"service": "SLO", "slo": "SERVICE"}).text == (
        '```promql\nup{a="SLO", b="SERVICE"}\n```\n`SLO/SERVICE`\n'
    )


def shells() -> Iterator[tuple[str, str]]:
    """Shell and script that prints a placeholder; every way in which one can stand there."""
    for script in [
        "printf %s SERVICE",
        "printf %s x=SERVICE",
        "printf %s 'SERVICE'",
        'printf %s "SERVICE"',
        'printf %s "it is \\" SERVICE"',
        "printf %s \"$(printf %s 'SERVICE')\"",
        "printf %s $(printf %s SERVICE)",
        "printf %s `printf %s SERVICE`",
        "printf %s ok # it's SERVICE\nprintf %s SERVICE",
        "cat <<END\nSERVICE\nEND",
        "cat <<'END'\nSERVICE\nEND\nprintf %s SERVICE",
        "printf %s $'it\\'s SERVICE'",
        "printf %s a#b'SERVICE'",
        "printf %s \\'SERVICE",
    ]:
        yield from (("bash", script), ("sh", script))


@pytest.mark.parametrize("value", [*HOSTILE, "a\ntouch OWNED\n", "\x1b[2J", "-rf", "!!"])
def test_no_value_breaks_out_of_a_command(value: str, tmp_path: Path) -> None:
    """Where quotes can be set it arrives as it is; elsewhere it stays away. Nothing of it is ever run."""
    for shell, script in shells():
        filled = fill(f"```sh\n{script}\n```\n", {"service": value})
        lines = filled.text.split("\n", 1)[1].rsplit("\n```", 1)[0]
        stays = filled.unfilled == (Unfilled("SERVICE", has_value=True),)
        assert filled.unfilled == () or stays
        assert stays or "SERVICE" not in lines
        assert stays == ("SERVICE" in lines)
        before = {each.name for each in tmp_path.iterdir()}
        if "$'" not in script or shell == "bash":
            ran = subprocess.run([shell, "-fc", lines], capture_output=True, text=True, check=False, cwd=tmp_path)
            assert ran.returncode == 0, (shell, lines, ran.stderr)
        assert {each.name for each in tmp_path.iterdir()} == before, (shell, lines)


@pytest.mark.parametrize("value", HOSTILE)
def test_a_value_arrives_in_a_plain_place(value: str) -> None:
    """Outside of quotes the command gets exactly the value."""
    script = fill("```sh\nprintf %s x=SERVICE\n```\n", {"service": value}).text.splitlines()[1]
    assert subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True).stdout == f"x={value}"


def test_an_option_is_no_value() -> None:
    """A value with a dash in front isn't put where a program would take it for an option."""
    filled = fill("```sh\nrm SERVICE\nrm x=SERVICE\n```\n", {"service": "-rf"})
    assert filled.text == "```sh\nrm SERVICE\nrm x=-rf\n```\n"
    assert filled.unfilled == (Unfilled("SERVICE", has_value=True),)


def test_words_of_languages_stay_in_commands() -> None:
    """SQL, Redis, variables and assignments keep their words although labels have these names."""
    text = (
        "```sh\npsql -c 'SELECT a FROM t GROUP BY 1' GROUP\nJOB=1 redis-cli CLIENT LIST $JOB ${JOB} JOB\n```\n"
        "```sql\nSELECT 'JOB';\n```\n"
    )
    filled = fill(text, {"group": "g1", "job": "j1", "list": "l1", "select": "s1"})
    expected = text.replace("1' GROUP", "1' g1").replace("} JOB", "} j1")
    assert filled.text == expected


def test_words_in_prose_stay_and_inline_code_is_filled_in() -> None:
    """Only code is filled in, and code that is nothing but the placeholder speaks of it."""
    text = "Replace `JOB` and JOB: `curl http://JOB/x`, `runbooks/<job>/<other>.md`, `<copy>`\n"
    filled = fill(text, {"job": "j1"})
    assert filled.text == "Replace `JOB` and JOB: `curl http://j1/x`, `runbooks/j1/<other>.md`, `<copy>`\n"


@pytest.mark.parametrize("value", ["a b", "<img src=x>", "](http://evil)", "a`b", "x\ny"])
def test_markup_stays_out_of_prose(value: str) -> None:
    """Inline code takes harmless values only; the rest is told."""
    filled = fill("`curl http://JOB/`, `<job>`\n", {"job": value})
    assert filled.text == "`curl http://JOB/`, `<job>`\n"
    assert filled.unfilled == (Unfilled("JOB", has_value=True),)


def test_what_stays_is_named_once_in_order() -> None:
    """Known names of labels without a value are told; other words in capitals are none of ours."""
    text = '```promql\nup{job="JOB", a="STARTED"} + up{job="JOB"}\n```\n```sh\nx -p VHOST MISCONF\n```\n'
    assert fill(text, {}).unfilled == (Unfilled("JOB", has_value=False), Unfilled("VHOST", has_value=False))


def test_placeholders_of_our_runbooks() -> None:
    """Exactly these words of this repository's runbooks are placeholders: a new one is a decision."""
    texts = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "runbooks").rglob("*.md"))
    assert {each.placeholder for each in fill(texts, {}).unfilled} == {
        "CONSUMER", "DATABASE", "FUNCTION_NAME", "GROUP", "HOST", "INSTANCE", "JOB", "PORT", "QUEUE", "REGION",
        "ACCOUNT", "SERVICE", "SLO", "SOURCE", "STREAM", "SUBSCRIPTION", "TOPIC_ARN", "TOPIC_NAME", "USER", "VHOST",
    }  # fmt: skip
