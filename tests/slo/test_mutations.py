"""Do the generated behaviour tests notice broken entries, sums and groups? Each mutant breaks one detail."""

from pathlib import Path

import pytest
from sereno_slo.plan.counting import GAP
from support.mutants import JUDGES, SLO, Mutant, alert, judge, pass_unbroken, record

BURN = "SLOErrorBudgetBurn"
PAGE = alert(BURN, burn="fast", severity="critical")
OUTAGE = alert(BURN, burn="outage")
EVENTS, BAD_EVENTS = record("sereno:events:delta1m"), record("sereno:bad_events:delta1m")


STEADY = "counts steady traffic"
NEWBORN = "born inside a watched target"
YOUNG = "counts the first value of a young process"
DISCOVERED = "a target that is discovered now"
RESET = "counts from zero after a reset"
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
BURN_PAGES = "a burn over 1h pages and resolves after 5m"
NO_BUCKET = "the threshold's bucket is a warning after fifteen minutes"
NO_BUCKET_LONG = "no budget is left or spent"
SUMS = "whatever comes back meanwhile"

S, UP, START = 'requests_total{job="api"}', 'up{job="api"}', 'process_start_time_seconds{job="api"}'
NOW, BEFORE = f"last_over_time({S}[1m])", f"last_over_time({S}[{GAP}] offset 1m)"
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


USUAL, FORETOLD = record("sereno:events:expected5m"), record("sereno:error_budget_exhausted_in:seconds")
SAME_5M, SAME_1H = record("sereno:events:same_hour5m"), record("sereno:events:same_hour1h")
DAYS, REST = "a day of bots hardly moves it", "where most days have no events their average is usual"
MOVED = "traffic that has moved away is not usual any more"
SPENT = "is a ticket, and none when some is back"
TOLD = "traffic that stays away is told, less of it or of little is not"
LAST_DAY = f"avg_over_time(sereno:events:sum5m{SLO}[23h59m59s999ms])"
MOMENT = "label_replace(sereno:events:"
USUAL_MUTANTS = [
    Mutant("the first day's usual events are summed", SUMS, USUAL, f" or {LAST_DAY}", f" or 2 * {LAST_DAY}"),
    Mutant("days before the first are usual", DAYS, USUAL, f" and on (service, slo) {MARK} offset 1d", ""),
    Mutant("a day has another length", DAYS, USUAL, "/ 288", "/ 287"),
    Mutant("bots are usual", DAYS, USUAL, '"of", "median"', '"of", "average"'),
    Mutant("the median is the quietest day", REST, USUAL, ") > 0,", ") >= 0,"),
    Mutant("the best day is usual", DAYS, USUAL, "quantile_over_time(0.5", "quantile_over_time(1"),
    Mutant("who has moved away is usual", MOVED, USUAL, "2 * (((", "2000 * ((("),
    Mutant(
        "the last hour doesn't count", MOVED, USUAL, f"(sereno:events:1h{SLO} / 12)", f"(sereno:events:1h{SLO} / 1e9)"
    ),
    Mutant("the last day doesn't count", MOVED, USUAL, f"> {LAST_DAY}) or {LAST_DAY}", f"> {LAST_DAY})"),
    Mutant("foretold for half a day", SPENT, FORETOLD, "* 86400", "* 43200"),
    Mutant("foretold by what is allowed, not by what is left", SPENT, FORETOLD, "> 0) * (0.001", "> bool 0) * (0.001"),
    Mutant("foretold of another objective", SPENT, FORETOLD, "0.001 *", "0.01 *"),
    Mutant("gone is not foretold", SPENT, FORETOLD, f" or (0 * (sereno:error_budget_remaining:ratio{SLO} <= 0))", ""),
    Mutant("no failures are foretold", SPENT, FORETOLD, "[10m]) > 0)) * 86400", "[10m]) >= 0)) * 86400"),
    Mutant("the best of past weeks is usual", TOLD, SAME_5M, "quantile(0.5,", "quantile(1,", "watched"),
    Mutant("the worst of past weeks is usual", TOLD, SAME_1H, "quantile(0.5,", "quantile(0,", "watched"),
    Mutant("what opens later drops", TOLD, SAME_5M, f"min({MOMENT}", f"max({MOMENT}", "watched"),
    Mutant("what is gone is missed for weeks", TOLD, SAME_5M, '"of", "yesterday"', '"of", "weeks"', "watched"),
    Mutant("yesterday's quietest moment is usual", TOLD, SAME_1H, "max(", "min(", "watched"),
    Mutant("weeks are one", TOLD, SAME_1H, '"week", "2"', '"week", "1"', "watched"),
]
GAUGE = 'age_seconds{job="api"}[59s999ms]'
ONE_BAD, OTHER_SIDE = "bad when any value in it is", "on the other side, too"
NO_VALUE, ANY_SERIES = "that is a number, is no event", "is enough, and they are one event"
FIVE_BAD, BAD_HOUR = "the outage alert ends with them", "a burn over 1h pages and resolves after 5m"
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
MUTANTS = [*SLICE_MUTANTS, *GROUP_MUTANTS, *ENTRY_MUTANTS, *WINDOW_MUTANTS, *USUAL_MUTANTS]


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_broken_rules_fail_their_behaviour_tests(mutant: Mutant, tmp_path: Path) -> None:
    """A rule without this detail is still a valid rule, and one of its own behaviour tests says that it is wrong."""
    judge(mutant, tmp_path)


@pytest.mark.parametrize("judging", JUDGES)
@pytest.mark.parametrize("spec", sorted({mutant.spec for mutant in MUTANTS}))
def test_the_rules_that_are_mutated_pass(spec: str, judging: str, tmp_path: Path) -> None:
    """Without a mutation the cases that notice them are green, so that red means the mutation."""
    pass_unbroken([mutant for mutant in MUTANTS if mutant.spec == spec], judging, tmp_path)
