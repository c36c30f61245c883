"""Markdown that people write: postmortems are examined and renewed, runbooks are filled and shown, nothing runs."""

from datetime import date
from html.parser import HTMLParser
from urllib.parse import urlsplit

from sereno_portal.pages.runbooks.views import link_from
from sereno_portal.web.markdown import rendered
from sereno_portal.web.rendering import web_address
from sereno_postmortems.draft.update import updated
from sereno_postmortems.measured_blocks import marked, parts_of
from sereno_postmortems.review.actions import open_actions
from sereno_postmortems.review.files import Postmortem
from sereno_postmortems.review.lint import lint
from sereno_postmortems.runbooks.filling import fill
from sereno_postmortems.runbooks.labels import jobs_named

from benchmarks.fuzz.target import Target, files, require

_WORDS = (
    *(
        b"| a | b |\n|---|---|\n",
        b"|---|",
        b"```promql\n",
        b"```sh\n",
        b"~~~",
        b"# ",
        b"## Summary\n",
        b"### P3\n",
        b"> **Draft**",
    ),
    *(
        b"[a](javascript:alert(1))",
        b"![a](x)",
        b"<img src=x onerror=alert(1)>",
        b"&colon;",
        b"&#x6a;",
        b"<javascript:a>",
    ),
    *(b"[a]: data:text/html,x\n", b"[a]", b"**", b"\\|", b"`", b"<details>", b"&lt;", b'" onmouseover="x', b"<a@b>"),
    *(
        b"<!-- measured:impact ",
        b"<!-- /measured:impact ",
        b" -->",
        b"told",
        b"JOB",
        b"INSTANCE",
        b"$(JOB)",
        b"'JOB'",
        b"<job>",
    ),
)
_RUNBOOKS = files("runbooks/*.md", "runbooks/*/*.md")
_DRAFT = (
    "# Postmortem: nobody can pay\n\n> **Draft**\n\n## Summary\n\nWords.\n\n"
    + marked("impact", "| SLO | bad |\n|---|---|\n| a | 1 |\n")
    + "\n## Timeline\n\n"
    + marked("timeline", "| time | measured | told |\n|---|---|---|\n| 10:00 | page · *measured* (#p3) | Ana slept |\n")
    + "\n## Action items\n\n| action | kind | owner | due | done |\n|---|---|---|---|---|\n"
    "| mend it | prevent, detect | @ana and ben | 2026-12-01 | |\n\n" + marked("sources", "### P3\n\n`up`\n") + "\n"
)
_FRESH = _DRAFT.replace("| a | 1 |", "| a | 2 |").replace("10:00", "10:01")
_POSTMORTEMS = (_DRAFT.encode(), *files("postmortems/*.md"))
_LABELS = {
    "job": "a'b\"c`d$(e)\\\n<script>|\u202e",
    "instance": "10.0.0.1:9100",
    "service": "pay`ments",
    "slo": "avail|ability",
    "severity": "",
}
_TAGS = frozenset(
    {
        *("h1", "h2", "h3", "h4", "h5", "h6", "p", "ul", "ol", "li", "blockquote", "hr", "br", "pre", "code", "div"),
        *("a", "img", "span", "em", "strong", "s", "table", "thead", "tbody", "tr", "th", "td"),
    }
)
_ATTRIBUTES = frozenset(
    {
        *("href", "rel", "id", "class", "scope", "src", "alt", "loading", "title", "start"),
        *("tabindex", "role", "aria-label", "data-kind"),
    }
)


class _Looking(HTMLParser):
    """Requires of each tag that it is one of a text, and of each address that it leads to the web or into the page."""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """One tag."""
        require(tag in _TAGS, f"the tag {tag}")
        for name, value in attrs:
            require(name in _ATTRIBUTES, f"the attribute {name} of {tag}")
            if name in ("href", "src"):
                scheme = urlsplit(value or "").scheme
                inside = (value or "").startswith(("#", "/runbooks/"))
                require(inside or scheme in ("http", "https"), f"the address {value!r}")


def _links(target: str) -> str:
    return link_from(("transactions-api", "availability"), frozenset({("SLONoData",)}), "i<d>", target)


def check_runbook(data: bytes) -> None:
    """Filled or not, a runbook is shown without anything that runs, in time that grows with its length."""
    text = data.decode(errors="replace")
    jobs_named(text)
    for shown in (text, fill(text, _LABELS).text):
        for address in (web_address, _links):
            looking = _Looking(convert_charrefs=True)
            looking.feed(str(rendered(shown, address).html))
            looking.close()


def check_postmortem(data: bytes) -> None:
    """Examined without an exception; renewed by a draft, no word of people is lost, and again changes nothing."""
    text = data.decode(errors="replace")
    require("".join(line for part in parts_of(text) for line in part.lines) == text, "parts aren't the whole")
    for finding in lint(Postmortem("p.md", text)):
        require(1 <= finding.line <= text.count("\n") + text.count("\r") + 1, f"no such line: {finding}")
        require("\n" not in str(finding), f"a finding of several lines: {finding!r}")
    open_actions([Postmortem("p.md", text)], date(2026, 11, 22))
    once = updated(text, _FRESH).text
    require(updated(once, _FRESH).text == once, "renewed again, it is another text")
    rendered(text, web_address)


TARGETS = (
    Target("runbooks", "nothing runs, links lead to the web only", _RUNBOOKS, _WORDS, check_runbook),
    Target("postmortems", "findings with places; no word is lost", _POSTMORTEMS, _WORDS, check_postmortem),
)
