"""Configuration by environment variables with the program's prefix: every mistake is told at once."""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

HIGHEST_PORT = 65535


@dataclass(frozen=True, slots=True)
class WrongSettings:
    """Everything that is wrong with the variables, one message each."""

    mistakes: tuple[str, ...]


class Variables:
    """Reads variables that begin with `prefix`; empty ones count as not set.

    A wrong value is a mistake and reads as the default, so that reading goes on and all mistakes are found.
    """

    def __init__(self, prefix: str, environment: Mapping[str, str]) -> None:
        self._prefix = prefix
        self._given = {
            name.removeprefix(prefix): value.strip()
            for name, value in environment.items()
            if name.startswith(prefix) and value.strip()
        }
        self._known: list[str] = []
        self._mistakes: list[str] = []

    def text(self, name: str, default: str) -> str:
        """What it says."""
        self._known.append(name)
        return self._given.get(name, default)

    def path(self, name: str, default: Path) -> Path:
        """A file or folder."""
        return Path(self.text(name, str(default)))

    def path_or_none(self, name: str) -> Path | None:
        """A file or folder, None where it isn't set."""
        text = self.text(name, "")
        return Path(text) if text else None

    def number(self, name: str, default: int, *, lowest: int, highest: int) -> int:
        """A whole number."""
        text = self.text(name, str(default))
        if text.isascii() and text.isdigit() and lowest <= int(text) <= highest:
            return int(text)
        self.wrong(f"{self._prefix}{name}={text}: write a whole number from {lowest} to {highest}")
        return default

    def port(self, name: str, default: int) -> int:
        """A port to listen on."""
        return self.number(name, default, lowest=1, highest=HIGHEST_PORT)

    def different(self, **ports: int) -> None:
        """Two ports that are the same are a mistake; the names are those of the variables."""
        seen: dict[int, str] = {}
        for name, port in ports.items():
            other = seen.setdefault(port, name)
            if other != name and not self._mistakes:
                self.wrong(f"{self._prefix}{other} and {self._prefix}{name} are both {port}: give each its own")

    def wrong(self, mistake: str) -> None:
        """One mistake more."""
        self._mistakes.append(mistake)

    def mistakes(self) -> WrongSettings | None:
        """All mistakes, once everything is read."""
        return WrongSettings(tuple(self._mistakes)) if self._mistakes else None

    def unknown(self) -> tuple[str, ...]:
        """Warnings about variables with our prefix that nobody has read.

        Warnings, no mistakes: Kubernetes puts variables of its own beside ours for a service of the prefix' name.
        """
        return tuple(self._unknown(name) for name in sorted(self._given) if name not in self._known)

    def _unknown(self, name: str) -> str:
        near = difflib.get_close_matches(name, self._known, n=1)
        hint = f"; did you mean {self._prefix}{near[0]}?" if near else ""
        return f"{self._prefix}{name} is not known and ignored{hint}"
