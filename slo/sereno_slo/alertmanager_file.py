"""Generated inhibition rules put into a handwritten `alertmanager.yml`, whose other lines stay as they are.

Alertmanager reads one file and knows no includes. The text is edited, not printed anew: comments are half of what a
configuration says. What comes out is read again and compared with what was meant.
"""

import re
from collections.abc import Sequence
from typing import Any

import yaml

_KEY = "inhibit_rules"
_BEGIN = "# BEGIN of what `sereno alertmanager merge` put here; do not edit: it is replaced as a whole"
_END = "# END of what `sereno alertmanager merge` put here"
_MERGED = re.compile(rf"^ *{re.escape(_BEGIN)}\r?\n(?:.*\n)*? *{re.escape(_END)}\r?\n", re.MULTILINE)


class UnmergeableError(ValueError):
    """The rules can't be put into this text; says why, and what to write instead. `line` counts from 1."""

    def __init__(self, message: str, line: int = 1) -> None:
        super().__init__(message)
        self.line = line


def rules_in(text: str) -> list[dict[str, Any]]:
    """The rules of a generated `inhibit_rules.yml`.

    Raises:
        UnmergeableError: it is something else.
    """
    document = _read(text)
    rules = document.get(_KEY) if isinstance(document, dict) and set(document) == {_KEY} else None
    if not isinstance(rules, list) or not all(isinstance(rule, dict) for rule in rules):
        raise UnmergeableError(f"this is no file of {_KEY} as `sereno compile` writes it")
    return rules


def merged(base: str, rules: Sequence[dict[str, Any]]) -> str:
    """The configuration with the rules behind its own; what an earlier merge put there is replaced.

    Raises:
        UnmergeableError: the configuration can't be read, or is written in a way that has no place for them.
    """
    own = _MERGED.sub("", base)
    before = _read(own)
    if not isinstance(before, dict):
        raise UnmergeableError("this is no configuration of Alertmanager: it has no keys")
    if not isinstance(before.get(_KEY) or [], list):
        raise UnmergeableError(f"{_KEY} is no list")
    text = _inserted(own, list(rules)) if rules else own
    if not _means(text, before | {_KEY: [*(before.get(_KEY) or []), *rules]} if rules else before):
        raise UnmergeableError(f"there is no place behind {_KEY}: write it as a list with one `- ` for each rule")
    return text


def _means(text: str, document: dict[str, Any]) -> bool:
    try:
        return bool(yaml.safe_load(text) == document)
    except (yaml.YAMLError, ValueError):
        return False


def _read(text: str) -> Any:
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        problem = getattr(error, "problem", None) or "it is no YAML"
        raise UnmergeableError(f"{problem}", mark.line + 1 if mark else 1) from None
    except ValueError as error:  # PyYAML builds dates, which may be none
        raise UnmergeableError(f"a value is none: {error}", 1) from None


def _inserted(text: str, rules: list[dict[str, Any]]) -> str:
    lines = text.splitlines(keepends=True)
    if lines and not lines[-1].endswith("\n"):
        lines[-1] += "\n"
    found = _entry(text)
    if found is None:
        return "".join((*lines, _block(rules, "", f"{_KEY}:\n")))
    key, value = found
    if isinstance(value, yaml.SequenceNode) and value.value:
        if value.flow_style:
            raise UnmergeableError(
                f"{_KEY} is written in one line: write one `- ` for each rule", key.start_mark.line + 1
            )
        after, indent = _last_line(value.value[-1]), " " * value.start_mark.column
    else:
        # Without rules of its own: what stands there for none makes room for the list.
        after, indent = key.start_mark.line, ""
        start, end = value.start_mark, value.end_mark
        if start.line == after:
            lines[after] = lines[after][: start.column].rstrip() + lines[after][end.column :]
    return "".join((*lines[: after + 1], _block(rules, indent), *lines[after + 1 :]))


def _entry(text: str) -> tuple[yaml.Node, yaml.Node] | None:
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    entries = root.value if isinstance(root, yaml.MappingNode) else []
    return next(((key, value) for key, value in entries if key.value == _KEY), None)


def _last_line(node: yaml.Node) -> int:
    """The line of the last word of a value: a block ends where the next begins, behind comments that aren't its own."""
    if isinstance(node, yaml.CollectionNode) and node.value and not node.flow_style:
        last = node.value[-1]
        return _last_line(last[1] if isinstance(last, tuple) else last)
    end = node.end_mark
    return int(end.line - 1 if end.column == 0 and end.line > node.start_mark.line else end.line)


def _block(rules: list[dict[str, Any]], indent: str, head: str = "") -> str:
    text = f"{_BEGIN}\n{head}{yaml.safe_dump(rules, sort_keys=False, allow_unicode=True, width=10_000)}{_END}\n"
    return "".join(f"{indent}{line}" for line in text.splitlines(keepends=True))
