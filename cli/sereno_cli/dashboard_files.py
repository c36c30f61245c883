"""Which dashboards a command works on: those that are named, or all of the repository's."""

from collections.abc import Sequence
from os.path import relpath
from pathlib import Path

import click
from sereno_slo.dashboards_check import Document

from sereno_cli.plain_text import plain
from sereno_cli.specs import repository_root

GRAFANA = Path("dashboards/grafana")
FOLDERS = ("generated", "handwritten")


def load_dashboards(named: Sequence[Path], command: str) -> list[Document] | None:
    """The texts of dashboards; says what is wrong and returns None where one can't be read, or there is none."""
    paths = [path for name in named for path in _expanded(name)] or _of_the_repository()
    if not paths:
        where = f"in {GRAFANA}/{{{','.join(FOLDERS)}}}" if not named else "there"
        click.echo(f"{command}: there are no dashboards {where}; name a file", err=True)
        return None
    found, is_whole = [], True
    for path in dict.fromkeys(paths):
        try:
            found.append(Document(_printed(path), path.read_bytes().decode("utf-8")))
        except OSError as error:
            click.echo(plain(f"{command}: {path}: {error.strerror}"), err=True)
            is_whole = False
        except UnicodeDecodeError:
            click.echo(plain(f"{command}: {path}: this is no text in UTF-8"), err=True)
            is_whole = False
    return found if is_whole else None


def _of_the_repository() -> list[Path]:
    root = repository_root()
    return [] if root is None else [path for each in FOLDERS for path in sorted((root / GRAFANA / each).glob("*.json"))]


def _expanded(path: Path) -> list[Path]:
    return sorted(path.glob("*.json")) if path.is_dir() else [path]


def _printed(path: Path) -> str:
    """As short as possible: messages show it."""
    here = Path.cwd()
    return relpath(path, here) if path.is_absolute() and path.is_relative_to(here) else str(path)
