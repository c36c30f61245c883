"""`sereno drill SYSTEM FAULT`: an alarm drill on a reference system, with a report of what was measured."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sereno_cli.exit_codes import ExitCode

if TYPE_CHECKING:
    from sereno_cli.demo.world import World

DEFAULT_OUT = Path("var/drills")


@click.command()
@click.argument("system")
@click.argument("fault")
@click.option(
    "--hold",
    "hold_seconds",
    type=click.FloatRange(0, 1800),
    default=360.0,
    show_default=True,
    metavar="SECONDS",
    help="How long the fault stays on at least: one incident is one page, though nobody mends it.",
)
@click.option(
    "--page-within",
    "page_seconds",
    type=click.FloatRange(1, 1800),
    default=180.0,
    show_default=True,
    metavar="SECONDS",
    help="What is expected from the fault to the page.",
)
@click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), help=f"Folder for the report. [default: {DEFAULT_OUT}]"
)
@click.option("--state", type=click.Path(path_type=Path, file_okay=False), help="Folder for all files [var/drill].")
def command(  # noqa: PLR0917 - click passes them by name
    system: str, fault: str, hold_seconds: float, page_seconds: float, out: Path | None, state: Path | None
) -> ExitCode:
    """Break a system of the demo, and see whether somebody would hear of it, in time and once.

    SYSTEM is one of systems/, run in full with everything that watches it; FAULT is one of its faults. The alert has
    to be the expected one, its page to arrive in time, nothing else may page while the fault stays on, it has to
    resolve after the cure, and the postmortem's draft has to be there. The report is Markdown; its name goes to
    standard output.

    \b
      sereno drill etl database-stopped
      sereno drill fitness redis-gone --page-within 300
      sereno drill transactions-api errors --hold 0      # mended as soon as it has paged

    Exit codes: 0 as expected, 1 not as expected (the report says what), 2 no such system or fault, 3 a part is missing.
    """  # noqa: D301 - \b is click's mark for a block that keeps its lines
    from sereno_cli.demo.drill_report import Drill, is_as_expected, report
    from sereno_cli.demo.outcomes import in_world
    from sereno_cli.demo.places import find_clone
    from sereno_cli.demo.story import tell_drill
    from sereno_cli.demo.systems import FULL, full_ids

    root = find_clone(Path.cwd())
    folder, began = out or root / DEFAULT_OUT, datetime.now(UTC)
    name = next((each for each in full_ids(root) if each.removesuffix(FULL) == system.removesuffix(FULL)), system)

    def act(world: "World") -> ExitCode:
        chapter, failure = tell_drill(world, hold_seconds=hold_seconds, page_seconds=page_seconds)
        drill = Drill.of(chapter, failure, page_seconds=page_seconds, hold_seconds=hold_seconds)
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{began:%Y-%m-%dT%H%M%S}-{system.removesuffix(FULL)}-{fault}.md"
        path.write_text(report(drill), encoding="utf-8")
        click.echo(path)
        return ExitCode.OK if is_as_expected(drill) else ExitCode.ANSWER_IS_NO

    return in_world(
        "drill",
        act,
        state=state or root / "var" / "drill",
        systems=[name],
        faults=[fault],
        interrupted=ExitCode.ANSWER_IS_NO,
    )
