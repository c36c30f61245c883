"""Do the generated behaviour tests notice broken alerts? Each mutant breaks one detail of one rule."""

from pathlib import Path

import pytest
from sereno_slo.conventions import MIN_BAD_EVENTS
from sereno_slo.policy import OUTAGE_Z
from support.mutants import JUDGES, SLO, Mutant, alert, judge, pass_unbroken

BURN = "SLOErrorBudgetBurn"
PAGE = alert(BURN, burn="fast", severity="critical")
SLOW_PAGE = alert(BURN, burn="slow", severity="critical")
TICKET = alert(BURN, burn="fast", severity="warning")
SLOW_TICKET = alert(BURN, burn="slow", severity="warning")
OUTAGE = alert(BURN, burn="outage")
GONE = alert("SLONoData", severity="critical")
NOTHING = alert("SLONoData", severity="warning")

IDLE = "idle is an error ratio of zero and no alert"
OUTAGE_PAGES = "the outage alert ends with it"
QUIET_OUTAGE = "a full outage of a quiet service pages after five minutes"
BURN_PAGES = "a burn over 1h pages and resolves after 5m"
SLOW_PAGES = "a burn over 6h pages and resolves after 30m"
TICKET_COMES = "a burn over 3d makes a ticket and resolves after 6h"
FEW, FEW_LONG = "hardly more than half is no outage", "few failures are no ticket"
CHANCE = "chance can bring are no ticket"
AFTER_A_BURN = "a single failure soon after a burn over 1h is no second one"
BOTS, RARE = "bots don't drown what fails within 1h", "what is rare is compared with itself within 1h"
IS_DOWN = "critical after five minutes, and resolves"
NO_BUCKET = "the threshold's bucket is a warning after fifteen minutes"
MATCHES_NOTHING = "a warning after fifteen minutes, not a page"

UP = 'up{job="api"}'
USUAL = f"last_over_time(sereno:events:expected5m{SLO}[10m])"
BAD_2M, BAD_5M, EVENTS_2M, EVENTS_5M = (
    f"sum_over_time(sereno:{name}:delta1m{SLO}[{window}])"
    for name in ("bad_events", "events")
    for window in ("1m59s999ms", "4m59s999ms")
)
COUNTED = f"(sereno:events:delta1m{SLO} and sereno:bad_events:delta1m{SLO})"


def _surely_most(bad: str, events: str) -> str:
    return f" and (({bad} - (0.5 * {events})) > ({OUTAGE_Z} * sqrt(0.25 * {events})))"


def _bad(window: str) -> str:
    return f"sereno:bad_events:{window}{SLO}"


def _slow(subject: str, window: str) -> str:
    return f"last_over_time(sereno:{subject}:{window}{SLO}[10m])"


def _most(window: str, slots: int) -> str:
    """Events that are evidence, of an alert on budget spent."""
    events = f"sereno:events:{window}{SLO}" if window == "1h" else _slow("events", window)
    most = f"(24 * ({slots} * {USUAL}))"
    return f"(({events} < {most}) or ({most} >= {1000 * MIN_BAD_EVENTS}) or {events})"


