"""Templates in, HTML out. Every value is escaped, and nothing of a page runs but our own files."""

from datetime import UTC, datetime
from functools import cache, lru_cache, partial
from importlib import resources
from urllib.parse import quote, urlencode, urlsplit

import jinja2
from fastapi import Request
from fastapi.responses import HTMLResponse
from sereno_backends.serving import AUTHENTICATED_USER

from sereno_portal.web import figures
from sereno_portal.web.languages import LANGUAGES, NAMES, said
from sereno_portal.web.preferences import THEMES, preferences_of, remember

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}
NAVIGATION = (
    ("/", "Overview"),
    ("/incidents", "Incidents"),
    ("/dashboards", "Dashboards"),
    ("/runbooks", "Runbooks"),
    ("/backtest", "Backtest"),
    ("/wall", "Wall"),
)


def page(request: Request, template: str, *, status_code: int = 200, **words: object) -> HTMLResponse:
    """A page; its template extends `frame.html.j2` and says everything by `_("English text")`."""
    chosen = preferences_of(request)
    say = partial(_said, language=chosen.language)
    text = (
        _environment()
        .get_template(template)
        .render(
            words,
            _=say,
            request_path=request.url.path,
            user=request.scope.get(AUTHENTICATED_USER),
            navigation=NAVIGATION,
            language=chosen.language,
            languages={language: NAMES[language] for language in LANGUAGES},
            theme=chosen.theme,
            themes=THEMES,
            address_with=partial(_address_with, request),
        )
    )
    response = HTMLResponse(text, status_code=status_code, headers=HEADERS)
    remember(request, response)
    return response


def web_address(url: str) -> str:
    """An address of the web, or nothing: what `javascript:` leads to is no link of ours."""
    try:
        return url if urlsplit(url).scheme in ("http", "https") else ""
    except ValueError:
        return ""


def _said(text: str, /, language: str, **values: object) -> str:
    return said(text, language, values)


def _address_with(request: Request, **changed: str) -> str:
    """This page with other parameters, as a relative address; what is empty is left out.

    Without the path: a path that begins with `//`, as any may of a page that isn't there, leads to another host.
    """
    unchanged = [(name, value) for name, value in request.query_params.multi_items() if name not in changed]
    kept = [(name, value) for name, value in (*unchanged, *changed.items()) if value]
    return f"?{urlencode(kept)}"


@lru_cache(maxsize=10_000)
def _path(*parts: str) -> str:
    """An address of ours, its parts quoted."""
    return "/" + "/".join(quote(part, safe="") for part in parts)


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(_source),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals |= {"path": _path}
    environment.filters |= {
        "figure": figures.figure,
        "lasting": figures.lasting,
        "clock": lambda moment: f"{moment:%H:%M:%S}",
        "moment": lambda moment: f"{moment:%Y-%m-%d %H:%M}",
        "unix_moment": lambda seconds: f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M}",
        "iso": datetime.isoformat,
        "unix": lambda seconds: datetime.fromtimestamp(seconds, UTC),
        "web_address": web_address,
    }
    return environment


def _source(name: str) -> str | None:
    path = resources.files("sereno_portal") / "templates" / name
    return path.read_text(encoding="utf-8") if path.is_file() else None
