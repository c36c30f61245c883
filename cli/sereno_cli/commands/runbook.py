"""`sereno runbook`: what to do about an alert, with the incident's labels filled in."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sereno_cli.exit_codes import ExitCode
from sereno_cli.incident_places import open_place, place_options

if TYPE_CHECKING:
    from sereno_backends.incidents import Incident
    from sereno_postmortems.runbooks import Block, Filled, IncidentLabels, Runbook, Shelf, Unfilled

DEFAULT_RUNBOOKS = Path("runbooks")
_LABEL = re.compile(r"(?P<name>[A-Za-z_][A-Za-z0-9_]*)=(?P<value>.*)", re.DOTALL)
_LONGEST_SHOWN = 60
_FEW = 5


def _labels(ctx: click.Context, param: click.Parameter, given: tuple[str, ...]) -> dict[str, str]:  # noqa: ARG001
    """`name=value` each, split at the first `=`; a value may hold anything that is UTF-8."""
    labels: dict[str, str] = {}
    for each in given:
        found = _LABEL.fullmatch(each)
        if found is None or _utf8(each) != each:
            raise click.BadParameter(f"{_shown(each)} isn't name=value in UTF-8; write for example service=shop-api")
        if labels.setdefault(found["name"], found["value"]) != found["value"]:
            raise click.BadParameter(f"{found['name']} is given twice, with different values; give one")
    return labels


@click.command()
@click.argument("alert")
@click.option("--label", "labels", metavar="NAME=VALUE", multiple=True, callback=_labels, help="Any number.")
@click.option(
    "--incident", "incident_id", metavar="ID", help="Take the labels from an incident; `latest` for the last."
)
@place_options
@click.option(
    "--runbooks",
    metavar="DIR",
    default=DEFAULT_RUNBOOKS,
    show_default=True,
    type=click.Path(path_type=Path),
    help="Folder of <AlertName>.md and <service>/<slo>.md, of this repository or another.",
)
@click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True, help="For whom it is."
)
def command(  # noqa: PLR0917 - click passes them by name
    alert: str,
    labels: dict[str, str],
    incident_id: str | None,
    database: Path | None,
    incidents: str | None,
    runbooks: Path,
    form: str,
) -> ExitCode:
    """Print the runbook of ALERT with the incident's labels filled in, ready to copy from.

    \b
    sereno runbook SLOErrorBudgetBurn --incident latest
    sereno runbook SLOErrorBudgetBurn --label service=transactions-api --label slo=availability
    sereno runbook NodeDiskFilling --label instance=db-1:9100 --format json
    sereno runbook KubePodCrashLooping --runbooks ../platform/runbooks --label namespace=shop

    A word in capitals that is a label's name (SERVICE, SLO, JOB) gives way to the label's value, quoted for PromQL in
    queries and for the shell in commands. Where both `service` and `slo` are known, <service>/<slo>.md follows.
    --label outranks the incident. What stays unfilled is told on standard error.

    Exit codes: 0 printed, 2 unknown alert or incident, 3 the runbooks or incidents can't be read.
    """  # noqa: D301 - \b is click's mark for a block that keeps its lines
    from sereno_postmortems.runbooks import Shelf, ShelfUnreadable, UnknownRunbook, jobs_named
    from sereno_postmortems.sources import IncidentSourceUnreachable, UnknownIncident

    if incident_id is None and (database or incidents):
        raise click.UsageError("--database and --incidents say where an incident is; say which one with --incident ID")
    try:
        shelf = Shelf(runbooks)
        first = shelf.of_alert(alert)
        incident = None if incident_id is None else _incident(incident_id, database, incidents)
        told = None if incident is None else _told(incident, alert)
        of_incident = {} if told is None else {name: _utf8(value) for name, value in told.agreed.items()}
        known = {**of_incident, **labels}
        own = _of_slo(shelf, known)
    except ShelfUnreadable as error:
        _say(f"{error}; name the folder of runbooks with --runbooks")
        return ExitCode.UNREACHABLE
    except IncidentSourceUnreachable as error:
        _say(f"{error}; start `sereno incidents serve`, or name its place with --database or --incidents")
        return ExitCode.UNREACHABLE
    except (UnknownRunbook, UnknownIncident) as error:
        _say(f"{error}{'; nearest: ' + ', '.join(error.nearest) if error.nearest else ''}")
        return ExitCode.INVALID_INPUT
    differing = {} if told is None else {**told.differing}
    if own is not None and "job" not in known:
        jobs = jobs_named(own.text)
        known |= {"job": jobs[0]} if len(jobs) == 1 else {}
        differing.setdefault("job", jobs)
    found = [first] if own is None else [first, own]
    _print(alert, incident, known, found, differing, as_json=form == "json")
    return ExitCode.OK


def _incident(incident_id: str, database: Path | None, url: str | None) -> "Incident":
    from sereno_postmortems.sources import find_incident

    return find_incident(open_place(database, url), incident_id)


def _told(incident: "Incident", alert: str) -> "IncidentLabels":
    from sereno_postmortems.runbooks import labels_of

    told = labels_of(incident, alert)
    if not told.is_of_alert:
        names = ", ".join(sorted({_shown(each.name) for each in incident.alerts}))
        _say(f"incident {incident.incident_id} has no alert {alert}, but {names}; what these agree on is filled in")
    return told


def _of_slo(shelf: "Shelf", labels: Mapping[str, str]) -> "Runbook | None":
    """The SLO's own runbook, if the labels name an SLO that has one."""
    service, slo = labels.get("service"), labels.get("slo")
    if service is None or slo is None:
        return None
    own = shelf.of_slo(service, slo)
    if own is None:
        missing = f"{_shown(service)}/{_shown(slo)}.md"
        _say(f"the SLO itself has no runbook ({missing}); `sereno compile` writes a first one")
    return own


