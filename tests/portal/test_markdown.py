"""Markdown of any origin becomes a part of a page that runs nothing and leads nowhere it shouldn't."""

import re

import pytest
from sereno_portal.pages.runbooks.views import link_from
from sereno_portal.web.markdown import rendered
from sereno_portal.web.rendering import web_address


def html(text: str) -> str:
    """Of a document whose links may lead to the web."""
    return str(rendered(text, web_address).html)


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "a <img src=x onerror=alert(1)> b",
        "[a](javascript:alert(1))",
        "[a](JaVaScRiPt&colon;alert(1))",
        "[a](data:text/html,x)",
        "![a](https://evil.example/pixel.png)",
        "<javascript:alert(1)>",
        '```"><script>\nx\n```',
        '# "><script>\n\n| a |\n|---|\n| b |',
        "[a](/logout)",
        "[a](//evil.example)",
    ],
)
def test_nothing_runs_and_nothing_is_fetched(text: str) -> None:
    """Whatever is written: it is shown as words."""
    found = html(text)
    assert not re.search(r"<(?:script|img)|href|src=|\son\w+=[^&]*>|style=", found.replace("&lt;img src=x onerror", ""))


def test_tables_and_blocks_can_be_used_by_keyboard() -> None:
    """Regions have names of their own, columns have a scope, and alignment is a class."""
    found = html("# T\n\n| a | b |\n|---|--:|\n| 1 | 2 |\n\n| c |\n|---|\n| 3 |\n\n```promql\nup\n```\n")
    assert re.findall(r'aria-label="(.*?)"', found) == ["T", "T 2"]
    assert '<th class="number" scope="col">b</th>' in found
    assert '<td class="number">2</td>' in found
    assert '<pre tabindex="0" data-kind="promql"><code>up\n</code></pre>' in found


def test_columns_without_a_title_have_no_header() -> None:
    """An empty header says nothing to whoever hears it."""
    assert "<th " not in html("| | |\n|---|---|\n| a | b |\n")
    assert html("| | t |\n|---|---|\n| a | b |\n").count("<th ") == 1


def test_headings_have_addresses_of_their_own() -> None:
    """Also where two have the same words, or the page's own."""
    headings = rendered("# Content\n\n## A `b` c!\n\n## A b c\n\n## ✍️\n", web_address).headings
    assert [(one.level, one.text, one.anchor) for one in headings] == [
        (1, "Content", "content-1"),
        (2, "A b c!", "a-b-c"),
        (2, "A b c", "a-b-c-1"),
        (2, "✍️", "part"),
    ]


@pytest.mark.parametrize(
    ("names", "target", "leads"),
    [
        (("etl", "delivery"), "../SLONoData.md", "/runbooks/SLONoData?incident=i"),
        (("etl", "delivery"), "database.md#impact", "/runbooks/etl/database?incident=i#impact"),
        (("SLONoData",), "etl/database.md", "/runbooks/etl/database?incident=i"),
        (("SLONoData",), "https://a.example/?b=c", "https://a.example/?b=c"),
        (("SLONoData",), "../docs/incidents.md", ""),
        (("SLONoData",), "../runbooks/SLONoData.md", ""),
        (("SLONoData",), "/SLONoData.md", ""),
        (("SLONoData",), "nothing.md", ""),
        (("SLONoData",), "//evil.example/SLONoData.md", ""),
        (("SLONoData",), "javascript:alert(1)", ""),
        (("SLONoData",), "http://[", ""),
    ],
)
def test_links_between_runbooks(names: tuple[str, ...], target: str, leads: str) -> None:
    """They lead to runbooks that are there and to the web, and keep the incident."""
    known: frozenset[tuple[str, ...]] = frozenset({("SLONoData",), ("etl", "database"), ("etl", "delivery")})
    assert link_from(names, known, "i", target) == leads
