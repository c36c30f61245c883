"""The documentation as a site: every page has its place, links lead somewhere, nothing is fetched from elsewhere."""

import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest
from markdown_it import MarkdownIt
from support.documents import ROOT

pytestmark = pytest.mark.xdist_group("docs-site")
COUNTED = ("table", "li", "pre", "h2", "h3")


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built site; a warning (a page without a place, a link to nowhere) ends the build."""
    folder = tmp_path_factory.mktemp("site") / "site"
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr
    return folder


class Elements(HTMLParser):
    """Counts elements within the page's own text, and remembers what the page fetches."""

    def __init__(self) -> None:
        super().__init__()
        self.counts = dict.fromkeys(COUNTED, 0)
        self.fetched: list[str] = []
        self.within = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """One element begins."""
        self.within |= tag == "article"
        if self.within and tag in self.counts:
            self.counts[tag] += 1
        told = dict(attrs)
        if tag in {"script", "img", "iframe"} and told.get("src"):
            self.fetched.append(str(told["src"]))
        if tag == "link" and told.get("rel") in {"stylesheet", "icon", "preload"}:
            self.fetched.append(str(told.get("href")))

    def handle_endtag(self, tag: str) -> None:
        """One ends."""
        self.within &= tag != "article"


def read(path: Path) -> Elements:
    """A page of the site."""
    found = Elements()
    found.feed(path.read_text(encoding="utf-8"))
    return found


def test_nothing_is_fetched_from_elsewhere(site: Path) -> None:
    """No script, style, font or picture of a page is another server's; diagrams would be, so there are none."""
    pages = sorted(site.rglob("*.html"))
    assert len(pages) > 50
    fetched = {(page.name, address) for page in pages for address in read(page).fetched}
    assert [one for one in fetched if re.match(r"(https?:)?//", one[1])] == []
    assert [page for page in (ROOT / "docs").rglob("*.md") if "```mermaid" in page.read_text(encoding="utf-8")] == []


def test_a_page_is_what_github_shows_of_it(site: Path) -> None:
    """Tables, lists, code and headings are as many as by CommonMark: mkdocs' Markdown is another dialect."""
    reader = MarkdownIt("commonmark").enable("table")
    wrong = []
    for page in sorted((ROOT / "docs").rglob("*.md")):
        shown = read(site / page.relative_to(ROOT / "docs").with_suffix(".html")).counts
        told = Elements()
        told.feed(f"<article>{reader.render(page.read_text(encoding='utf-8'))}</article>")
        if shown != told.counts:
            wrong.append(f"{page.relative_to(ROOT)}: {shown}, on GitHub {told.counts}")
    assert not wrong, "\n".join(wrong)
