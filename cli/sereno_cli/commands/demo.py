"""`sereno demo`: everything on this machine, until Ctrl-C, or once through the whole story."""

from pathlib import Path

import click

from sereno_cli.exit_codes import ExitCode


@click.command()
@click.option("--once", is_flag=True, help="Tell the story to its end by itself and exit: fault, page, draft.")
@click.option("--state", type=click.Path(path_type=Path, file_okay=False), help="Folder for all files [var/demo].")
@click.option(
    "--systems",
    metavar="NAME[,NAME…]",
    default="transactions-api",
    show_default=True,
    help="Which of the reference systems run, the first one's faults to try; all: every one of them.",
)
@click.option(
    "--fault",
    metavar="[SYSTEM/]NAME[,…]",
    default="",
    help="Which faults: of one system one after the other, of several side by side; all: every fault of those that run"
    " [the first system's first].",
)
def command(once: bool, state: Path | None, systems: str, fault: str) -> ExitCode:
    """Run everything locally on real Prometheus and Alertmanager.

    A service under load, its SLO rules compiled from slo/specs, its logs collected, pages received as incidents; the
    screen shows addresses and the live budget. Ctrl-C ends every part. All files are below var/demo.

    With --once a fault is injected; exit 0 only if the page, the end of the alert and the postmortem draft were really
    observed over HTTP (in at most 10 minutes). The draft is in var/demo/postmortems.

    \b
    Examples:
      sereno demo          watch, break, mend
      sereno demo --systems all
      sereno demo --once --systems transactions-api --fault subscriber-stuck
      sereno demo --once --systems all --fault etl/load-frozen,fitness/redis-gone
      sereno demo --once   fault, page, resolution, postmortem draft, figures
    """  # noqa: D301 - \b is click's mark for a block that keeps its lines
    from sereno_cli.demo.outcomes import in_world
    from sereno_cli.demo.story import tell_story
    from sereno_cli.demo.watch import watch
    from sereno_cli.demo.world import World

    names, faults = _listed(systems), _listed(fault)
    if not names:
        raise click.UsageError("--systems names none; leave it out for transactions-api alone")

    def act(world: World) -> ExitCode:
        if not once:
            watch(world)
        tell_story(world)
        return ExitCode.OK

    interrupted = ExitCode.ANSWER_IS_NO if once else ExitCode.OK
    return in_world("demo", act, state=state, systems=names, faults=faults, interrupted=interrupted)


def _listed(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())
