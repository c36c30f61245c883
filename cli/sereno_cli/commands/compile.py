"""`sereno compile`: from specs to rules, behaviour tests, dashboards, runbooks, template and bucket bounds."""

import gc
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sereno_cli.exit_codes import ExitCode

if TYPE_CHECKING:
    from sereno_slo import Order

    from sereno_cli.specs import LoadedSpecs

_EPILOG = """\b
Examples:
  sereno compile                              the repository: slo/specs → alerting/, dashboards/, runbooks/, …
  sereno compile --check                      do the committed files say what the specs say?
  sereno compile checkout.slo.yaml --out DIR  one spec → DIR/rules, DIR/tests, DIR/dashboards, …
  sereno compile --only rules --only tests    rules and their tests alone
  sereno compile --only rules --format operator --out DIR
                                              PrometheusRule objects → DIR/rules, for kubectl apply -f
"""
# The kinds of files; written here so that `--help` needs no compiler (tests compare).
KINDS = ("alertmanager", "buckets", "dashboards", "datasources", "postmortem-template", "rules", "runbooks", "tests")
# The engines' forms of rules, for the same reason.
FORMATS = ("prometheus", "operator", "mimir", "vmalert")


@click.command(epilog=_EPILOG)
@click.argument("specs", nargs=-1, type=click.Path(path_type=Path), metavar="[SPEC…]")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), metavar="DIR", help="Write into this folder.")
@click.option("--check", is_flag=True, help="Write nothing; exit 1 when files differ from the specs.")
@click.option(
    "--only",
    multiple=True,
    type=click.Choice(KINDS),
    metavar="KIND",
    help=f"Only files of this kind, may be repeated: {', '.join(KINDS)}.",
)
@click.option(
    "--format",
    "format_",
    type=click.Choice(FORMATS),
    default="prometheus",
    show_default=True,
    help="For whom rules are written: PrometheusRule objects, mimirtool, Debian's vmalert (docs/engines.md).",
)
@click.option("--settings", type=click.Path(path_type=Path), help="Defaults for all specs [the nearest sereno.yaml].")
@click.option(
    "--no-cache",
    is_flag=True,
    help="Compile unchanged specs, too; else 20 specs or more are remembered in .sereno_cache.",
)
@click.option("--jobs", type=click.IntRange(1, 64), metavar="N", help="Processes [as many as keep busy].")
def command(
    *,
    specs: tuple[Path, ...],
    out: Path | None,
    check: bool,
    only: tuple[str, ...],
    format_: str,
    settings: Path | None,
    no_cache: bool,
    jobs: int | None,
) -> ExitCode:
    """Compile specs into alert rules, behaviour tests, dashboards, runbooks, template and bucket bounds.

    Without SPEC all of slo/specs is compiled; without --out into the repository's layout. Generated files are
    overwritten, scaffolds (runbooks, template) are written once. A spec with mistakes writes nothing and exits 2.
    Specs of Sloth, OpenSLO and Pyrra are taken as they are (see sereno convert).

    With another --format than prometheus no tests are written, as promtool reads that one only, and the repository's
    rules go to alerting/FORMAT/generated.
    """
    with _everything_is_kept():
        if format_ != "prometheus" and "tests" in only:
            message = (
                f"sereno compile: promtool tests no rules in the form {format_}; leave --format or --only tests out"
            )
            click.echo(message, err=True)
            return ExitCode.INVALID_INPUT
        from sereno_cli.specs import load_specs

        loaded = load_specs(specs, settings)
        if loaded is None or (out is None and not _belongs_to_repository(specs, loaded)):
            return ExitCode.INVALID_INPUT
        order = _order(loaded, out, only, format_)
        return _check(loaded, order, jobs) if check else _write(loaded, order, jobs, has_memory=not no_cache)


