"""Whether a program would accept the arguments of a documented command, without running it."""

import argparse
import contextlib
import importlib.util
import io
import re
import runpy
import shlex
import sys

import click
from sereno_cli.main import root

from support.documents import ROOT

END = re.compile(r"^(&|&&|\||\|\||;|>.*|\d>.*|<.*)$")


def refused(text: str) -> str:
    """What is wrong with the command; nothing where nothing is, or where the program is none of ours."""
    words = shlex.split(text.replace("\\\n", " "), comments=True)
    words = words[: next((number for number, word in enumerate(words) if END.match(word)), len(words))]
    words = words[next((number for number, word in enumerate(words) if "=" not in word.partition("/")[0]), 0) :]
    match words:
        case ["sereno" | ".venv/bin/sereno", *arguments]:
            return _by_click(arguments)
        case ["make", *targets]:
            return _by_make(targets)
        case ["python", "-m", module, *arguments]:
            return _by_argparse(module, arguments)
        case _:
            return ""


def _by_click(arguments: list[str]) -> str:
    """Walk the groups as click does, and let the command itself read the rest."""
    command: click.Command = root
    context = click.Context(root, info_name="sereno")
    rest = [re.sub(r"…", "x", word) for word in arguments]
    while isinstance(command, click.Group):
        if not rest or (found := command.get_command(context, rest[0])) is None:
            return f"there is no command {rest[:1]}"
        command, context = found, click.Context(found, info_name=rest[0], parent=context)
        rest = rest[1:]
    try:
        parser = command.make_parser(context)
        parser.parse_args(args=list(rest))
    except click.UsageError as error:
        return error.format_message()
    return ""


def _by_make(words: list[str]) -> str:
    known = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    return ", ".join(f"no target {word}" for word in words if "=" not in word and word not in known)


def _by_argparse(module: str, arguments: list[str]) -> str:
    """Run the module up to where it has read its arguments."""
    if importlib.util.find_spec(module) is None:
        return f"there is no module {module}"

    class Read(Exception):  # noqa: N818 - no error: the arguments were accepted
        """The arguments are accepted."""

    real, said = argparse.ArgumentParser.parse_args, io.StringIO()

    def reading(parser: argparse.ArgumentParser, args: object = None, namespace: object = None) -> object:
        real(parser, arguments if args is None else args, namespace)  # type: ignore[call-overload]
        raise Read

    before = sys.argv
    argparse.ArgumentParser.parse_args = reading  # type: ignore[method-assign, assignment]
    sys.argv = [module, *arguments]
    try:
        with contextlib.redirect_stderr(said), contextlib.redirect_stdout(said):
            runpy.run_module(module, run_name="__main__")
    except Read:
        return ""
    except SystemExit:
        return said.getvalue()[-300:]
    finally:
        argparse.ArgumentParser.parse_args, sys.argv = real, before  # type: ignore[method-assign]
    return "it reads no arguments"
