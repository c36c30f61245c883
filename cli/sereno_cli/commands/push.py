"""`sereno push`: the rules of specs into the ruler of a Mimir or Cortex, tenant by tenant."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sereno_cli.exit_codes import ExitCode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sereno_backends.ruler import Access, RulerClient
    from sereno_slo.pushing import Namespaces, Pushed

_EPILOG = """\b
Examples:
  sereno push --ruler https://mimir.example.org --tenant shop --dry-run
      what would change? Exit code 1 when anything would
  sereno push --ruler https://mimir.example.org --tenant shop --tenant shop-staging
      all specs of the repository, for two tenants
  sereno push checkout.slo.yaml --ruler https://cortex.example.org --path /api/v1/rules --token-file TOKEN
      one service, on a Cortex behind a gateway
"""


class PushRefused(Exception):  # noqa: N818 - reads as what happened
    """The arguments can't be used; the message says why and what to write."""


@click.command(epilog=_EPILOG)
@click.argument("specs", nargs=-1, type=click.Path(path_type=Path), metavar="[SPEC…]")
@click.option("--ruler", "url", required=True, metavar="URL", help="The server whose ruler evaluates the rules.")
@click.option(
    "--path", metavar="PATH", help="The API's path there [/prometheus/config/v1/rules; Cortex: /api/v1/rules]."
)
@click.option("--tenant", "tenants", multiple=True, metavar="ID", help="X-Scope-OrgID; may be repeated.")
@click.option(
    "--namespace", metavar="NAME", help="Namespaces are NAME-<service> [sereno.yaml's mimir.namespace: sereno]."
)
@click.option("--prune", is_flag=True, help="Remove Sereno's groups of services that no spec describes, too.")
@click.option("--dry-run", is_flag=True, help="Only say what would change; exit 1 when anything would.")
@click.option("--token-file", type=click.Path(path_type=Path), help="A file with the bearer token.")
@click.option("--user", metavar="NAME", help="User for basic authentication.")
@click.option("--password-file", type=click.Path(path_type=Path), help="A file with that user's password.")
@click.option("--ca-file", type=click.Path(path_type=Path), help="Certificates to trust instead of the system's.")
@click.option("--settings", type=click.Path(path_type=Path), help="Defaults for all specs [the nearest sereno.yaml].")
def command(  # noqa: PLR0917 - click passes them by name
    specs: tuple[Path, ...],
    url: str,
    path: str | None,
    tenants: tuple[str, ...],
    namespace: str | None,
    prune: bool,
    dry_run: bool,
    token_file: Path | None,
    user: str | None,
    password_file: Path | None,
    ca_file: Path | None,
    settings: Path | None,
) -> ExitCode:
    """Bring rules into the ruler of a Mimir or Cortex: what differs is said, and only that is sent.

    A second push sends nothing. Only groups that Sereno made are ever removed: those of the pushed services that
    their specs no longer give, with --prune those of other services as well.

    Exit codes: 1 when the ruler doesn't take a group, 3 when it can't be reached or refuses to talk. Thanos' ruler and
    vmalert have no such API: they read files (docs/engines.md).
    """
    from sereno_backends.ruler import MIMIR_PATH, Access, RulerAccessInvalid
    from sereno_slo.pushing import groups_of_services

    from sereno_cli.specs import repository_root, valid_specs

    valid = valid_specs(specs, settings)
    if valid is None:
        return ExitCode.INVALID_INPUT
    is_part = bool(specs) and not valid.loaded.is_complete and repository_root() is not None
    if prune and is_part:
        click.echo("sereno push: --prune would remove the services that you haven't named; leave SPEC out", err=True)
        return ExitCode.INVALID_INPUT
    chosen = replace(valid.settings, mimir_namespace=namespace or valid.settings.mimir_namespace)
    try:
        access = Access(
            url,
            path or MIMIR_PATH,
            token=_secret(token_file),
            user=_user(user, token_file, password_file),
            password=_secret(password_file),
            ca_file=str(ca_file) if ca_file else None,
        )
        clients = _clients(access, tenants)
    except (PushRefused, RulerAccessInvalid) as error:
        click.echo(f"sereno push: {error}", err=True)
        return ExitCode.INVALID_INPUT
    wanted = groups_of_services(valid.services, chosen)
    elsewhere = frozenset(neighbour.service for neighbour in chosen.neighbours)
    order = Order(wanted, chosen.mimir_namespace, prune, is_part, dry_run, elsewhere)
    return max([_one_tenant(client, tenant, order) for tenant, client in clients])


@dataclass(frozen=True, slots=True)
class Order:
    """What every tenant shall have."""

    wanted: "Namespaces"
    prefix: str
    prunes: bool
    is_part: bool
    """Whether the repository has more specs than were named."""
    is_dry: bool
    elsewhere: frozenset[str]
    """Services that another repository pushes."""


def _clients(access: "Access", tenants: "Sequence[str]") -> "list[tuple[str | None, RulerClient]]":
    """One for each tenant, in the order of the arguments; made at once, so that a wrong one stops all."""
    from sereno_backends.ruler import RulerClient

    return [(tenant, RulerClient(replace(access, tenant=tenant))) for tenant in dict.fromkeys(tenants) or [None]]


def _user(user: str | None, token_file: Path | None, password_file: Path | None) -> str | None:
    if user and token_file:
        raise PushRefused("--user and --token-file are two ways to say who you are; leave one out")
    if bool(user) != bool(password_file):
        raise PushRefused("--user and --password-file belong together")
    return user


def _secret(file: Path | None) -> str | None:
    """The file's text without the line end that editors add."""
    if file is None:
        return None
    try:
        text = file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise PushRefused(f"{file} can't be read: {getattr(error, 'strerror', None) or 'it is no text'}") from error
    if not text:
        raise PushRefused(f"{file} is empty")
    return text


def _one_tenant(client: "RulerClient", tenant: str | None, order: Order) -> ExitCode:
    from sereno_backends.ruler import RulerError
    from sereno_slo.pushing import differences, push

    from sereno_cli.push_screen import print_differences, print_pushed, progress

    whose = f"tenant {tenant}" if tenant is not None else client.name
    with client:
        try:
            found = differences(
                order.wanted, client.groups(), order.prefix, prunes=order.prunes, elsewhere=order.elsewhere
            )
        except RulerError as error:
            click.echo(f"sereno push: {whose}: {error}; nothing was pushed", err=True)
            return ExitCode.UNREACHABLE
        print_differences(whose, found, is_dry=order.is_dry, is_part=order.is_part)
        if order.is_dry or not found.changes:
            return ExitCode.ANSWER_IS_NO if found.changes else ExitCode.OK
        with progress(len(found.changes)) as show:
            pushed = push(client, found, show)
        print_pushed(whose, pushed)
        return _code(client, whose, pushed, order)


def _code(client: "RulerClient", whose: str, pushed: "Pushed", order: Order) -> ExitCode:
    """Looks once more: an old ruler drops what it doesn't know without a word."""
    from sereno_backends.ruler import RulerError
    from sereno_slo.pushing import differences

    from sereno_cli.push_screen import print_not_kept

    if pushed.failure:
        return ExitCode.UNREACHABLE
    if pushed.refused:
        return ExitCode.ANSWER_IS_NO
    try:
        after = differences(order.wanted, client.groups(), order.prefix, prunes=False)
    except RulerError as error:
        click.echo(f"sereno push: {whose}: pushed, but what the ruler has now is unknown: {error}", err=True)
        return ExitCode.UNREACHABLE
    print_not_kept(whose, after)
    return ExitCode.ANSWER_IS_NO if after.changes else ExitCode.OK
