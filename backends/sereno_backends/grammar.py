"""Words that configuration files of several parts share; each knows its mistake and the cure.

Who reads the file knows the places: the codes and cures travel through pydantic to it.
"""

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict
from pydantic_core import PydanticCustomError


def mistake(code: str, message: str, hint: str) -> PydanticCustomError:
    """An error that carries its code and cure."""
    # As arguments: braces in the text itself would be read as placeholders.
    return PydanticCustomError(code, "{message}", {"message": message, "hint": hint})


class Grammar(BaseModel):
    """A mapping: unknown keys are mistakes, nothing is guessed, nothing changes."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


FilePath = Annotated[Path, BeforeValidator(lambda text: Path(text) if isinstance(text, str) else text)]
"""Relative to the folder of the file that says it; whoever opens it resolves it."""
