"""`sereno schema`: the grammar of specs as a JSON Schema."""

import click

from sereno_cli.exit_codes import ExitCode

_EPILOG = """\b
Example:
  sereno schema > slo/schema/sereno-v1.schema.json
Then the first line of a spec tells the editor (docs/spec.md):
  # yaml-language-server: $schema=../schema/sereno-v1.schema.json
"""


@click.command(epilog=_EPILOG)
def command() -> ExitCode:
    """Print the JSON Schema of specs: editors complete keys with it and underline mistakes."""
    from sereno_slo.schema import schema_text

    click.echo(schema_text(), nl=False)
    return ExitCode.OK
