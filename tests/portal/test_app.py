"""What all pages have in common: safe headers, languages, themes, troubles that are told."""

import re
import socket
import threading
import time

import httpx
from sereno_portal import PortalConfiguration
from support.portal import ROOT, running_portal
from support.waiting import wait_for


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


def test_static_files_are_fetched_once(without_prometheus: httpx.Client) -> None:
    """A browser that has one is told that it is still the same; nothing outside of the folder is a file."""
    first = without_prometheus.get("/static/portal.css")
    assert first.headers["content-type"] == "text/css; charset=utf-8"
    again = without_prometheus.get("/static/portal.css", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    for name in ("nowhere.css", "..%2Fapp.py", "pages"):
        assert without_prometheus.get(f"/static/{name}").status_code == 404, name


def test_a_server_that_hangs_holds_up_its_pages_only() -> None:
    """While more people wait than there are threads, health, metrics and files are told at once."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with running_portal(PortalConfiguration(prometheus=address, root=ROOT)) as portal:
            waiting = [threading.Thread(target=_look, args=(str(portal.base_url),)) for _ in range(60)]
            for each in waiting:
                each.start()
            wait_for(lambda: _questions(portal) == 1, what="the question is on its way")
            time.sleep(0.5)  # until all the others wait for it
            begun = time.monotonic()
            for path in ("/health", "/static/portal.css", "/metrics"):
                assert portal.get(path, timeout=2).is_success, path
            assert time.monotonic() - begun < 2
            assert all(each.is_alive() for each in waiting)
            silent.close()  # the question fails, and with it all that waited
            for each in waiting:
                each.join(15)


def _look(address: str) -> None:
    assert httpx.get(f"{address}/api/v1/overview", trust_env=False, timeout=30).status_code == 503


def _questions(portal: httpx.Client) -> float:
    found = re.search(r"^sereno_portal_prometheus_questions_total (\S+)$", portal.get("/metrics").text, re.MULTILINE)
    assert found
    return float(found[1])
