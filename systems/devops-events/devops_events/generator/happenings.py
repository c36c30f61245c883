"""What happens in development, before any platform tells of it. Pure: the same seed and times give the same again."""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from random import Random
from typing import Final, TypeAlias

BRANCH: Final = "main"
REPOSITORIES: Final = ("shop", "payments", "search", "website")
PEOPLE: Final = ("ada", "grace", "linus", "margaret")
_TITLES = ("Count the cart once", "Retry with a pause", "Name it as users do", "Drop what nobody calls", "Test it")
_MOST_OPEN = 8
_REMEMBERED = 50


@dataclass(frozen=True, slots=True)
class NewCommit:
    """A commit of a push."""

    sha: str
    title: str
    author: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Push:
    """Commits came to the main branch, the oldest first."""

    repository: str
    number: int
    before: str
    commits: tuple[NewCommit, ...]
    at: datetime


@dataclass(frozen=True, slots=True)
class Run:
    """A pipeline's run began or ended."""

    repository: str
    number: int
    name: str
    sha: str
    author: str
    started_at: datetime
    is_good: bool | None = None
    """None while it runs."""
    finished_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """A pull request was opened or merged."""

    repository: str
    number: int
    title: str
    author: str
    head_sha: str
    opened_at: datetime
    merge_sha: str | None = None
    merged_at: datetime | None = None

    @property
    def source_branch(self) -> str:
        """Where it comes from."""
        return f"change-{self.number}"

    @property
    def updated_at(self) -> datetime:
        """When something happened to it last."""
        return self.merged_at or self.opened_at


Happening: TypeAlias = Push | Run | Request


class World:
    """The repositories of one platform and what goes on in them."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._heads = {name: self._sha() for name in REPOSITORIES}
        self._number = 0
        self._running: deque[Run] = deque()
        self._open: deque[Request] = deque()

    def next(self, at: datetime) -> Happening:
        """What happens now: a push, or what follows from earlier ones."""
        self._number += 1
        choice = self._random.random()
        if self._running and (choice < 0.3 or len(self._running) >= _MOST_OPEN):  # noqa: PLR2004 - of ten, three
            return self._finished(at)
        if self._open and (choice > 0.85 or len(self._open) >= _MOST_OPEN):  # noqa: PLR2004 - of twenty, three
            return self._merged(at)
        repository = self._random.choice(REPOSITORIES)
        if choice < 0.6:  # noqa: PLR2004 - of ten, three where runs wait for their end, else six
            return self._push(repository, at)
        return self._begun(repository, at) if choice < 0.75 else self._opened(repository, at)  # noqa: PLR2004

    def _push(self, repository: str, at: datetime) -> Push:
        count = self._random.randint(1, 3)
        author = self._random.choice(PEOPLE)
        commits = tuple(
            NewCommit(self._sha(), self._random.choice(_TITLES), author, at - timedelta(minutes=5 * (count - each)))
            for each in range(count)
        )
        before, self._heads[repository] = self._heads[repository], commits[-1].sha
        return Push(repository, self._number, before, commits, at)

    def _begun(self, repository: str, at: datetime) -> Run:
        name = self._random.choice(("test", "build", "deploy"))
        run = Run(repository, self._number, name, self._heads[repository], self._random.choice(PEOPLE), at)
        self._running.append(run)
        return run

    def _finished(self, at: datetime) -> Run:
        is_good = self._random.random() > 0.1  # noqa: PLR2004 - of ten, nine
        return replace(self._running.popleft(), is_good=is_good, finished_at=at)

    def _opened(self, repository: str, at: datetime) -> Request:
        title, author = self._random.choice(_TITLES), self._random.choice(PEOPLE)
        request = Request(repository, self._number, title, author, self._sha(), at)
        self._open.append(request)
        return request

    def _merged(self, at: datetime) -> Request:
        return replace(self._open.popleft(), merge_sha=self._sha(), merged_at=at)

    def _sha(self) -> str:
        return f"{self._random.getrandbits(160):040x}"


class Past:
    """What a platform's REST can tell: the newest of each kind in each repository."""

    def __init__(self) -> None:
        self._commits: Mapping[str, deque[NewCommit]] = {name: deque(maxlen=_REMEMBERED) for name in REPOSITORIES}
        self._runs: Mapping[str, dict[int, Run]] = {name: {} for name in REPOSITORIES}
        self._requests: Mapping[str, dict[int, Request]] = {name: {} for name in REPOSITORIES}

    def add(self, happening: Happening) -> None:
        """It happened."""
        match happening:
            case Push(repository=repository, commits=commits):
                self._commits[repository].extend(commits)
            case Run():
                _remember(self._runs[happening.repository], happening.number, happening)
            case Request():
                _remember(self._requests[happening.repository], happening.number, happening)

    def commits(self, repository: str) -> Sequence[NewCommit]:
        """The newest first."""
        return tuple(reversed(self._commits[repository]))

    def runs(self, repository: str) -> Sequence[Run]:
        """As they stand now, the newest first."""
        return tuple(reversed(tuple(self._runs[repository].values())))

    def requests(self, repository: str) -> Sequence[Request]:
        """As they stand now, the newest first."""
        return tuple(reversed(tuple(self._requests[repository].values())))


def _remember(kept: dict[int, Run] | dict[int, Request], number: int, happening: Run | Request) -> None:
    kept.pop(number, None)
    kept[number] = happening  # type: ignore[assignment]
    if len(kept) > _REMEMBERED:
        del kept[next(iter(kept))]
