"""`sereno logs search --follow`: lines as they come, until somebody has seen enough."""

import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NoReturn

import click

from sereno_cli.exit_codes import ExitCode
from sereno_cli.logs_screen import print_json, print_lines

if TYPE_CHECKING:
    from sereno_backends.logs import LogQuery, LogStore
    from sereno_backends.logs.following import News

LOOK_SECONDS = 1.0


def follow(store: "LogStore", query: "LogQuery", *, as_json: bool, full: bool) -> ExitCode:
    """Print what matches and what comes, until Ctrl-C or SIGTERM; both are a good end.

    A store that stops answering is waited for.

    Raises:
        LogStoreError: it never answered at all.
    """
    from sereno_backends.logs.following import FollowedSearch

    def show(news: "News") -> None:
        if as_json:
            print_json(news.records)
        else:
            print_lines(news.records, {one.record_id for one in news.records}, full=full)
        sys.stdout.flush()
        if news.is_cut:
            click.echo("sereno logs search: too many lines came at once; older ones of them are not shown", err=True)

    search = FollowedSearch(store, query, now=lambda: datetime.now(UTC))
    with _interruptible():
        try:
            show(search.first())
            _look_on(search.look, show)
        except KeyboardInterrupt:
            return ExitCode.OK


def _look_on(look: "Callable[[], News]", show: "Callable[[News], None]") -> NoReturn:
    from sereno_backends.logs import LogStoreError

    complaint = ""
    while True:
        time.sleep(LOOK_SECONDS)
        try:
            news = look()
        except LogStoreError as error:
            if not complaint:
                click.echo(f"sereno logs search: {error}; trying again", err=True)
            complaint = str(error)
            continue
        if complaint:
            click.echo("sereno logs search: the store answers again", err=True)
            complaint = ""
        show(news)


@contextmanager
def _interruptible() -> Iterator[None]:
    """SIGTERM is like Ctrl-C, also where a script started the command in the background and Ctrl-C is ignored."""
    numbers = (signal.SIGTERM, signal.SIGINT)
    before = {number: signal.signal(number, signal.default_int_handler) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
