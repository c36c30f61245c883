"""Lines that another program writes into a pipe."""

from sereno_collectors.logs.inputs.stdin.stdin_input import StdinInput

__all__ = ["StdinInput"]
