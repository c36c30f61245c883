"""Run something in the demo's world, and turn every outcome into an exit code with one line on standard error."""

import signal
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType

import click

from sereno_cli.demo.chapter import StoryFailed
from sereno_cli.demo.places import DemoError, ProgramMissing, find_clone
from sereno_cli.demo.world import NoSuchThing, World, running_world
from sereno_cli.exit_codes import ExitCode


def in_world(
    command: str,
    act: Callable[[World], ExitCode],
    *,
    state: Path | None,
    systems: Sequence[str],
    faults: Sequence[str],
    interrupted: ExitCode,
) -> ExitCode:
    """Start the world, let `act` work in it, end every part.

    Args:
        command: its name, for messages.
        act: what is done; its exit code is the answer.
        state: as `running_world`, and so are `systems` and `faults`.
        systems: see there.
        faults: see there.
        interrupted: the answer where somebody ends it.

    Raises:
        click.UsageError: a system or fault isn't there.
    """
    # SIGINT, too: a demo that a script starts in the background inherits it as ignored.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    try:
        clone = find_clone(Path.cwd())
        with running_world(clone, state, lambda line: click.echo(f"· {line}"), systems=systems, faults=faults) as world:
            return act(world)
    except KeyboardInterrupt:
        click.echo("\nended; every part is stopped")
        return interrupted
    except StoryFailed as error:
        return _told(command, error, ExitCode.ANSWER_IS_NO)
    except NoSuchThing as error:
        raise click.UsageError(str(error)) from None
    except (ProgramMissing, DemoError) as error:
        return _told(command, error, ExitCode.UNREACHABLE)


def _told(command: str, error: Exception, code: ExitCode) -> ExitCode:
    click.echo(f"sereno {command}: {error}", err=True)
    return code


def _interrupt(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - the signature of signal handlers
    raise KeyboardInterrupt
