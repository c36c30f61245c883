"""Files of a commit, read by the program `git`; nothing is checked out and nothing changes."""

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

_PATIENCE_SECONDS = 60
_LINK = "120000"
_FOLDER = "040000"
_MODULE = "160000"


class GitMissing(Exception):  # noqa: N818 - reads as what happened
    """There is no program git on PATH, or it doesn't end."""


class GitRefused(Exception):  # noqa: N818 - reads as what happened
    """git can't answer; the message says why, and what to do."""


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit of the repository in which `folder` lies."""

    folder: Path
    hash: str

    @property
    def short(self) -> str:
        """Enough of the hash for people."""
        return self.hash[:10]

    def files_in(self, path: str, ending: str) -> tuple[str, ...]:
        """The files of a folder, not of those in it, whose names end so; paths from `folder`, in order.

        Raises:
            GitRefused: one of them is a link, which has no content of its own.
        """
        listed = _git(self.folder, "ls-tree", "-z", self.hash, "--", f"{path.rstrip('/')}/").decode(errors="replace")
        found = []
        for entry in filter(None, listed.split("\0")):
            about, _, name = entry.partition("\t")
            mode = about.split(" ", 1)[0]
            if not name.endswith(ending) or mode in {_FOLDER, _MODULE}:
                continue
            if mode == _LINK:
                raise GitRefused(f"{name} is a symbolic link in {self.short}; name the file that it leads to")
            found.append(name)
        return tuple(sorted(found))

    def contents(self, paths: Sequence[str]) -> dict[str, bytes]:
        """The contents of files by their paths from `folder`; without those that the commit doesn't have.

        Raises:
            GitRefused: a path has a line feed, which ends a question to git.
        """
        wanted = list(dict.fromkeys(paths))
        if odd := [path for path in wanted if "\n" in path]:
            raise GitRefused(f"{odd[0]!r} has a line feed in its name; rename it, or compare with --old FOLDER")
        asked = "".join(f"{self.hash}:./{path}\n" for path in wanted)
        answer = _git(self.folder, "cat-file", "--batch", typed=asked.encode())
        found: dict[str, bytes] = {}
        at = 0
        for path in wanted:
            end = answer.index(b"\n", at)
            about = answer[at:end].split(b" ")
            at = end + 1
            if about[-1] == b"missing" or about[-2] != b"blob":
                at += 0 if about[-1] == b"missing" else int(about[-1]) + 1
                continue
            size = int(about[-1])
            found[path] = answer[at : at + size]
            at += size + 1
        return found


def top_of(folder: Path) -> Path:
    """The working tree in which the folder lies.

    Raises:
        GitRefused: it lies in none.
    """
    try:
        return Path(_git(folder, "rev-parse", "--show-toplevel").decode().rstrip("\n"))
    except GitRefused as error:
        raise GitRefused(f"{folder} can't be read by git ({error}); compare with --old FOLDER instead") from error


def commit_of(folder: Path, ref: str) -> Commit | None:
    """The commit that a branch, tag or hash means; None where there is no such thing."""
    if ref.startswith("-"):
        return None
    try:
        found = _git(folder, "rev-parse", "--verify", "--quiet", f"{ref}^{{commit}}")
    except GitRefused:
        return None
    return Commit(folder, found.decode().strip())


def merge_base(folder: Path, one: Commit, other: Commit) -> Commit | None:
    """The last commit that both have in their past; None where they have none, or a shallow clone doesn't know."""
    try:
        found = _git(folder, "merge-base", one.hash, other.hash).decode().split()
    except GitRefused:
        return None
    return Commit(folder, found[0]) if found else None


def is_shallow(folder: Path) -> bool:
    """Whether the clone lacks old commits."""
    return _git(folder, "rev-parse", "--is-shallow-repository").strip() == b"true"


def _git(folder: Path, *arguments: str, typed: bytes | None = None) -> bytes:
    command = ["git", "-C", str(folder), "-c", "core.quotePath=false", *arguments]
    try:
        done = subprocess.run(command, input=typed, capture_output=True, check=False, timeout=_PATIENCE_SECONDS)
    except FileNotFoundError as error:
        raise GitMissing("git is not on PATH (--old FOLDER works without it)") from error
    except subprocess.TimeoutExpired as error:
        raise GitMissing(f"git {arguments[0]} was not ready in {_PATIENCE_SECONDS} s") from error
    if done.returncode != 0:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        raise GitRefused(said[0] if said else f"git {arguments[0]} ended with {done.returncode}")
    return done.stdout