SURE_RATIO_3D = f" and ((sqrt({_slow('bad_events', '3d')}) - sqrt(0.001 * {_slow('events', '3d')})) > 1.29)"
SURE_SPENT_3D = f" and ((sqrt({_slow('bad_events', '3d')}) - sqrt(0.001 * {_most('3d', 864)})) > 1.29)"
BURN_MUTANTS = [
    Mutant(
        "budget: no short window", BURN_PAGES, PAGE, f"({_bad('5m')} > (0.0144 * (1 * {USUAL}))) and ", "", "budget"
    ),
    Mutant(
        "budget: no long window", BURN_PAGES, PAGE, f" and ({_bad('1h')} > (0.0144 * (12 * {USUAL})))", "", "budget"
    ),
    Mutant("budget: a tenth is enough", BURN_PAGES, PAGE, "0.0144 * (12", "0.00144 * (12", "budget"),
    Mutant("budget: four times as much is asked for", BURN_PAGES, PAGE, "0.0144", "0.0576", "budget"),
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
    Mutant("few bad events page", FEW, PAGE, f" and ({_bad('1h')} >= {MIN_BAD_EVENTS})", ""),
    Mutant("one bad event fewer pages", FEW, PAGE, f">= {MIN_BAD_EVENTS})", f">= {MIN_BAD_EVENTS - 1})"),
    Mutant(
        "few bad events are a ticket",
        FEW_LONG,
        SLOW_TICKET,
        f" and ({_slow('bad_events', '3d')} >= {MIN_BAD_EVENTS})",
        "",
    ),
    Mutant("what failed before pages once more", AFTER_A_BURN, PAGE, f" and ({_bad('5m')} >= 3)", "", "ratio"),
    # All but the slowest tier ask for so much more than the objective allows that a minimum of bad events is evidence.
    Mutant("a ticket without evidence, over 3d", CHANCE, SLOW_TICKET, SURE_RATIO_3D, "", "ratio"),
    Mutant("half of the evidence is enough", CHANCE, SLOW_TICKET, "> 1.29", "> 0.6"),
    Mutant("a ticket without evidence of spending", CHANCE, SLOW_TICKET, SURE_SPENT_3D, "", "budget"),
    Mutant("bots drown what fails", BOTS, PAGE, _most("1h", 12), f"sereno:events:1h{SLO}", "budget"),
    Mutant("bots are few", BOTS, PAGE, "24 *", "2400 *", "both"),
    Mutant(
        "what is rare is compared with what is usual", RARE, PAGE, f") >= {1000 * MIN_BAD_EVENTS})", ") >= 0)", "budget"
    ),
    Mutant("a ticket that outlives its cause", TICKET_COMES, SLOW_TICKET, _bad("6h"), _slow("bad_events", "3d")),
    Mutant("a ticket after a tenth", TICKET_COMES, SLOW_TICKET, "0.001 * (864", "0.0001 * (864", "budget"),
    Mutant("a slow page that never comes", SLOW_PAGES, SLOW_PAGE, "> 1.29", "> 1e9"),
    Mutant("an outage is any ratio", OUTAGE_PAGES, OUTAGE, _surely_most(BAD_2M, EVENTS_2M), ""),
    Mutant("an outage is any ratio of five minutes", OUTAGE_PAGES, OUTAGE, _surely_most(BAD_5M, EVENTS_5M), ""),
    Mutant("an outage is any ratio, in a burn", BURN_PAGES, OUTAGE, _surely_most(BAD_2M, EVENTS_2M), ""),
    Mutant("an outage is hardly more than half", FEW, OUTAGE, f"{OUTAGE_Z}", "0"),
    Mutant("an outage is nearly all", OUTAGE_PAGES, OUTAGE, "0.5 *", "0.999 *"),
    Mutant("an outage outlives its cause", OUTAGE_PAGES, OUTAGE, f"(0.5 * {EVENTS_5M})", f"(0.1 * {EVENTS_5M})"),
    Mutant("an outage of a quiet service is none", QUIET_OUTAGE, OUTAGE, "4m59s999ms", "1m59s999ms"),
    Mutant("few bad events are an outage", FEW, OUTAGE, f" and ({BAD_2M} >= 100)", "", "many"),
    Mutant("few bad events of five minutes are an outage", FEW, OUTAGE, f" and ({BAD_5M} >= 100)", "", "many"),
]
OWN_TICKET = "a burn over 40m makes a ticket and resolves after 7m"
OWN_PAGE = "a burn over 2d pages and resolves after 12m"
OWN_MUTANTS = [
    Mutant("own: no short window", OWN_TICKET, TICKET, _bad("7m"), _bad("40m"), "own"),
    Mutant("own: no long window", OWN_TICKET, TICKET, f"{_bad('40m')} > (", f"{_bad('40m')} > (0.01 * ", "own"),
    Mutant("own: another length", OWN_TICKET, TICKET, "(8 * ", "(80 * ", "own"),
    Mutant("own: a page that comes late", OWN_PAGE, PAGE, "(576 * ", "(5760 * ", "own"),
    Mutant("own: a page that outlives its cause", OWN_PAGE, PAGE, _bad("12m"), _slow("bad_events", "2d"), "own"),
]
NO_DATA_MUTANTS = [
    Mutant("gone is nothing", "no target at all is critical after five minutes", GONE, " or vector(0)", ""),
    Mutant("gone is down for no time", IS_DOWN, GONE, "5m", "0s", field="for"),
    Mutant("gone is down for long", IS_DOWN, GONE, "5m", "15m", field="for"),
    Mutant("down is up", IS_DOWN, GONE, f"{UP} == 1", UP),
    Mutant("nothing is counted at once", MATCHES_NOTHING, NOTHING, "15m", "5m", field="for"),
    Mutant("nothing is counted late", MATCHES_NOTHING, NOTHING, "15m", "30m", field="for"),
    Mutant("everything is nothing", IDLE, NOTHING, f" unless on () {COUNTED}", ""),
    Mutant("a missing bucket is no warning", NO_BUCKET, NOTHING, COUNTED, f"sereno:events:delta1m{SLO}", "latency"),
]
EXHAUSTED, SPENT = alert("SLOBudgetExhausted"), "is a ticket, and none when some is back"
LEFT, BAD_IN_WINDOW = _slow("error_budget_remaining", "ratio"), _slow("bad_events", "window")
TOLD = "traffic that stays away is told, less of it or of little is not"
DROP = alert("SLOTrafficDrop")
PAGE_OF_SHADOW = alert(BURN, burn="fast", shadow="critical")


