"""`sereno dashboards lint`: dashboards by rules."""

from pathlib import Path

import click

from sereno_cli.exit_codes import ExitCode

_EPILOG = """\b
Examples:
  sereno dashboards lint
      all of dashboards/grafana/generated and dashboards/grafana/handwritten
  sereno dashboards lint dashboards/grafana/handwritten/logs.json exported.json
      one that was exported from Grafana, among ours: uids and titles must differ
  sereno dashboards lint --rules
      what is looked at
"""


@click.command(epilog=_EPILOG)
@click.argument("files", nargs=-1, type=click.Path(path_type=Path), metavar="[FILE]...")
@click.option("--rules", is_flag=True, help="Print the rules and their codes, and look at nothing.")
def command(*, files: tuple[Path, ...], rules: bool) -> ExitCode:
    """Look at Grafana dashboards by rules: data sources, units, texts, places, colours, queries.

    FILE are dashboards as Grafana exports them, or folders of such; without one, the repository's. Each mistake is told
    with its panel and its cure. The rules are those of Grafana's own dashboard-linter, as far as they make sense for
    any dashboard, and some of ours: texts for "no data", colours that red-green blind people can tell apart.

    Exit code 1 if a rule is broken, 2 if a file can't be read as a dashboard.
    """
    from sereno_slo.dashboards_check import RULES, lint

    from sereno_cli.dashboard_files import load_dashboards

    if rules:
        click.echo("\n".join(f"{code}  {rule}" for code, rule in RULES.items()))
        return ExitCode.OK
    documents = load_dashboards(files, "sereno dashboards lint")
    if documents is None:
        return ExitCode.INVALID_INPUT
    findings = lint(documents)
    for finding in findings:
        click.echo(str(finding), err=True)
    count = f"{len(documents)} dashboard{'s'[: len(documents) != 1]}"
    if not findings:
        click.echo(f"{count}: every rule is kept")
        return ExitCode.OK
    click.echo(f"{count}: {len(findings)} mistake{'s'[: len(findings) != 1]}", err=True)
    unreadable = any(finding.code == "DASH001" for finding in findings)
    return ExitCode.INVALID_INPUT if unreadable else ExitCode.ANSWER_IS_NO
