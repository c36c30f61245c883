"""Which commits a deployment brought: what it lists, else what was pushed since the deployment before it.

Providers don't tell a commit's parents with a push (Bitbucket does). What they tell is what the branch pointed to
before and after: pushes chain by that, and inside a push commits have an order. A commit stands before another if one
of these says so.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from sereno_backends.devops import Commit

from sereno_exporters.dora.deployments import DeploymentKey, DeploymentRun


@dataclass(frozen=True, slots=True)
class Delivery:
    """What a deployment brought to its environment first."""

    deployment: DeploymentKey
    lead_seconds: tuple[float, ...]
    """From each commit's author time to the deployment, in ascending order."""
    unknown: int
    """Commits that it brought and that no push told: their lead time isn't known."""
    is_measured: bool
    """False where it isn't known what was there before: then nobody knows what was new."""


@dataclass(slots=True)
class _Push:
    """The commits of one push to one branch."""

    branch: str
    before: str | None
    after: str | None
    positions: dict[str, int] = field(default_factory=dict)
    at: dict[int, set[str]] = field(default_factory=dict)
    """The same the other way round."""

    def add(self, sha: str, position: int) -> None:
        """One more of its commits; told of two positions, it has the first."""
        known = self.positions.get(sha, position)
        if known > position:
            self.at[known].discard(sha)
        self.positions[sha] = min(known, position)
        self.at.setdefault(min(known, position), set()).add(sha)

    def behind(self, sha: str) -> Iterator[str]:
        """Commits of which this push says that they stand right before one of its own."""
        if sha == self.after:
            yield from self.positions
        elif position := self.positions.get(sha, 0):
            # Not all commits of a push need be known: providers tell the newest so many.
            nearest = (
                position - 1 if self.at.get(position - 1) else max((at for at in self.at if at < position), default=-1)
            )
            yield from self.at.get(nearest, ())
        if self.before is not None:
            yield self.before

    def told(self) -> Iterator[str]:
        """Commits of which this push says what stands before them."""
        yield from self.positions
        if self.after is not None:
            yield self.after


class Commits:
    """All commits of a service, as its pushes told them, in whatever order."""

    def __init__(self) -> None:
        self._authored_at: dict[str, datetime] = {}
        self._parents: dict[str, frozenset[str]] = {}
        self._pushes: dict[tuple[str, str, str | None, str | None], _Push] = {}
        self._pushes_of: dict[str, list[_Push]] = {}

    def add(self, repository: str, commits: Iterable[Commit]) -> set[str]:
        """Commits of one repository; the same again changes nothing. What stands before these is told otherwise now."""
        touched: dict[int, _Push] = {}
        for commit in commits:
            known = self._authored_at.get(commit.sha, commit.authored_at)
            self._authored_at[commit.sha] = min(known, commit.authored_at)
            if commit.parents:
                self._parents[commit.sha] = self._parents.get(commit.sha, frozenset()).union(commit.parents)
            push = self._push(repository, commit)
            if commit.sha not in push.positions and commit.sha != push.after:
                self._pushes_of.setdefault(commit.sha, []).append(push)
            push.add(commit.sha, commit.push_position)
            touched[id(push)] = push
        return {sha for push in touched.values() for sha in push.told()}

    def _push(self, repository: str, commit: Commit) -> _Push:
        place = (repository, commit.branch, commit.push_before, commit.push_after)
        push = self._pushes.get(place)
        if push is None:
            push = self._pushes[place] = _Push(commit.branch, commit.push_before, commit.push_after)
            if push.after is not None:
                self._pushes_of.setdefault(push.after, []).append(push)
        return push

    def authored_at(self, sha: str) -> datetime | None:
        """When it was written; None where no push told it."""
        return self._authored_at.get(sha)

    def contained(self, sha: str, branch: str, known: set[str]) -> set[str]:
        """The commit and all before it, as far as pushes tell, without those that are known and what is before them."""
        found: set[str] = set()
        waiting = [sha]
        while waiting:
            each = waiting.pop()
            if each not in found and each not in known:
                found.add(each)
                waiting.extend(self._behind(each, branch))
        return found

    def _behind(self, sha: str, branch: str) -> Iterator[str]:
        yield from self._parents.get(sha, ())
        pushes = self._pushes_of.get(sha, ())
        # A commit is often pushed to a branch of its own first; the deployed branch's pushes know better.
        own = [push for push in pushes if branch and push.branch == branch]
        for push in own or pushes:
            yield from push.behind(sha)


class Deliveries:
    """What each successful deployment of one track brought first; they are asked for in the order of their times."""

    def __init__(self) -> None:
        self._delivered: set[str] = set()
        self._has_begun = False

    def of(self, run: DeploymentRun, commits: Commits) -> Delivery:
        """The next one's."""
        delivered = self._delivered
        if run.previous_sha is not None:
            delivered |= commits.contained(run.previous_sha, run.branch, delivered)
        head = set() if run.sha is None else commits.contained(run.sha, run.branch, delivered)
        is_measured = bool(run.shas) or (run.sha is not None and (self._has_begun or run.previous_sha is not None))
        brought = (set(run.shas) - delivered if run.shas else head) if is_measured else set()
        delivered |= brought | head
        self._has_begun = True
        return _delivery(run, commits, brought, is_measured=is_measured)

    def rest_on(self, shas: set[str]) -> bool:
        """Whether what stands before one of these commits was looked at."""
        return not self._delivered.isdisjoint(shas)


def _delivery(run: DeploymentRun, commits: Commits, brought: set[str], *, is_measured: bool) -> Delivery:
    moments = [commits.authored_at(sha) for sha in brought]
    authored = [moment for moment in moments if moment is not None]
    return Delivery(
        deployment=run.key,
        # A rebase or a clock may put the author's time after the deployment.
        lead_seconds=tuple(sorted(max(0.0, (run.when_deployed() - moment).total_seconds()) for moment in authored)),
        unknown=len(moments) - len(authored),
        is_measured=is_measured,
    )
