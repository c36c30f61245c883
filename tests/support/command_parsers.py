"""Whether a program would accept the arguments of a documented command, without running it."""

import re
import shlex

import click
from sereno_cli.main import root

from support.documents import ROOT

END = re.compile(r"^(&|&&|\||\|\||;|>.*|\d>.*|<.*)$")


def refused(text: str) -> str:
    """What is wrong with the command; nothing where nothing is, or where the program is none of ours."""
    try:
        words = shlex.split(text.replace("\\\n", " "), comments=True)
    except ValueError:  # an example of several lines, of which this is one
        return ""
    words = words[: next((number for number, word in enumerate(words) if END.match(word)), len(words))]
    words = words[next((number for number, word in enumerate(words) if "=" not in word.partition("/")[0]), 0) :]
    match words:
        case ["sereno" | ".venv/bin/sereno", *arguments]:
            return _by_click(arguments)
        case ["make", *targets]:
            return _by_make(targets)
        case ["python", "-m", module, *arguments]:
            return _by_source(module, arguments)
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


def _by_source(module: str, arguments: list[str]) -> str:
    """Whether the module is there and its source knows the options: some are programs of minutes without a parser."""
    folder = ROOT / module.replace(".", "/")
    files = list(folder.rglob("*.py")) if folder.is_dir() else [folder.with_suffix(".py")]
    if not all(file.is_file() for file in files):
        return f"there is no module {module}"
    source = "".join(file.read_text(encoding="utf-8") for file in files)
    own = arguments[: arguments.index("--")] if "--" in arguments else arguments
    options = [word.partition("=")[0] for word in own if word.startswith("--")]
    return ", ".join(f"no option {option}" for option in options if f'"{option}"' not in source)
