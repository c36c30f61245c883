"""Markdown as a part of a page: no HTML of its own, links only where they are let through, blocks to copy."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markupsafe import Markup, escape

_IDS_OF_PAGES = frozenset({"content"})


@dataclass(frozen=True, slots=True)
class Heading:
    """A line of the table of contents."""

    level: int
    text: str
    anchor: str


@dataclass(frozen=True, slots=True)
class Rendered:
    """A document as HTML."""

    html: Markup
    headings: tuple[Heading, ...]


def nothing(_: str) -> str:
    """No link, no picture."""
    return ""


def rendered(text: str, address: Callable[[str], str], picture: Callable[[str], str] = nothing) -> Rendered:
    """Render a document.

    Args:
        text: Markdown of any origin. HTML in it is shown, not interpreted.
        address: what a link leads to; where it answers nothing the link is its words only.
        picture: the same for pictures.
    """
    document = _parser()
    tokens = document.parse(text)
    headings = tuple(_anchored(tokens))
    _mend_tables(tokens)
    for token in tokens:
        if token.children:
            token.children = list(_checked(token.children, address, picture))
    return Rendered(Markup(document.renderer.render(tokens, document.options, {})), headings)  # noqa: S704 - html=False


def _parser() -> MarkdownIt:
    document = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
    for name, rule in (("fence", _block), ("code_block", _block), ("table_open", _table), ("table_close", _table_end)):
        document.add_render_rule(name, rule)
    return document


def _anchored(tokens: Sequence[Token]) -> Iterable[Heading]:
    """Each heading with an address of its own, as code forges make them."""
    taken = set(_IDS_OF_PAGES)
    numbers: dict[str, int] = {}
    for opening, inline in pairwise(tokens):
        if opening.type == "heading_open":
            words = _words(inline)
            plain = re.sub(r"[^\w\- ]", "", words.lower()).strip().replace(" ", "-") or "part"
            anchor, number = plain, numbers.get(plain, 1)
            while anchor in taken:
                anchor, number = f"{plain}-{number}", number + 1
            taken.add(anchor)
            numbers[plain] = number
            opening.attrSet("id", anchor)
            yield Heading(int(opening.tag[1:]), words, anchor)


def _words(inline: Token) -> str:
    return "".join(each.content for each in inline.children or () if each.type in ("text", "code_inline"))


def _mend_tables(tokens: Sequence[Token]) -> None:
    """What a table is called by, and classes in place of styles, which pages don't allow."""
    heading = ""
    labels: Counter[str] = Counter()
    for at, token in enumerate(tokens):
        if token.type == "heading_open":
            heading = _words(tokens[at + 1])
        elif token.type == "table_open":
            labels[heading] += 1
            token.meta["label"] = heading if labels[heading] == 1 else f"{heading} {labels[heading]}"
        elif token.type in ("th_open", "td_open"):
            if "right" in str(token.attrs.pop("style", "")):
                token.attrSet("class", "number")
            if token.type == "th_open" and tokens[at + 1].content:
                token.attrSet("scope", "col")
            elif token.type == "th_open":  # a title that says nothing is none
                token.tag = tokens[at + 2].tag = "td"


def _checked(
    children: Sequence[Token], address: Callable[[str], str], picture: Callable[[str], str]
) -> Iterable[Token]:
    is_link = True
    for token in children:
        if token.type == "link_open":
            target = str(token.attrGet("href") or "")
            href = target if target.startswith("#") else address(target)
            is_link = bool(href)
            token.attrs = {"href": href, "rel": "noreferrer"} if is_link else {}
            token.tag = "a" if is_link else "span"
        elif token.type == "link_close":
            token.tag = "a" if is_link else "span"
        elif token.type == "image":
            source = picture(str(token.attrGet("src") or ""))
            if not source:
                yield Token("text", "", 0, content=token.content)
                continue
            token.attrs = {"src": source, "alt": "", "loading": "lazy"}
        yield token


def _block(renderer: RendererHTML, tokens: Sequence[Token], at: int, options: Any, env: Any) -> str:  # noqa: ARG001
    kind = escape((tokens[at].info.split() or [""])[0])
    text = escape(tokens[at].content)
    return f'<div class="copyable"><pre tabindex="0" data-kind="{kind}"><code>{text}</code></pre></div>\n'


def _table(renderer: RendererHTML, tokens: Sequence[Token], at: int, options: Any, env: Any) -> str:  # noqa: ARG001
    label = escape(tokens[at].meta.get("label", ""))
    return f'<div class="scroll" tabindex="0" role="region" aria-label="{label}"><table>\n'


def _table_end(renderer: RendererHTML, tokens: Sequence[Token], at: int, options: Any, env: Any) -> str:  # noqa: ARG001
    return "</table></div>\n"
