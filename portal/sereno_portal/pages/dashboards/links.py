"""Where links of dashboards lead: Grafana's addresses of dashboards become ours; pure."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from urllib.parse import quote

from sereno_backends.grafana import Link

from sereno_portal.pages.dashboards.shelf import Shelf
from sereno_portal.web.rendering import web_address


@dataclass(frozen=True, slots=True)
class LinkView:
    """A link of a dashboard or a panel."""

    title: str
    address: str


def address_of(url: str) -> str:
    """An address of the web, or of a dashboard here; empty where it is neither."""
    return f"/dashboards/{url.removeprefix('/d/')}" if url.startswith("/d/") else web_address(url)


def link_views(links: Iterable[Link], shelf: Shelf, text: Callable[[str], str], length: str) -> Iterator[LinkView]:
    """The links, those to all dashboards of some tags one by one."""
    for link in links:
        if link.kind == "dashboards":
            for each in shelf.dashboards:
                if set(link.tags) <= set(each.dashboard.tags):
                    time = f"?from={quote(length)}" if link.keeps_time else ""
                    yield LinkView(each.dashboard.title, f"/dashboards/{quote(each.dashboard.uid, safe='')}{time}")
        elif address := address_of(text(link.url)):
            yield LinkView(text(link.title) or address, address)
