"""Language and theme of whoever looks: chosen by a link, kept in a cookie."""

from dataclasses import dataclass

from fastapi import Request, Response

from sereno_portal.web.languages import LANGUAGES, preferred

THEMES = ("auto", "light", "dark")
_YEAR_SECONDS = 365 * 86_400


@dataclass(frozen=True, slots=True)
class Preferences:
    """What a page looks like."""

    language: str
    theme: str


def preferences_of(request: Request) -> Preferences:
    """What the address asks for (`?lang=es&theme=dark`), else the cookie, else what the browser prefers."""
    language = request.query_params.get("lang") or request.cookies.get("sereno_lang", "")
    theme = request.query_params.get("theme") or request.cookies.get("sereno_theme", "")
    return Preferences(
        language if language in LANGUAGES else preferred(request.headers.get("accept-language", "")),
        theme if theme in THEMES else THEMES[0],
    )


def remember(request: Request, response: Response) -> None:
    """Keep what was asked for by the address."""
    chosen = preferences_of(request)
    for parameter, cookie, value in (
        ("lang", "sereno_lang", chosen.language),
        ("theme", "sereno_theme", chosen.theme),
    ):
        if parameter in request.query_params:
            response.set_cookie(cookie, value, max_age=_YEAR_SECONDS, httponly=True, samesite="lax")
