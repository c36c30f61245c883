"""Do the generated behaviour tests notice broken rules? Each mutant breaks one detail; promtool has to turn red."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from sereno_slo.plan.counting import GAP
from sereno_slo.render.artefact import Kind
from support.slo_specs import BAD_RATIO, GOOD_RATIO, LATENCY, compiled, of_kinds, promtool, save, spec_text

Rule = dict[str, Any]

MINUTE, FIVE = "tests/api.test.yaml", "tests/api.5m.test.yaml"

SPECS = {
    "both": spec_text(indicator=BAD_RATIO, slo="    alerting: {mode: both}\n"),
    "budget": spec_text(indicator=BAD_RATIO, slo="    alerting: {mode: budget}\n"),
    "ratio": spec_text(indicator=BAD_RATIO, slo="    alerting: {mode: ratio}\n"),
    "many": spec_text(indicator=BAD_RATIO, slo="    alerting: {mode: both, min_bad_events: 100}\n"),
    "good": spec_text(indicator=GOOD_RATIO),
    "latency": spec_text(indicator=LATENCY),
    "groups": spec_text(indicator=BAD_RATIO, slo="    group_by: {labels: [route], limit: 3}\n"),
    "bounds": spec_text(indicator="{threshold: {metric: age_seconds, match: 'job=\"api\"', max: 15m, min: 3}}"),
    "probe": spec_text(indicator="{probe: {metric: probe_success, match: 'job=\"api\"'}}"),
    "day": spec_text(indicator=BAD_RATIO, slo="    window: 1d\n"),
}


def record(name: str) -> Callable[[Rule], bool]:
    """The rule that records this series."""
    return lambda rule: rule.get("record") == name


def alert(name: str, **labels: str) -> Callable[[Rule], bool]:
    """The alerts of this name with these labels."""
    return lambda rule: rule.get("alert") == name and labels.items() <= rule["labels"].items()


BURN = "SLOErrorBudgetBurn"
PAGE = alert(BURN, burn="fast", severity="critical")
SLOW_PAGE = alert(BURN, burn="slow", severity="critical")
TICKET = alert(BURN, burn="fast", severity="warning")
SLOW_TICKET = alert(BURN, burn="slow", severity="warning")
OUTAGE = alert(BURN, burn="outage")
GONE = alert("SLONoData", severity="critical")
NOTHING = alert("SLONoData", severity="warning")
EVENTS, BAD_EVENTS = record("sereno:events:delta1m"), record("sereno:bad_events:delta1m")


@dataclass(frozen=True)
class Mutant:
    """One detail that is changed in one rule: `old` becomes `new`, in an expression written on one line."""

    name: str
    noticed_by: str
    """How the name of the case that has to turn red ends."""
    rules: Callable[[Rule], bool]
    old: str
    new: str
    spec: str = "both"
    field: str = "expr"


STEADY = "counts steady traffic"
NEWBORN = "born inside a watched target"
YOUNG = "counts the first value of a young process"
DISCOVERED = "a target that is discovered now"
RESET = "counts from zero after a reset"
RESET_UNSEEN = "while the target was down for nine minutes"
RESTART = "a restart that values don't show, once"
YOUNG_GAPS = "of a young process was before a gap"
BORN_UNSEEN = "born while scrapes fail"
GAP_CASE = "catches up after a gap of twenty minutes"
LONG_GAP = "down for too long, and says so"
OLD_RESET = "a reset of what has been there for long"
BORN_AGAIN = "born again in a later process"
NO_ENTRIES = "five minutes without any entry had no events"
LATE_GOOD = "counted late, and no window has less than none"
LATE_GOOD_LONG = "no long window has less than none"
REMOVED = "a target that is removed, and then nothing"
IDLE = "idle is an error ratio of zero and no alert"
NO_TRAFFIC = "an error ratio of zero in every window"
NO_ERRORS = "an absent series of errors is none"
OUTAGE_PAGES = "the outage alert ends with it"
BURN_PAGES = "a burn over 1h alerts and resolves after 5m"
FEW = "hardly more than half is no outage"
IS_DOWN = "critical after five minutes, and resolves"
NO_BUCKET = "the threshold's bucket is a warning after fifteen minutes"
MATCHES_NOTHING = "a warning after fifteen minutes, not a page"
NO_BUCKET_LONG = "no budget is left or spent"
SUMS = "whatever comes back meanwhile"
CHANCE = "chance can bring are no ticket"
TICKET_COMES = "a burn over 3d alerts and resolves after 6h"

S, UP, START = 'requests_total{job="api"}', 'up{job="api"}', 'process_start_time_seconds{job="api"}'
NOW, BEFORE = f"last_over_time({S}[1m])", f"last_over_time({S}[{GAP}] offset 1m)"
SLO = '{service="api", slo="calls"}'
BORN = f"on (job, instance) (max_over_time({UP}[{GAP}] offset 1m) == 1)"
# Younger processes count in full: as far as the ledger looks back, and two minutes.
YOUNG_SECONDS = f"{GAP.seconds + 120:g}"


def seen(offset: str) -> str:
    """The series was there so long ago, in the same process."""
    return f"({S} offset {offset} and on (job, instance) (({START} - {START} offset {offset}) <= 5))"


OR_NONE = f" or ignoring (service, slo) (0 * last_over_time(sereno:events:delta1m{SLO}[59s999ms]))"

ENTRY_MUTANTS = [
    Mutant("growth is not counted", STEADY, EVENTS, f" or ({NOW} - ({BEFORE} <= {NOW}))", ""),
    Mutant("growth may be negative", RESET, EVENTS, f"({BEFORE} <= {NOW})", BEFORE),
    Mutant("resets are not counted", OLD_RESET, EVENTS, f" or ({NOW} and {S} offset 1m)", ""),
    Mutant("a restart is not seen", RESTART, EVENTS, f"> (time() - {YOUNG_SECONDS})", "> (time() + 1)"),
    Mutant("bad: a restart is not seen", RESTART, BAD_EVENTS, f"> (time() - {YOUNG_SECONDS})", "> (time() + 1)"),
    Mutant("a clock's correction is a restart", RESTART, EVENTS, "<= 5", "<= 0"),
    Mutant("old samples are of the same process", RESTART, EVENTS, "<= 5", "<= 1e9"),
    *(
        Mutant(f"young processes were not seen {offset} ago", YOUNG_GAPS, EVENTS, seen(offset), f"({S} > 1e9)")
        for offset in ("1m", "6m", "11m", "16m", "21m")
    ),
    Mutant("births are not counted", NEWBORN, EVENTS, f" or ({NOW} and {BORN})", ""),
    Mutant("births count anywhere", DISCOVERED, EVENTS, f"{NOW} and {BORN}", NOW),
    Mutant(
        "a target is watched from its first scrape on", DISCOVERED, EVENTS, f"{UP}[{GAP}] offset 1m", f"{UP}[{GAP}]"
    ),
    Mutant("a target that was down was watched", LONG_GAP, EVENTS, f"({UP}[{GAP}] offset 1m) == 1", f"({UP}[{GAP}])"),
    Mutant(
        "births are lost after failed scrapes", BORN_UNSEEN, EVENTS, f"{UP}[{GAP}] offset 1m", f"{UP}[1m] offset 1m"
    ),
    Mutant("young processes are not counted", YOUNG, EVENTS, f"> (time() - {YOUNG_SECONDS})", "> (time() + 1)"),
    Mutant("processes are young for a minute", YOUNG, EVENTS, f"- {YOUNG_SECONDS}", "- 60"),
    Mutant("processes are young for long", DISCOVERED, EVENTS, f"- {YOUNG_SECONDS}", "- 2000"),
    Mutant("births are matched by job alone", DISCOVERED, EVENTS, "on (job, instance)", "on (job)"),
    Mutant("a gap is not caught up", GAP_CASE, EVENTS, f"[{GAP}] offset 1m", "[1m] offset 1m"),
    Mutant("a gap of twenty minutes is not caught up", GAP_CASE, EVENTS, f"[{GAP}] offset 1m", "[15m] offset 1m"),
    Mutant("gaps are caught up for ever", LONG_GAP, EVENTS, f"[{GAP}] offset 1m", "[1h] offset 1m"),
    Mutant("minutes overlap", STEADY, EVENTS, f"[{GAP}] offset 1m", f"[{GAP}] offset 2m"),
    Mutant("what comes back is counted again", SUMS, EVENTS, " or (0 * (", " or (1 * ("),
    *(
        Mutant(f"what was away is not looked for {offset} ago", SUMS, EVENTS, seen(offset), f"({S} > 1e9)")
        for offset in ("1h10m", "6h10m", "1d10m")
    ),
    Mutant("what a new process has counted is the old one's", BORN_AGAIN, EVENTS, "<= 5", "<= 1e9"),
    Mutant("the tail before a staleness marker is lost", REMOVED, EVENTS, NOW, S),
    Mutant("the average of series instead of their sum", STEADY, EVENTS, "sum(", "avg("),
    Mutant("no error series, no entry", NO_ERRORS, BAD_EVENTS, OR_NONE, ""),
    Mutant("no error series, every event is bad", NO_ERRORS, BAD_EVENTS, "(0 * last_over_time", "(1 * last_over_time"),
    Mutant("errors collide with none", STEADY, BAD_EVENTS, "or ignoring (service, slo)", "or"),
    Mutant("no errors after everything is gone", REMOVED, BAD_EVENTS, "[59s999ms]", "[5m]"),
    Mutant("events and good events don't meet", STEADY, BAD_EVENTS, "- ignoring (service, slo)", "-", "good"),
    Mutant("no good series, no entry", "an absent series of good events is none", BAD_EVENTS, OR_NONE, "", "good"),
    Mutant(
        "an entry without events has coverage", NO_ENTRIES, record("sereno:coverage:delta1m"), " and on () ", " or "
    ),
    Mutant("a missing bucket means all slow", NO_BUCKET, BAD_EVENTS, "sum(", "sum(0 * up or ", "latency"),
]
MARK, ROLL_UP = f"sereno:ledger:evaluated5m{SLO}", f"sereno:events:sum5m{SLO}"
WINDOW_MUTANTS = [
    # On Prometheus 3.x, whose ranges are open on the left, the whole minutes would be right as well.
    Mutant("5m hold six entries", STEADY, record("sereno:events:5m"), "4m59s999ms", "5m"),
    Mutant("5m hold six bad entries", STEADY, record("sereno:bad_events:5m"), "4m59s999ms", "5m"),
    Mutant("30m hold 31 entries", BURN_PAGES, record("sereno:events:30m"), "29m59s999ms", "30m"),
    Mutant("1h holds 61 entries", BURN_PAGES, record("sereno:events:1h"), "59m59s999ms", "1h"),
    Mutant("2h hold one entry more", SUMS, record("sereno:events:2h"), "1h59m59s999ms", "2h"),
    Mutant("6h hold one entry more", SUMS, record("sereno:events:6h"), "5h59m59s999ms", "6h"),
    Mutant("a roll-up holds six entries", STEADY, record("sereno:events:sum5m"), "[4m59s999ms]", "[5m]"),
    Mutant("a bad roll-up holds six entries", STEADY, record("sereno:bad_events:sum5m"), "[4m59s999ms]", "[5m]"),
    Mutant("a roll-up reads what is being entered", SUMS, record("sereno:events:sum5m"), "] offset 1m)", "])"),
    Mutant(
        "a bad roll-up reads what is being entered",
        LATE_GOOD_LONG,
        record("sereno:bad_events:sum5m"),
        "] offset 1m)",
        "])",
        "latency",
    ),
    Mutant("no entries, no roll-up", NO_ENTRIES, record("sereno:events:sum5m"), f" or (0 * {MARK})", ""),
    Mutant("no entries, no bad roll-up", NO_ENTRIES, record("sereno:bad_events:sum5m"), f" or ({ROLL_UP} == 0)", ""),
    Mutant(
        "events of which nobody knows were good",
        NO_BUCKET_LONG,
        record("sereno:bad_events:sum5m"),
        "== 0",
        "* 0",
        "latency",
    ),
    Mutant(
        "5m may have less than no bad events", LATE_GOOD, record("sereno:bad_events:5m"), ", 0)", ", -1e9)", "latency"
    ),
    Mutant(
        "1d may have less than no bad events",
        LATE_GOOD_LONG,
        record("sereno:bad_events:1d"),
        ", 0)",
        ", -1e9)",
        "latency",
    ),
    Mutant("1d holds 289 roll-ups", SUMS, record("sereno:events:1d"), "23h59m59s999ms", "1d"),
    Mutant("1d holds 289 bad roll-ups", SUMS, record("sereno:bad_events:1d"), "23h59m59s999ms", "1d"),
    Mutant("coverage holds one roll-up more", SUMS, record("sereno:coverage:ratio"), "23h59m59s999ms", "1d", "day"),
    Mutant("coverage is not a share", SUMS, record("sereno:coverage:ratio"), " / 43200", ""),
    Mutant("coverage forgets what is down", LONG_GAP, record("sereno:coverage:delta1m"), "avg(", "max("),
    Mutant("the usual events are summed", SUMS, record("sereno:events:expected5m"), "avg_over", "sum_over"),
    Mutant("the budget left is of no objective", SUMS, record("sereno:error_budget_remaining:ratio"), " / 0.001", ""),
    Mutant("idle has no ratio", IDLE, record("sereno:error_ratio:5m"), f" or (0 * sereno:bad_events:5m{SLO})", ""),
    Mutant(
        "events of which nobody knows have a ratio",
        NO_BUCKET,
        record("sereno:error_ratio:5m"),
        f"0 * sereno:bad_events:5m{SLO}",
        f"0 * sereno:events:5m{SLO}",
        "latency",
    ),
    Mutant("idle is not a number", IDLE, record("sereno:error_ratio:5m"), " > 0)", " > -1)"),
    Mutant(
        "idle has no ratio over 6h",
        NO_TRAFFIC,
        record("sereno:error_ratio:6h"),
        f" or (0 * sereno:bad_events:6h{SLO})",
        "",
    ),
    Mutant(
        "idle has no ratio over the window",
        NO_TRAFFIC,
        record("sereno:error_ratio:window"),
        f" or (0 * sereno:bad_events:window{SLO})",
        "",
    ),
]


def _bad(window: str) -> str:
    return f"sereno:bad_events:{window}{SLO}"


def _and_sure(window: str) -> str:
    bad, events = (f"last_over_time(sereno:{name}:{window}{SLO}[10m])" for name in ("bad_events", "events"))
    return f" and ((sqrt({bad}) - sqrt(0.001 * {events})) > 1.29)"


EXPECTED = f"last_over_time(sereno:events:expected5m{SLO}[10m])"
BAD_2M, EVENTS_2M = (f"sum_over_time(sereno:{name}:delta1m{SLO}[1m59s999ms])" for name in ("bad_events", "events"))
SURELY_MOST = f" and (({BAD_2M} - (0.5 * {EVENTS_2M})) > (2.58 * sqrt(0.25 * {EVENTS_2M})))"
COUNTED = f"(sereno:events:delta1m{SLO} and sereno:bad_events:delta1m{SLO})"
ALERT_MUTANTS = [
    Mutant("budget: no short window", BURN_PAGES, PAGE, f"({_bad('5m')} > (0.0144 * {EXPECTED})) and ", "", "budget"),
    Mutant("budget: no long window", BURN_PAGES, PAGE, f" and ({_bad('1h')} > (0.1728 * {EXPECTED}))", "", "budget"),
    Mutant("budget: a tenth is enough", BURN_PAGES, PAGE, "0.1728", "0.01728", "budget"),
    Mutant("budget: four times as much is asked for", BURN_PAGES, PAGE, "0.1728", "0.6912", "budget"),
    Mutant(
        "ratio: no short window",
        BURN_PAGES,
        PAGE,
        f"({_bad('5m')} > (0.0144 * sereno:events:5m{SLO})) and ",
        "",
        "ratio",
    ),
    Mutant(
        "ratio: no long window",
        BURN_PAGES,
        PAGE,
        f" and ({_bad('1h')} > (0.0144 * sereno:events:1h{SLO}))",
        "",
        "ratio",
    ),
    Mutant("ratio: four times as much is asked for", BURN_PAGES, PAGE, "0.0144", "0.0576", "ratio"),
    Mutant("few bad events page", FEW, PAGE, f" and ({_bad('1h')} >= 5)", ""),
    Mutant("one bad event fewer pages", FEW, PAGE, ">= 5", ">= 4"),
    # Pages ask for so much more than the objective allows that five bad events are evidence: there it is redundant.
    Mutant("a ticket without evidence, over 1d", CHANCE, TICKET, _and_sure("1d"), ""),
    Mutant("a ticket without evidence, over 3d", CHANCE, SLOW_TICKET, _and_sure("3d"), ""),
    Mutant("half of the evidence is enough", CHANCE, SLOW_TICKET, "> 1.29", "> 0.6"),
    Mutant("a ticket without evidence of spending", CHANCE, SLOW_TICKET, _and_sure("3d"), "", "budget"),
    Mutant(
        "a ticket that outlives its cause", TICKET_COMES, SLOW_TICKET, "sereno:bad_events:6h", "sereno:bad_events:3d"
    ),
    Mutant("a ticket after a tenth", TICKET_COMES, SLOW_TICKET, "0.864", "0.0864", "budget"),
    Mutant(
        "a slow page that never comes", "a burn over 6h alerts and resolves after 30m", SLOW_PAGE, "> 1.29", "> 1e9"
    ),
    Mutant("an outage is any ratio", OUTAGE_PAGES, OUTAGE, SURELY_MOST, ""),
    Mutant("an outage is any ratio, in a burn", BURN_PAGES, OUTAGE, SURELY_MOST, ""),
    Mutant("an outage is hardly more than half", FEW, OUTAGE, "2.58", "0"),
    Mutant("an outage is nearly all", OUTAGE_PAGES, OUTAGE, "0.5 *", "0.99 *"),
    Mutant("an outage outlives its cause", OUTAGE_PAGES, OUTAGE, "1m59s999ms", "2m"),
    # With a minimum of five, four of four are no certain majority anyway: there the condition is redundant.
    Mutant("few bad events are an outage", FEW, OUTAGE, f" and ({BAD_2M} >= 100)", "", "many"),
    Mutant("gone is nothing", "no target at all is critical after five minutes", GONE, " or vector(0)", ""),
    Mutant("gone is down for no time", IS_DOWN, GONE, "5m", "0s", field="for"),
    Mutant("gone is down for long", IS_DOWN, GONE, "5m", "15m", field="for"),
    Mutant("down is up", IS_DOWN, GONE, f"{UP} == 1", UP),
    Mutant("nothing is counted at once", MATCHES_NOTHING, NOTHING, "15m", "5m", field="for"),
    Mutant("nothing is counted late", MATCHES_NOTHING, NOTHING, "15m", "30m", field="for"),
    Mutant("everything is nothing", IDLE, NOTHING, f" unless on () {COUNTED}", ""),
    Mutant("a missing bucket is no warning", NO_BUCKET, NOTHING, COUNTED, f"sereno:events:delta1m{SLO}", "latency"),
]
GAUGE = 'age_seconds{job="api"}[59s999ms]'
ONE_BAD, OTHER_SIDE = "bad when any value in it is", "on the other side, too"
NO_VALUE, ANY_SERIES = "that is a number, is no event", "is enough, and they are one event"
FIVE_BAD, BAD_HOUR = "the outage alert ends with them", "bad minutes over 1h alert and resolve after 5m"
SLICE_MUTANTS = [
    Mutant("a minute without a number is an event", NO_VALUE, EVENTS, ">= bool -Inf", "!= bool -Inf", "bounds"),
    Mutant("a minute outlives itself", NO_VALUE, EVENTS, "[59s999ms]", "[5m]", "bounds"),
    Mutant("the maximum is no bound", ONE_BAD, BAD_EVENTS, "> bool 900", "> bool 1e9", "bounds"),
    Mutant("the maximum is bad", ONE_BAD, BAD_EVENTS, "> bool 900", ">= bool 900", "bounds"),
    Mutant("the minimum is no bound", OTHER_SIDE, BAD_EVENTS, "< bool 3", "< bool -1e9", "bounds"),
    Mutant(
        "the last value judges the minute",
        ONE_BAD,
        BAD_EVENTS,
        f"max_over_time({GAUGE})",
        "max_over_time(age_seconds[1s])",
        "bounds",
    ),
    Mutant("all series have to be bad", ANY_SERIES, BAD_EVENTS, "max(max_over_time", "min(max_over_time", "bounds"),
    Mutant("a probe is bad when all values are", ONE_BAD, BAD_EVENTS, "min_over_time", "max_over_time", "probe"),
    Mutant("a probe is bad when all series are", ANY_SERIES, BAD_EVENTS, "min(min", "max(min", "probe"),
    Mutant("a good probe is bad", ONE_BAD, BAD_EVENTS, "== bool 0", ">= bool 0", "probe"),
    Mutant("four bad minutes are an outage", FIVE_BAD, OUTAGE, ">= 5", ">= 4", "probe"),
    Mutant("six bad minutes are an outage", FIVE_BAD, OUTAGE, ">= 5", ">= 6", "probe"),
    Mutant("a few bad minutes page", BAD_HOUR, PAGE, ">= 5)", ">= 4)", "probe"),
]
GROUP_EVENTS, GROUP_BAD = record("sereno:group_events:delta1m"), record("sereno:group_bad_events:delta1m")
ADMITTED, LEFT_OUT = record("sereno:group_admitted:bool"), record("sereno:groups_left_out:count")
OWN, ONE_MORE = "groups by route have budgets of their own", "and who is left out is counted"
GROUP_MUTANTS = [
    Mutant("groups are not told apart", OWN, GROUP_EVENTS, "sum by (route) (", "sum(", "groups"),
    Mutant("bad events are not told apart", OWN, GROUP_BAD, "sum by (route) (", "sum(", "groups"),
    Mutant("whoever comes has a budget", ONE_MORE, ADMITTED, "topk(3,", "topk(30,", "groups"),
    Mutant("one group less has a budget", ONE_MORE, ADMITTED, "topk(3,", "topk(2,", "groups"),
    Mutant("the largest group pushes others out", ONE_MORE, ADMITTED, "+ 1000000000", "+ 0", "groups"),
    Mutant(
        "who isn't admitted is counted all the same",
        ONE_MORE,
        GROUP_EVENTS,
        f" and on (route) sereno:group_admitted:bool{SLO}",
        "",
        "groups",
    ),
    Mutant("nobody counts who is left out", ONE_MORE, LEFT_OUT, " - count(", " - 0 * count(", "groups"),
]
MUTANTS = [*SLICE_MUTANTS, *GROUP_MUTANTS, *ENTRY_MUTANTS, *WINDOW_MUTANTS, *ALERT_MUTANTS]


@cache
def _files(spec: str) -> dict[str, str]:
    return of_kinds(compiled(SPECS[spec]), Kind.RULES, Kind.TESTS)


def _on_one_line(expr: str) -> str:
    return " ".join(expr.split()).replace("( ", "(").replace(" )", ")")


def _mutated(mutant: Mutant) -> dict[str, str]:
    files = dict(_files(mutant.spec))
    document = yaml.safe_load(files["rules/api.rules.yaml"])
    hits = 0
    for rule in (rule for group in document["groups"] for rule in group["rules"] if mutant.rules(rule)):
        before = _on_one_line(rule[mutant.field])
        rule[mutant.field] = before.replace(mutant.old, mutant.new)
        hits += before != rule[mutant.field]
    assert hits == 1, f"the mutant finds {hits} rules with {mutant.old}"
    files["rules/api.rules.yaml"] = yaml.safe_dump(document)
    return files


def _case(files: dict[str, str], ending: str) -> dict[str, str]:
    """The one file of behaviour tests that has the case, with no other case in it."""
    found = {}
    for name in (MINUTE, FIVE):
        document = yaml.safe_load(files[name])
        document["tests"] = [case for case in document["tests"] if case["name"].endswith(ending)]
        if document["tests"]:
            found[name] = yaml.safe_dump(document)
    assert len(found) == 1, f"{len(found)} files have a case that ends with {ending!r}"
    return found


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_broken_rules_fail_their_behaviour_tests(mutant: Mutant, tmp_path: Path) -> None:
    """A rule without this detail is still a valid rule, and one of its own behaviour tests says that it is wrong."""
    files = _mutated(mutant)
    (judge,) = case = _case(files, mutant.noticed_by)
    save(files | case, tmp_path)
    check = promtool("check", "rules", tmp_path / "rules/api.rules.yaml")
    assert check.returncode == 0, f"the mutant is no valid rule: {check.stdout}{check.stderr}"
    answer = promtool("test", "rules", tmp_path / judge)
    assert answer.returncode != 0, "the mutant survives"


@pytest.mark.parametrize("judge", [MINUTE, FIVE])
@pytest.mark.parametrize("spec", sorted(SPECS))
def test_the_rules_that_are_mutated_pass(spec: str, judge: str, tmp_path: Path) -> None:
    """Without a mutation the behaviour tests are green, so that red means the mutation."""
    save(_files(spec), tmp_path)
    answer = promtool("test", "rules", tmp_path / judge)
    assert answer.returncode == 0, answer.stdout + answer.stderr
