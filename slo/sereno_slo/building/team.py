"""Processes that share the specs: all validate first, then all write, so that one mistake anywhere stops everything."""

import contextlib
import errno
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar

from sereno_slo.building.order import Order
from sereno_slo.compilation import ValidatedSpec, render_service, validate_spec
from sereno_slo.diagnostics import Diagnostic
from sereno_slo.model import Service
from sereno_slo.render.artefact import Kind
from sereno_slo.source import SourceFile
from sereno_slo.writing import Difference, Staged, Stamp, outdated, stage

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from multiprocessing.process import BaseProcess

Progress = Callable[[int], None]
Item = TypeVar("Item")

_MOST_PROCESSES = 8
# Fewer specs than this are compiled before another process has begun.
_SPECS_WORTH_A_PROCESS = {True: 100, False: 4}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one spec: new contents beside its files, or (where they are checked) how its files differ."""

    warnings: tuple[Diagnostic, ...]
    staged: tuple[Staged, ...]
    differences: tuple[Difference, ...]
    paths: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Task:
    """What every process does with its specs."""

    order: Order
    is_check: bool
    returns_services: bool

    def validated(self, source: SourceFile) -> ValidatedSpec:
        """The first half of the work."""
        return validate_spec(source, self.order.settings)

    def produced(self, service: Service) -> Outcome:
        """The second."""
        order = self.order
        there = order.runbooks_there(service)
        kinds = order.kinds - {Kind.RUNBOOKS} if there else order.kinds
        made = render_service(service, order.settings, order.layout, kinds, order.rule_format)
        paths = (*map(order.layout.path, made.artefacts), *there)
        if self.is_check:
            return Outcome(made.diagnostics, (), tuple(outdated(made.artefacts, order.layout, order.root)), paths)
        staged = stage(made.artefacts, order.layout, order.root)
        staged += (Staged(Stamp(path, -1, 0), None) for path in there)
        return Outcome(made.diagnostics, tuple(staged), (), paths)

    def all_produced(self, specs: Sequence[ValidatedSpec], progress: Progress) -> list[Outcome]:
        """The second half for all specs.

        Raises:
            OSError: a file can't be written; nothing is left behind.
        """
        outcomes: list[Outcome] = []
        try:
            for spec in specs:
                if spec.service is not None:  # else nothing would be produced at all
                    outcomes.append(self.produced(spec.service))
                    progress(len(outcomes))
        except BaseException:
            _discard(outcomes, self.order)
            raise
        return outcomes


def processes_for(specs: int, kinds: frozenset[Kind]) -> int:
    """As many processes as there are processors, where so many specs keep them busy."""
    processors = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
    is_quick = kinds <= {Kind.RULES, Kind.BUCKETS}
    return max(1, min(processors, _MOST_PROCESSES, specs // _SPECS_WORTH_A_PROCESS[is_quick]))


class Team:
    """This process and its helpers; each has every n-th spec."""

    def __init__(self, sources: Sequence[SourceFile], task: Task, *, processes: int) -> None:
        self._size = max(1, min(processes, len(sources)))
        self._sources = sources
        self._task = task
        self._specs: list[ValidatedSpec] = []
        self._helpers: list[tuple[BaseProcess, Connection]] = []

    def __enter__(self) -> Self:
        if self._size == 1:
            return self
        import multiprocessing  # noqa: PLC0415 - one process needs none of it

        # A forked process has everything imported; elsewhere forking isn't safe.
        context: Any = multiprocessing.get_context("fork" if sys.platform == "linux" else "spawn")
        for number in range(1, self._size):
            ours, theirs = context.Pipe()
            share = self._sources[number :: self._size]
            inherited = [*(connection for _, connection in self._helpers), ours]
            helper = context.Process(target=_help, args=(theirs, inherited, share, self._task), daemon=True)
            helper.start()
            theirs.close()
            self._helpers.append((helper, ours))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Helpers that still wait for an answer go home."""
        for helper, connection in self._helpers:
            connection.close()
            helper.join()

    def validated(self, progress: Progress) -> list[ValidatedSpec]:
        """What the specs mean, in their order; the helpers' services stay with them unless the task returns them."""
        for source in self._sources[:: self._size]:
            self._specs.append(self._task.validated(source))
            progress(len(self._specs) * self._size)
        return self._in_order([self._specs, *self._answers()])

    def produced(self, progress: Progress) -> list[Outcome]:
        """What became of the specs, in their order.

        Raises:
            OSError: a file can't be written, and nothing is left behind; or a helper was killed.
        """
        for _, connection in self._helpers:
            with contextlib.suppress(BrokenPipeError):  # whoever is gone doesn't answer either
                connection.send("produce")
        parts: list[list[Outcome]] = []
        try:
            parts.append(self._task.all_produced(self._specs, lambda done: progress(done * self._size)))
        finally:
            failures: list[BaseException] = []
            for answer in self._answers_or_failures():
                (failures if isinstance(answer, BaseException) else parts).append(answer)
            if failures or len(parts) < self._size:
                for part in parts:
                    _discard(part, self._task.order)
            if failures:
                raise failures[0]
        return self._in_order(parts)

    def _answers(self) -> Iterator[list[Any]]:
        for answer in self._answers_or_failures():
            if isinstance(answer, BaseException):
                raise answer
            yield answer

    def _answers_or_failures(self) -> Iterator[Any]:
        for _, connection in self._helpers:
            try:
                yield connection.recv()
            except EOFError:
                # Killed, most likely for want of memory: no mistake of ours, and nothing that a user could read in a
                # traceback.
                yield ChildProcessError(errno.ECHILD, "a process of the compiler was killed (try --jobs 1)")

    def _in_order(self, parts: Sequence[Sequence[Item]]) -> list[Item]:
        found: list[Any] = [None] * len(self._sources)
        for number, part in enumerate(parts):
            found[number :: self._size] = part
        return found


def _help(
    connection: "Connection", inherited: Sequence["Connection"], sources: Sequence[SourceFile], task: Task
) -> None:
    """The work of a helper: it answers twice, and writes only when it is told that no spec has a mistake.

    `inherited` are ends of pipes that belong to the first process: as long as anybody holds them, no helper notices
    that they were closed.
    """
    for end in inherited:
        end.close()
    try:
        specs = [task.validated(source) for source in sources]
        connection.send(specs if task.returns_services else [replace(spec, service=None) for spec in specs])
        connection.recv()
        outcomes = task.all_produced(specs, lambda _: None)
    except (EOFError, BrokenPipeError, KeyboardInterrupt):
        return
    except Exception as error:  # noqa: BLE001 - it is raised again where somebody sees it
        connection.send(error)
        return
    connection.send(outcomes)


def _discard(outcomes: Sequence[Outcome], order: Order) -> None:
    for outcome in outcomes:
        for one in outcome.staged:
            one.discard(order.root)
