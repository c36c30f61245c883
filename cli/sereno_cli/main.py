"""The entry point: finds the command, runs it, turns every outcome into an exit code without a traceback."""

import errno
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, ClassVar, NoReturn

import click

from sereno_cli.exit_codes import ExitCode
from sereno_cli.lazy_group import LazyGroup

# command → (module below sereno_cli.commands, one line of help). The help stands here so that `sereno --help`
# imports none of the commands: it must answer in under 0.2 s.
COMMANDS: dict[str, tuple[str, str]] = {
    "alerting": ("alerting", "Try who is told what on a real Alertmanager: cases of routes, inhibition, hours."),
    "alertmanager": ("alertmanager", "Generate Alertmanager's configuration from teams and specs."),
    "backfill": ("backfill", "Repair the ledger from raw samples: new SLOs, missed evaluations, long gaps."),
    "budget": ("budget", "How all budgets stand; with --gate, whether a deployment may go on."),
    "backtest": ("backtest", "Replay a spec over recorded history: the pages that it would have sent."),
    "collect": ("collect", "Collect logs, or DevOps events by webhooks."),
    "compile": ("compile", "Compile SLO specs into rules, tests, dashboards, runbooks and templates."),
    "convert": ("convert", "Convert specs of Sloth, OpenSLO and Pyrra to sereno/v1."),
    "dashboards": ("dashboards", "Look after Grafana's dashboards: rules, empty panels, folders by owner."),
    "demo": ("demo", "Run everything locally on real Prometheus and Alertmanager."),
    "dora": ("dora", "Tell how deliveries go: DORA's figures from DevOps events, and why a deployment failed."),
    "drill": ("drill", "Break a system of the demo, measure page and resolution, write the report."),
    "exclude": ("exclude", "Write time that doesn't count into a spec, with author and reason."),
    "explain": ("explain", "Tell where an SLO's numbers come from: who spent the budget, when, what comes back."),
    "exporter": ("exporter", "Serve metrics of what has none: databases' rows, queues, quotas, deployments."),
    "handover": ("handover", "Print the shift's summary for the next person: open incidents first."),
    "incidents": ("incidents", "Receive pages, keep incident records, write down what people do about them."),
    "kubernetes": ("kubernetes", "Bring rules and dashboards into a cluster; see whether its Prometheus has them."),
    "logs": ("logs", "Search the logs; see after the store's health and life cycle."),
    "new": ("new", "Write a first spec from a template: HTTP API, gRPC, Istio, queue worker, …"),
    "plan": ("plan", "Tell what a change of SLO specs does, before it is merged."),
    "portal": ("portal", "Serve the pages for people without Grafana at hand."),
    "postmortem": ("postmortem", "Draft a postmortem from measured evidence, lint it, list its open actions."),
    "push": ("push", "Bring rules into the ruler of a Mimir or Cortex: differences first, then only those."),
    "reconcile": ("reconcile", "Prove that no log document is lost or double, or name which ones."),
    "runbook": ("runbook", "Print an alert's runbook with the incident's labels filled in."),
    "schema": ("schema", "Print the JSON Schema of specs, for editors."),
    "shadow": ("shadow", "Compare Sereno's alerts with those of the rules that you have."),
    "validate": ("validate", "Check SLO specs: syntax and meaning; with a server, what alerts can see."),
}


@contextmanager
def _while_somebody_reads() -> Iterator[None]:
    """`sereno … | head` closed its end: what was wanted was read. click would exit with 1, which here means "no"."""
    try:
        yield
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is still buffered has to go somewhere
        raise click.exceptions.Exit(ExitCode.OK) from None


class LazyCommands(LazyGroup):
    """All commands; a reader who goes away in the middle is no error."""

    modules: ClassVar = {name: (f"sereno_cli.commands.{module}", line) for name, (module, line) in COMMANDS.items()}

    def make_context(self, *args: Any, **kwargs: Any) -> click.Context:
        """Read the arguments; `--help` prints here."""
        with _while_somebody_reads():
            return super().make_context(*args, **kwargs)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        with _while_somebody_reads():
            return super().invoke(ctx)


@click.group(cls=LazyCommands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="sereno", prog_name="sereno")
def root() -> None:
    """Sereno: from one YAML file per service to a team that sleeps well.

    \b
    sereno compile                         compile slo/specs into the repository's layout
    sereno compile my.slo.yaml --out DIR   compile one spec into a folder
    sereno validate my.slo.yaml            report every mistake with file:line:column and cure
    sereno demo --once                     watch the whole story: fault, page, postmortem draft

    Exit codes: 0 well, 1 the answer is no, 2 input or arguments are wrong, 3 a needed part can't be reached.
    """  # noqa: D301 - \b is click's mark for a block that keeps its lines


def run(arguments: Sequence[str]) -> int:
    """Run one command and return its exit code; a missing extra or a broken pipe is a message, not a traceback."""
    try:
        outcome = root.main(args=list(arguments), prog_name="sereno", standalone_mode=False)
    except click.exceptions.Abort:
        click.echo("interrupted", err=True)
        return 130
    except click.ClickException as error:
        error.show()
        return error.exit_code if error.exit_code > 1 else ExitCode.INVALID_INPUT
    except OSError as error:
        # Files that commands read and write are told by them, with their names; this is the output itself.
        if error.filename is not None or error.errno not in (errno.ENOSPC, errno.EIO, errno.EFBIG):
            raise
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is still buffered has to go somewhere
        click.echo(f"sereno: the output can't be written: {error.strerror}", err=True)
        return ExitCode.UNREACHABLE
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("sereno"):
            raise
        click.echo(
            f"sereno: this command needs {error.name}, which is not installed (pip install 'sereno[all]')", err=True
        )
        return ExitCode.UNREACHABLE
    return int(outcome or ExitCode.OK)


def main() -> NoReturn:
    """Exit with the code of the command given on the command line."""
    # Nobody's plugins are wanted in our models, and looking for them reads every installed package's metadata.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    sys.exit(run(sys.argv[1:]))
