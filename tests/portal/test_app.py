"""What all pages have in common: safe headers, languages, themes, troubles that are told."""

import httpx


def test_a_server_that_is_away_is_told(without_prometheus: httpx.Client) -> None:
    """503 with the cause, as a page and as JSON; no traceback, no credentials."""
    answer = without_prometheus.get("/")
    assert answer.status_code == 503
    assert "can't be reached" in answer.text or "connect" in answer.text.lower()
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
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


def test_links_of_a_page_stay_here(without_prometheus: httpx.Client) -> None:
    """Also where its path looks like another host."""
    page = without_prometheus.get(f"{without_prometheus.base_url}//evil.example/x?a=1")
    assert page.status_code == 404
    assert 'href="?a=1&amp;lang=es"' in page.text
    assert "//evil.example" not in page.text


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
