"""What `sereno collect logs` is asked for: checked before anything is made."""

import glob
import os
import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, tzinfo
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import click

from sereno_cli.exit_codes import ExitCode

if TYPE_CHECKING:
    from sereno_backends.logs.lifecycle import Retentions
    from sereno_collectors.logs import Settings
    from sereno_collectors.logs.parsing.formats import Formats


ELASTICSEARCH_URL = "SERENO_ELASTICSEARCH_URL"
DEFAULT_LOG_STORE = Path("var/logs.sqlite")
DEFAULT_RETENTION = Path("logs.retention.yaml")
DEFAULT_CHECKPOINT = Path("var/collector.checkpoint.json")
DEFAULT_DEAD_LETTERS = Path("var/collector.dead-letters.jsonl")
MOST_PORT = 65_535


class InvalidInput(click.ClickException):
    """A file or an argument is wrong."""

    exit_code = int(ExitCode.INVALID_INPUT)

    def show(self, file: IO[Any] | None = None) -> None:  # noqa: ARG002 - click's signature
        """Print the message."""
        say(self.message)


class Unreachable(InvalidInput):
    """A part that is needed can't be reached."""

    exit_code = int(ExitCode.UNREACHABLE)


@dataclass(frozen=True, slots=True)
class Request:
    """What the command line asks for."""

    files: tuple[Path, ...]
    stdin: bool
    otlp: tuple[str, int] | None
    log_store: Path
    checkpoint: Path
    queue: Path
    queue_bytes: int
    dead_letters: Path
    formats: "Formats"
    time_zone: tzinfo
    service: str | None
    dataset: str | None
    label: tuple[str, ...]
    tag: tuple[str, ...]
    metrics_host: str
    metrics_port: int
    web_config: Path | None
    once: bool
    retention: Path | None


def request_of(options: dict[str, Any]) -> Request:
    """The options, with the queue beside the checkpoint where none is named."""
    checkpoint: Path = options["checkpoint"]
    for label in options["label"]:
        if "=" not in label or label.startswith("="):
            raise InvalidInput(f"--label {label}: write NAME=VALUE")
    checked = {
        "queue": options["queue"] or queue_beside(checkpoint),
        "otlp": _address(options["otlp"]),
        "formats": _formats(options["formats"], options["files"]),
        "time_zone": _zone(options["time_zone"]),
    }
    return Request(**{**options, **checked})


def queue_beside(checkpoint: Path) -> Path:
    """Where the queue is unless it is named: `var/collector.queue.sqlite` for `var/collector.checkpoint.json`."""
    return checkpoint.with_name(f"{checkpoint.name.removesuffix('.json').removesuffix('.checkpoint')}.queue.sqlite")


def _address(given: str | None) -> tuple[str, int] | None:
    if given is None:
        return None
    host, _, port = given.rpartition(":")
    if not host or re.fullmatch(r"[0-9]{1,5}", port) is None or int(port) > MOST_PORT:
        raise InvalidInput(f"--otlp {given}: write HOST:PORT, for example 127.0.0.1:4318")
    return host.strip("[]"), int(port)


def _formats(given: Sequence[str], files: Sequence[Path]) -> "Formats":
    """The formats of `NAME` and `PATTERN=NAME`; a pattern with a folder is of absolute paths, as files are followed."""
    from sereno_collectors.logs.model import Format
    from sereno_collectors.logs.parsing.formats import Formats

    names = ", ".join(form.value for form in Format)
    defaults: list[Format] = []
    by_file: list[tuple[str, Format]] = []
    for each in given:
        pattern, equals, name = each.rpartition("=")
        if name not in set(Format):
            raise InvalidInput(f"--format {each}: {name!r} is no format; write one of {names}, or 'PATTERN=NAME'")
        if equals and not (pattern and files):
            raise InvalidInput(f"--format {each}: a pattern is of files, as in --file 'logs/*' --format '*.log=plain'")
        if equals:
            by_file.append((str(Path(pattern).absolute()) if "/" in pattern else pattern, Format(name)))
        else:
            defaults.append(Format(name))
    if len(defaults) > 1:
        raise InvalidInput("--format: one for everything only; for single files write 'PATTERN=NAME'")
    return Formats(defaults[0] if defaults else Format.AUTO, tuple(by_file))


def _zone(name: str) -> tzinfo:
    """The time zone of a name as in Europe/Berlin."""
    from zoneinfo import ZoneInfo

    if name == "UTC":
        return UTC
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, LookupError) as error:  # a name with dots, a folder's name, none that is known
        raise InvalidInput(f"--time-zone {name}: not known here; write a name such as Europe/Berlin, or UTC") from error