def _dropped(window: str) -> str:
    return f"(sereno:events:{window}{SLO} < (0.05 * last_over_time(sereno:events:same_hour{window}{SLO}[10m])))"


TOLD_MUTANTS = [
    Mutant("exhausted before it is", SPENT, EXHAUSTED, f"{LEFT} <= 0", f"{LEFT} <= 0.5"),
    Mutant("exhausted never", SPENT, EXHAUSTED, f"{LEFT} <= 0", f"{LEFT} <= -1"),
    Mutant("exhausted for ever", SPENT, EXHAUSTED, f"({LEFT} <= 0) and ", ""),
    Mutant("exhausted by few", FEW_LONG, EXHAUSTED, f" and ({BAD_IN_WINDOW} >= {MIN_BAD_EVENTS})", ""),
    Mutant("exhausted by slices for ever", "an exhausted budget is a ticket", EXHAUSTED, "<= 0", "<= -1e9", "probe"),
    Mutant("a drop of five minutes isn't told", TOLD, DROP, _dropped("5m"), "vector(0) > 1", "watched"),
    Mutant("a drop of an hour isn't told", TOLD, DROP, _dropped("1h"), "vector(0) > 1", "watched"),
    Mutant("less traffic is a drop", TOLD, DROP, "< (0.05 *", "< (0.1 *", "watched"),
    Mutant("little traffic is judged", TOLD, DROP, ">= 30", ">= 29", "watched"),
    Mutant("more traffic has to be usual", TOLD, DROP, ">= 30", ">= 31", "watched"),
    Mutant("a drop is told at once", TOLD, DROP, "5m", "0s", "watched", "for"),
    Mutant("a shadow pages", BURN_PAGES, PAGE_OF_SHADOW, "info", "critical", "shadow", "severity"),
    Mutant("a shadow isn't told from an alert", BURN_PAGES, PAGE_OF_SHADOW, "critical", "", "shadow", "shadow"),
]
OF_ONE = "a burn of one group by route over 1h alerts for this group only"
OUT = "an outage of one group by route pages for this group only"
OF_GROUPS = {"grouped_by": "route"}
GROUP_PAGE, GROUP_OUTAGE = (
    alert(BURN, burn="fast", severity="critical", **OF_GROUPS),
    alert(BURN, burn="outage", **OF_GROUPS),
)
GROUP_MUTANTS = [
    Mutant(
        "groups burn what the whole does",
        OF_ONE,
        GROUP_PAGE,
        "sereno:group_bad_events:5m",
        "sereno:bad_events:5m",
        "group alerts",
    ),
    Mutant(
        "groups are compared with the whole",
        OF_ONE,
        GROUP_PAGE,
        "sereno:group_events:expected5m",
        "sereno:events:expected5m",
        "group alerts",
    ),
    Mutant("groups alert after a tenth", OF_ONE, GROUP_PAGE, "0.0144 * (12", "0.00144 * (12", "group alerts"),
    Mutant("groups' outages are the whole's", OUT, GROUP_OUTAGE, "sereno:group_", "sereno:", "group alerts"),
    Mutant("groups alert as the whole", OUT, GROUP_OUTAGE, "route", "", "group alerts", "grouped_by"),
    Mutant("groups' outages don't end", OUT, GROUP_OUTAGE, "1m59s999ms", "20m", "group alerts"),
]
MUTANTS = [*BURN_MUTANTS, *OWN_MUTANTS, *NO_DATA_MUTANTS, *TOLD_MUTANTS, *GROUP_MUTANTS]


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_broken_rules_fail_their_behaviour_tests(mutant: Mutant, tmp_path: Path) -> None:
    """A rule without this detail is still a valid rule, and one of its own behaviour tests says that it is wrong."""
    judge(mutant, tmp_path)


@pytest.mark.parametrize("judging", JUDGES)
@pytest.mark.parametrize("spec", sorted({mutant.spec for mutant in MUTANTS}))
def test_the_rules_that_are_mutated_pass(spec: str, judging: str, tmp_path: Path) -> None:
    """Without a mutation the cases that notice them are green, so that red means the mutation."""
    pass_unbroken([mutant for mutant in MUTANTS if mutant.spec == spec], judging, tmp_path)
