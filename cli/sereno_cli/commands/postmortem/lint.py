"""`sereno postmortem lint`: tell what is missing in postmortems."""

from pathlib import Path

import click

from sereno_cli.exit_codes import ExitCode
from sereno_cli.postmortem_files import TEMPLATE, files_to_read


@click.command()
@click.argument("files", nargs=-1, metavar="[FILE…]", type=click.Path(path_type=Path))
def command(files: tuple[Path, ...]) -> ExitCode:
    """Tell what is missing in postmortems: told places without an answer, actions without owner, date or kind.

    \b
    sereno postmortem lint                                  all of postmortems/
    sereno postmortem lint postmortems/2026-11-22-checkout-availability.md

    A folder stands for the Markdown files below it. README.md and templates are skipped. Each finding is a line
    `path:line:column: error[PM009]: what (what to write instead)`; docs/postmortems.md lists the codes.

    Exit codes: 0 nothing is missing, 1 something is, 2 a named file isn't there.
    """  # noqa: D301 - \b is click's mark for a block that keeps its lines
    from sereno_postmortems.questions import QUESTIONS
    from sereno_postmortems.review import lint, read_postmortem

    paths = files_to_read(files)
    if paths is None:
        return ExitCode.INVALID_INPUT
    count = 0
    for path in paths:
        # A team with a template of its own may ask other questions: then those that are there need an answer.
        questions = () if (path.parent / TEMPLATE).exists() else QUESTIONS
        for finding in lint(read_postmortem(path), questions=questions):
            click.echo(str(finding))
            count += 1
    words = f"{count} finding{'' if count == 1 else 's'}" if count else "nothing is missing"
    click.echo(f"postmortem: {words} in {len(paths)} file{'' if len(paths) == 1 else 's'}", err=True)
    return ExitCode.ANSWER_IS_NO if count else ExitCode.OK
