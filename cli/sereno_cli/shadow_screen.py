"""What `sereno shadow report` prints."""

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from sereno_slo.shadow import Difference, Report


def print_report(one: "Report") -> None:
    """Counts, what is missing to compare at all, and each difference with its reasons."""
    from sereno_slo.backtest import wording
    from sereno_slo.backtest.asking import written

    slo = one.slo
    click.echo(f"{slo.service}/{slo.name}: {written(one.begin_ms)} to {written(one.end_ms)}")
    minutes = (one.end_ms - one.begin_ms) // 60_000
    if not one.ledger_minutes:
        click.echo("  Sereno's ledger isn't recorded here: load its rules first (sereno compile)")
    elif one.ledger_minutes < minutes:
        click.echo(
            f"  Sereno's ledger has {wording.count(one.ledger_minutes)} of {wording.count(minutes)} minutes: "
            "where it has none, Sereno told nothing"
        )
    if not one.theirs:
        click.echo(f"  {one.rival} told nothing; if it should have, see --rules, --their-service and --their-slo")
    click.echo(f"  Sereno told {one.ours}, {one.rival} {one.theirs}; {len(one.pairs)} of Sereno's are in both")
    for ours, theirs in one.pairs:
        later = (theirs.begin_ms - ours.begin_ms) / 60_000
        when = "at once" if not later else f"{wording.minutes(abs(later))} {'before' if later > 0 else 'after'} it"
        click.echo(f"  = {ours.kind} {written(ours.begin_ms)}: both; Sereno {when}")
    for difference in one.differences:
        _print_difference(one, difference)


def _print_difference(one: "Report", difference: "Difference") -> None:
    from sereno_slo.backtest import wording
    from sereno_slo.backtest.asking import written

    told, figures = difference.told, difference.figures
    who, other = ("Sereno", one.rival) if difference.is_ours else (one.rival, "Sereno")
    lasted = wording.minutes((told.end_ms - told.begin_ms) / 60_000)
    meanwhile = f"; {other} told the other kind meanwhile" if difference.other_kind else ""
    click.echo(
        f"  {'+' if difference.is_ours else '-'} {told.kind} {written(told.begin_ms)}, {lasted}: only {who}{meanwhile}"
    )
    if figures.events is None or figures.bad_events is None:
        click.echo("      nothing is recorded of that time")
        return
    click.echo(
        f"      {wording.count(figures.events)} events, {wording.count(figures.bad_events)} bad "
        f"({wording.percent(figures.error_ratio, 2)}), {wording.percent(figures.budget_spent_ratio)} of the budget"
    )
    for rule, conditions in difference.reasons.items():
        lacked = "; ".join(map(str, conditions)) or "its conditions held on Sereno's counts"
        click.echo(f"      {other} {rule}: {lacked}")
