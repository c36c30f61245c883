"""What the exit codes of `sereno` mean; scripts outside the project rely on them."""

from enum import IntEnum


class ExitCode(IntEnum):
    """The four answers that a command can give to the shell."""

    OK = 0
    """All is well."""
    ANSWER_IS_NO = 1
    """The question was understood and the answer is no: a check differs, a gate is closed, a test failed."""
    INVALID_INPUT = 2
    """The input or the arguments are wrong; nothing was written."""
    UNREACHABLE = 3
    """A part that is needed (a server, a program on PATH) can't be reached."""