def _print(
    alert: str,
    incident: "Incident | None",
    labels: Mapping[str, str],
    runbooks: list["Runbook"],
    differing: Mapping[str, tuple[str, ...]],
    *,
    as_json: bool,
) -> None:
    from sereno_postmortems.runbooks import fill

    filled = [(runbook.path, fill(runbook.text, labels)) for runbook in runbooks]
    stays = tuple(dict.fromkeys(each for _, text in filled for each in text.unfilled))
    if as_json:
        _print_json(alert, incident, labels, filled, stays)
    else:
        click.echo("\n".join(text.text for _, text in filled), nl=False)
    for each in stays:
        _say(f"{each.placeholder} stays: {_reason(each, differing)}")


def _reason(stays: "Unfilled", differing: Mapping[str, tuple[str, ...]]) -> str:
    name = stays.placeholder.lower()
    if stays.has_value:
        return f"the value of {name} isn't safe everywhere in commands; write it there yourself, with care"
    if values := differing.get(name):
        several = ", ".join(_shown(value) for value in values[:_FEW]) + (", …" if len(values) > _FEW else "")
        return f"there are several; choose with --label {name}=… ({several})"
    return f"no label {name} is known; --label {name}=… fills it in"


def _print_json(
    alert: str,
    incident: "Incident | None",
    labels: Mapping[str, str],
    filled: list[tuple[Path, "Filled"]],
    stays: tuple["Unfilled", ...],
) -> None:
    from sereno_postmortems.runbooks import blocks

    from sereno_cli.json_text import json_text

    runbooks = [
        {"path": str(path), "text": text.text, "blocks": [_block(block) for block in blocks(text.text)]}
        for path, text in filled
    ]
    document = {
        "alert": alert,
        "incident": None if incident is None else incident.incident_id,
        "labels": labels,
        "runbooks": runbooks,
        "unfilled": stays,
    }
    click.echo(json_text(document), nl=False)


def _block(block: "Block") -> dict[str, object]:
    return {"kind": block.kind, "may_be_empty": block.may_be_empty, "line": block.line, "content": block.content}


def _utf8(text: str) -> str:
    """Halves of surrogate pairs (JSON can hold them, Python keeps bytes of a command line so) become `?`."""
    return text.encode(errors="replace").decode()


def _shown(value: str) -> str:
    """Somebody else's text in a message: short, and without steering the terminal."""
    from sereno_cli.plain_text import plain

    return plain(value if len(value) <= _LONGEST_SHOWN else f"{value[: _LONGEST_SHOWN - 1]}…")


def _say(text: str) -> None:
    """Everything but the runbook goes to standard error."""
    click.echo(f"runbook: {text}", err=True)
