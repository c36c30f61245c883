"""Hooks of mkdocs.yml: links that lead out of docs/ go to the repository, whose address pyproject.toml names.

A target that isn't there is a warning, and so the end of a strict build.
"""

import logging
import posixpath
import re
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
LOG = logging.getLogger("mkdocs.hooks.site")
FENCE = re.compile(r"^ *```.*?^ *```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"(?<=\]\()(?P<target>\.\.?/[^)#\s]*)")


def repository_address() -> str:
    """`https://github.com/<owner>/<name>`, of the project's address of documentation."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    address: str = project["urls"]["Documentation"]
    return address.partition("/tree/")[0]


def on_page_markdown(markdown: str, page: Any, **_: object) -> str:
    """The page's text with its links out of docs/ rewritten; code is left as it is."""
    return rewritten(markdown, page.file.src_uri)


def rewritten(markdown: str, page: str) -> str:
    """The same text; `page` is its path below docs/."""
    parts, end = [], 0
    for fence in FENCE.finditer(markdown):
        parts += [_without_code(markdown[end : fence.start()], page), fence.group()]
        end = fence.end()
    return "".join([*parts, _without_code(markdown[end:], page)])


def _without_code(text: str, page: str) -> str:
    return LINK.sub(lambda found: _address(found["target"], page), text)


def _address(target: str, page: str) -> str:
    path = posixpath.normpath(posixpath.join("docs", posixpath.dirname(page), target))
    if path.startswith("docs/"):
        return target
    there = ROOT / path
    if path.startswith("..") or not there.exists():
        LOG.warning("Doc file '%s' contains a link to '%s', which isn't in the repository", page, target)
    kind = "tree" if there.is_dir() else "blob"
    return f"{repository_address()}/{kind}/main/{path}"
