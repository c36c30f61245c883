"""The screen of `make demo`, renewed until Ctrl-C."""

import time
from typing import NoReturn

from rich.live import Live
from sereno_backends.prometheus import PrometheusClient, PrometheusError

from sereno_cli.demo.budget import BudgetNow, budgets
from sereno_cli.demo.screen import as_lines, console, screen
from sereno_cli.demo.world import World

_RENEWED_SECONDS = 2.0
_LINE_SECONDS = 30.0


def watch(world: World) -> NoReturn:
    """Show addresses and live budget; a part that dies ends it with `PartDied`. Ends by KeyboardInterrupt."""
    output = console()
    with PrometheusClient(world.addresses.url("prometheus")) as client:
        if not output.is_terminal:
            _print_lines(world, client)
        with Live(screen(world, ()), console=output, auto_refresh=False, screen=True, vertical_overflow="crop") as live:
            while True:
                world.supervisor.check()
                found, problem = _asked(world, client)
                live.update(screen(world, found, problem), refresh=True)
                time.sleep(_RENEWED_SECONDS)


def _asked(world: World, client: PrometheusClient) -> tuple[tuple[BudgetNow, ...], str]:
    try:
        return budgets(client, world.services), ""
    except PrometheusError as error:
        return (), str(error)


def _print_lines(world: World, client: PrometheusClient) -> NoReturn:
    """For a log or a pipe: the screen once, then a line now and then."""
    output = console()
    output.print(screen(world, _asked(world, client)[0]))
    last = 0.0
    while True:
        world.supervisor.check()
        if time.monotonic() - last > _LINE_SECONDS:
            found, problem = _asked(world, client)
            output.print(problem or as_lines(found), soft_wrap=True)
            last = time.monotonic()
        time.sleep(_RENEWED_SECONDS)
