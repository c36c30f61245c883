"""What all pages have in common: safe headers, languages, themes, troubles that are told."""

import httpx


def test_a_server_that_is_away_is_told(without_prometheus: httpx.Client) -> None:
    """503 with the cause, as a page and as JSON; no traceback, no credentials."""
    answer = without_prometheus.get("/")
    assert answer.status_code == 503
    assert "can't be reached" in answer.text or "connect" in answer.text.lower()
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    assert 'data-reload="15"' in answer.text, "a screen comes back by itself"
    assert '<noscript><meta http-equiv="refresh" content="15"></noscript>' in answer.text
    assert "data-reload" not in without_prometheus.get("/nowhere").text
    told = without_prometheus.get("/api/v1/overview")
    assert (told.status_code, list(told.json())) == (503, ["error"])


def test_a_page_that_isnt_there(without_prometheus: httpx.Client) -> None:
    """In the language that the browser prefers, or that was chosen."""
    assert "There is no such page" in without_prometheus.get("/nowhere").text
    spanish = without_prometheus.get("/nowhere", headers={"Accept-Language": "es-CO,es;q=0.9"})
    assert spanish.status_code == 404
    assert "No existe esa página" in spanish.text
    chosen = without_prometheus.get("/nowhere?lang=es&theme=dark")
    assert 'lang="es"' in chosen.text
    assert 'data-theme="dark"' in without_prometheus.get("/nowhere").text, "the cookie keeps it"


def test_static_files_are_our_own(without_prometheus: httpx.Client) -> None:
    """Nothing of a page comes from elsewhere."""
    for name in (
        "portal.css",
        "portal.js",
        "charts.js",
        "chart-words.js",
        "figures.js",
        "icon.svg",
        "vendor/uplot/uPlot.iife.min.js",
    ):
        assert without_prometheus.get(f"/static/{name}").is_success, name
