"""`sereno validate`: every mistake of the specs, nothing written."""

from pathlib import Path

import click

from sereno_cli.exit_codes import ExitCode


@click.command(epilog="Example: sereno validate slo/specs/checkout.slo.yaml")
@click.argument("specs", nargs=-1, type=click.Path(path_type=Path), metavar="[SPEC…]")
@click.option("--settings", type=click.Path(path_type=Path), help="Defaults for all specs [the nearest sereno.yaml].")
@click.option("--prometheus", metavar="URL", help="Also ask this server whether the selectors match (not yet there).")
def command(specs: tuple[Path, ...], settings: Path | None, prometheus: str | None) -> ExitCode:
    """Check specs: syntax and meaning, every mistake at once with file:line:column and cure.

    Without SPEC all of slo/specs is checked. Exit code 2 means that there are mistakes.
    """
    from sereno_slo import has_errors, validate_specs

    from sereno_cli.specs import load_specs, print_diagnostics

    if prometheus:
        click.echo("sereno validate: --prometheus isn't implemented in this version; leave it out", err=True)
        return ExitCode.INVALID_INPUT
    loaded = load_specs(specs, settings)
    if loaded is None:
        return ExitCode.INVALID_INPUT
    validation = validate_specs(loaded.sources, loaded.settings)
    diagnostics = (*loaded.diagnostics, *validation.diagnostics)
    print_diagnostics(diagnostics)
    if has_errors(diagnostics):
        return ExitCode.INVALID_INPUT
    slos = sum(len(service.slos) for service in validation.services)
    services = len(validation.services)
    click.echo(f"valid: {services} service{'s'[: services != 1]}, {slos} SLO{'s'[: slos != 1]}")
    return ExitCode.OK
