"""Words that configuration files of several parts share; each knows its mistake and the cure.

Who reads the file knows the places: the codes and cures travel through pydantic to it.
"""

from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict
from pydantic_core import PydanticCustomError


def mistake(code: str, message: str, hint: str) -> PydanticCustomError:
    """An error that carries its code and cure."""
    # As arguments: braces in the text itself would be read as placeholders.
    return PydanticCustomError(code, "{message}", {"message": message, "hint": hint})


class Grammar(BaseModel):
    """A mapping: unknown keys are mistakes, nothing is guessed, nothing changes."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


def _path(written: Any) -> Any:
    if not isinstance(written, str):
        return written
    if not written or "\0" in written:  # the folder itself, and what no system call takes
        raise mistake("SLO006", f"{written!r} is no path of a file", "write where the file is")
    return Path(written)


FilePath = Annotated[Path, BeforeValidator(_path)]
"""Relative to the folder of the file that says it; whoever opens it resolves it."""