def settings_of(request: Request) -> "Settings":
    """The collector's settings."""
    from sereno_collectors.logs import Settings
    from sereno_collectors.logs.parsing.enrichment import Enrichment

    labels = dict(label.split("=", 1) for label in request.label)
    return Settings(
        files=request.files,
        queue=request.queue,
        dead_letters=request.dead_letters,
        limit_bytes=request.queue_bytes,
        formats=request.formats,
        zone=request.time_zone,
        service=request.service,
        dataset=request.dataset,
        enrichment=Enrichment(labels=labels, tags=request.tag),
        outputs=(request.log_store, request.checkpoint),
    )


def _outputs(request: Request) -> tuple[Path, ...]:
    return request.log_store, request.checkpoint, request.queue, request.dead_letters


def _check_combination(request: Request) -> None:
    if not (request.files or request.stdin or request.otlp):
        raise InvalidInput("nothing to collect: name a --file, or --stdin, or --otlp HOST:PORT")
    if request.once and (request.stdin or request.otlp):
        raise InvalidInput("--once is for files: --stdin ends by itself, and --otlp has no end")
    if request.once and request.retention:
        raise InvalidInput("--retention is done every hour; beside --once use sereno logs lifecycle --apply")


def check_inputs(request: Request) -> None:
    """Refuse what can't be read, before anything is made."""
    _check_combination(request)
    outputs = {path.absolute() for path in _outputs(request)}
    for file in request.files:
        if file.absolute() in outputs:
            raise InvalidInput(f"{file} is to be read and written at once: name another file")
        try:
            _check_file(file, once=request.once)
        except OSError as error:
            raise InvalidInput(f"{file} can't be read: {error.strerror}") from error


def _check_file(file: Path, *, once: bool) -> None:
    """Refuse what can't be read, and tell what is waited for.

    Raises:
        OSError: a folder on the way is closed, a name is too long.
    """
    if glob.has_magic(str(file)) and not file.is_file():
        if not glob.glob(str(file), recursive=True):  # noqa: PTH207 - absolute ones, too
            say(f"no file is named like {file}" if once else f"no file is named like {file} yet; waiting for one")
    elif not file.exists():
        if once or not file.parent.is_dir():
            raise InvalidInput(f"no log file at {file}: check the path of --file")
        say(f"{file} does not exist yet; waiting for it")
    elif not file.is_file():
        raise InvalidInput(f"{file} is no regular file: --file takes log files")
    elif not os.access(file, os.R_OK):
        raise InvalidInput(f"{file} can't be read by this user")


def make_folders(request: Request) -> None:
    """Make the folders of what will be written."""
    try:
        for path in _outputs(request):
            path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InvalidInput(f"can't make the folder of {path}: {error.strerror}") from error


def elasticsearch_url(request: Request, *, quietly: bool = False) -> str:
    """The address of Elasticsearch; empty when the SQLite file is meant."""
    url = os.environ.get(ELASTICSEARCH_URL, "").strip()
    if url and not url.lower().startswith(("http://", "https://")):
        raise InvalidInput(f"{ELASTICSEARCH_URL} must begin with http:// or https://")
    if url and request.log_store != DEFAULT_LOG_STORE and not quietly:
        say(f"{ELASTICSEARCH_URL} is set: writing there, not to {request.log_store}")
    return url


def retentions_of(request: Request) -> "Retentions | None":
    """The retention file that is named, else the one that lies here; None: there is none, and nothing is deleted."""
    path = request.retention or (DEFAULT_RETENTION if DEFAULT_RETENTION.is_file() else None)
    if path is None:
        return None
    from sereno_backends.logs.lifecycle import Retentions

    from sereno_cli.log_retention import read_retentions

    found = read_retentions(path)
    if not isinstance(found, Retentions):
        for mistake in found:
            click.echo(str(mistake), err=True)
        raise InvalidInput(f"the retention file {path} has mistakes: nothing was begun")
    say(f"retention by {path}, every hour")
    return found


def reason(error: Exception) -> str:
    """Why it failed, without the number that the system gives it."""
    return (error.strerror if isinstance(error, OSError) else None) or str(error)


def say(message: str) -> None:
    """Tell a person something on stderr; where nobody can be told (its disk is full), collecting goes on."""
    with suppress(OSError):
        click.echo(f"sereno collect logs: {message}", err=True)