@contextmanager
def _everything_is_kept() -> Iterator[None]:
    """What a compilation makes is needed until it ends: looking for garbage takes time and finds none."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _order(loaded: "LoadedSpecs", out: Path | None, only: Sequence[str], format_: str) -> "Order":
    from sereno_slo import FOLDER, Order, RuleFormat
    from sereno_slo.render.artefact import Kind
    from sereno_slo.render.layout import repository_layout

    rule_format = RuleFormat(format_)
    layout, root = (repository_layout(rule_format), loaded.root) if out is None else (FOLDER, out)
    # promtool's tests name Prometheus' own rule files.
    possible = set(Kind) if rule_format is RuleFormat.PROMETHEUS else set(Kind) - {Kind.TESTS}
    kinds = frozenset(kind for kind in possible if not only or kind.label in only)
    is_complete = out is not None or loaded.is_complete
    return Order(loaded.settings, layout, root, kinds, is_complete, are_all=loaded.are_all, rule_format=rule_format)


def _belongs_to_repository(specs: Sequence[Path], loaded: "LoadedSpecs") -> bool:
    from sereno_cli.specs import SPECS_FOLDER, resolved

    folder = resolved(loaded.root / SPECS_FOLDER)
    # What isn't there has a diagnostic of its own; os.path, as pathlib's exists raises where a name is too long.
    there = [spec for spec in specs if os.path.exists(spec)]  # noqa: PTH110
    outside = [spec for spec in there if folder not in (resolved(spec), *resolved(spec).parents)]
    if outside:
        click.echo(
            f"sereno compile: {outside[0]} is not in {SPECS_FOLDER}; say where to write with --out DIR", err=True
        )
    return not outside


def _check(loaded: "LoadedSpecs", order: "Order", jobs: int | None) -> ExitCode:
    from sereno_slo import check, has_errors, processes_for

    from sereno_cli.specs import print_diagnostics

    processes = jobs or processes_for(len(loaded.sources), order.kinds)
    try:
        with _progress(len(loaded.sources)) as progress:
            checked = check(loaded.sources, order, before=loaded.diagnostics, processes=processes, progress=progress)
    except OSError as error:
        click.echo(f"sereno compile: {error.filename or order.root}: {error.strerror}", err=True)
        return ExitCode.INVALID_INPUT
    print_diagnostics(checked.diagnostics)
    if has_errors(checked.diagnostics):
        return ExitCode.INVALID_INPUT
    found = checked.differences
    for difference in found:
        click.echo(f"{difference.path}: {difference.what}", err=True)
    if found:
        strays = " and delete strays" if not order.layout.is_exclusive and any("stray" in d.what for d in found) else ""
        cure = f"run sereno compile{strays}"
        click.echo(f"{len(found)} of {checked.files} files are not what the specs say; {cure}", err=True)
        return ExitCode.ANSWER_IS_NO
    click.echo(f"{checked.files} files are what the specs say")
    return ExitCode.OK


def _write(loaded: "LoadedSpecs", order: "Order", jobs: int | None, *, has_memory: bool) -> ExitCode:
    from sereno_slo import build, processes_for

    from sereno_cli.specs import print_diagnostics

    try:
        with _progress(len(loaded.sources)) as progress:
            built = build(
                loaded.sources,
                order,
                before=loaded.diagnostics,
                processes=jobs or processes_for(len(loaded.sources), order.kinds),
                has_memory=has_memory and len(loaded.sources) >= _SPECS_WORTH_REMEMBERING,
                progress=progress,
            )
    except OSError as error:
        click.echo(f"sereno compile: {error.filename or order.root}: {error.strerror}; nothing was replaced", err=True)
        return ExitCode.INVALID_INPUT
    print_diagnostics(built.diagnostics)
    if built.written is None:
        return ExitCode.INVALID_INPUT
    changed, removed = built.written.changed, built.written.removed
    lines = [*(f"wrote {path}" for path in changed), *(f"removed {path}" for path in removed)]
    lines.append(f"{len(changed)} files written, {built.written.unchanged} up to date, {len(removed)} removed")
    click.echo("\n".join(lines))
    return ExitCode.OK


# Fewer are compiled in a moment, and leave no folder behind that isn't a result.
_SPECS_WORTH_REMEMBERING = 20
# Shorter runs need no explanation of what they wait for.
_SILENT_SECONDS = 1.0
_PAUSE_SECONDS = 0.2


@contextmanager
def _progress(specs: int) -> Iterator[Callable[[int], None]]:
    """How far a long run is, on a terminal's standard error; the line is gone when the run ends."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    next_at = time.monotonic() + _SILENT_SECONDS
    is_shown = False

    def show(done: int) -> None:
        nonlocal next_at, is_shown
        if time.monotonic() >= next_at:
            next_at, is_shown = time.monotonic() + _PAUSE_SECONDS, True
            click.echo(f"\r{min(done, specs):,} of {specs:,} specs", nl=False, err=True)

    try:
        yield show
    finally:
        if is_shown:
            click.echo("\r\033[K", nl=False, err=True)
